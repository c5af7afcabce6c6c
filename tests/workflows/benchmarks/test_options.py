"""Timeouts and retries."""

import pytest

from workflows.activity_options import ActivityOptions
from workflows.benchmarks import options

NAMES = (
    "PLAN",
    "PLAN_SPEECH",
    "PIN_MODEL",
    "COMPLETE",
    "MEASURE",
    "SAY",
    "TURNS",
    "SET_UP",
    "SCORE",
    "RECORD",
    "REPORT",
)


@pytest.mark.parametrize("name", NAMES)
def test_an_activity_may_wait_for_its_worker_until_the_next_day(name: str) -> None:
    chosen: ActivityOptions = getattr(options, name)
    assert chosen.total == options.WORKER_TIMEOUT
    assert chosen.attempt < chosen.total


def test_what_may_end_its_worker_is_tried_a_few_times() -> None:
    assert options.SCORE.retry_policy.maximum_attempts == 3


def test_what_gives_way_is_tried_again_for_hours() -> None:
    for chosen in (options.COMPLETE, options.MEASURE):
        assert chosen.retry_policy.maximum_attempts > 1000
