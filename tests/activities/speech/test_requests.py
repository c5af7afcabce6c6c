"""Requests of benchmarks of speech."""

from activities.benchmarks.attempts import AttemptOutcome
from tests.support.speech_runs import asked


def test_what_is_stored_lies_with_its_run() -> None:
    owner = asked("de-01", run="a run/1").owner
    assert (owner.platform, owner.chat[:7]) == ("bench", "a-run-1")
    assert owner.thread == "de-01.0"


def test_it_waits_for_live_turns() -> None:
    assert asked("de-01").waits_for_live


def test_a_long_reason_is_cut() -> None:
    attempt = asked("de-01").unmeasured("x" * 1000)
    assert (attempt.task, attempt.outcome, len(attempt.why)) == ("de-01", AttemptOutcome.UNMEASURED, 500)
