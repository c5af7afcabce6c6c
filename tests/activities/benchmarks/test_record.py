"""Attempts that are stored."""

from temporalio.testing import ActivityEnvironment

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.record import RecordActivity, RecordRequest
from activities.coding.storage import CodingStorage


async def test_attempts_become_lines_and_twice_is_once(storage: CodingStorage) -> None:
    attempts = tuple(Attempt(task=f"t/{number}", outcome=AttemptOutcome.SOLVED) for number in range(3))
    request, activity = RecordRequest(run="a-run", attempts=attempts), RecordActivity(storage)
    first, second = [await ActivityEnvironment().run(activity.record, request) for _ in range(2)]
    assert first == second
    lines = (await storage.get(first, 10_000)).splitlines()
    assert tuple(map(Attempt.model_validate_json, lines)) == attempts
