"""Failures as faults."""

import pytest
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from activities.benchmarks.attempts import AttemptOutcome
from workflows.benchmarks.outcomes import fault_of


def failed(activity: str, cause: BaseException) -> ActivityError:
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type=activity,
        activity_id="1",
        retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
    )
    error.__cause__ = cause
    return error


def timed_out(kind: TimeoutType) -> TemporalTimeoutError:
    return TemporalTimeoutError("timed out", type=kind, last_heartbeat_details=[])


@pytest.mark.parametrize(
    ("activity", "cause", "outcome", "final", "told"),
    [
        ("complete", ApplicationError("away", type="model-unavailable"), AttemptOutcome.MODEL_ERROR, False, "away"),
        ("complete", ApplicationError("no", type="model-refused"), AttemptOutcome.MODEL_ERROR, True, "no"),
        ("complete", timed_out(TimeoutType.HEARTBEAT), AttemptOutcome.MODEL_ERROR, False, "again and again"),
        ("score", timed_out(TimeoutType.HEARTBEAT), AttemptOutcome.SANDBOX_ERROR, False, "again and again"),
        ("score", timed_out(TimeoutType.SCHEDULE_TO_CLOSE), AttemptOutcome.SANDBOX_ERROR, False, "No worker"),
        ("score", ApplicationError("gone", type="data-set-missing"), AttemptOutcome.SANDBOX_ERROR, True, "gone"),
        ("set_up", ApplicationError("x" * 900), AttemptOutcome.SANDBOX_ERROR, False, "x" * 500),
    ],
)
def test_whose_fault_it_is(
    activity: str, cause: BaseException, outcome: AttemptOutcome, told: str, *, final: bool
) -> None:
    fault = fault_of(failed(activity, cause))
    assert (fault.outcome, fault.final) == (outcome, final)
    assert told in fault.why
    assert len(fault.why) <= 500
