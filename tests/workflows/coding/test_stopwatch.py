"""The time that a task has taken."""

from datetime import UTC, datetime, timedelta

from workflows.coding.stopwatch import Stopwatch

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_pauses_do_not_count() -> None:
    stopwatch = Stopwatch(NOON, seconds=100)
    assert stopwatch.seconds(at(5)) == 105
    stopwatch.pause(at(10))
    assert stopwatch.seconds(at(60)) == 110
    stopwatch.pause(at(70))
    stopwatch.resume(at(80))
    stopwatch.resume(at(85))
    assert stopwatch.seconds(at(90)) == 120
