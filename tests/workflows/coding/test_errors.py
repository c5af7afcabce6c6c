"""Codes and sentences of what has failed."""

import pytest
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from activities.error_codes import CodingCode
from workflows.coding.errors import NO_WORKER, code_of, sentence_of


def failed(activity: str, cause: BaseException) -> ActivityError:
    error = ActivityError(
        "failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type=activity,
        activity_id="1",
        retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
    )
    error.__cause__ = cause
    return error


def timeout(kind: TimeoutType) -> TemporalTimeoutError:
    return TemporalTimeoutError("late", type=kind, last_heartbeat_details=[])


@pytest.mark.parametrize(
    ("activity", "cause", "code"),
    [
        ("act", ApplicationError("Too large.", type="workspace-too-large"), CodingCode.WORKSPACE_TOO_LARGE),
        ("act", timeout(TimeoutType.HEARTBEAT), CodingCode.SANDBOX_DIED),
        ("act", timeout(TimeoutType.START_TO_CLOSE), CodingCode.SANDBOX_DIED),
        ("act", ApplicationError("no space left", type="OSError"), CodingCode.SANDBOX_DIED),
        ("act", timeout(TimeoutType.SCHEDULE_TO_CLOSE), CodingCode.SANDBOX_UNAVAILABLE),
        ("prepare", timeout(TimeoutType.SCHEDULE_TO_START), CodingCode.SANDBOX_UNAVAILABLE),
        ("prepare", ApplicationError("broken", type="ValueError"), CodingCode.INTERNAL),
        ("think", timeout(TimeoutType.SCHEDULE_TO_CLOSE), CodingCode.LIMIT_SECONDS),
        ("think", timeout(TimeoutType.HEARTBEAT), CodingCode.MODEL_UNAVAILABLE),
        ("think", ApplicationError("refused", type="model-refused"), CodingCode.MODEL_REFUSED),
        ("think", ApplicationError("later", type="gave-way"), CodingCode.LIMIT_SECONDS),
        ("think", ApplicationError("gone", type="model-unavailable"), CodingCode.MODEL_UNAVAILABLE),
    ],
)
def test_codes(activity: str, cause: BaseException, code: CodingCode) -> None:
    error = failed(activity, cause)
    assert code_of(error) is code
    assert sentence_of(error)


def test_a_missing_worker_is_named() -> None:
    assert sentence_of(failed("prepare", timeout(TimeoutType.SCHEDULE_TO_START))) == NO_WORKER
    assert len(sentence_of(failed("act", ApplicationError("x" * 5000)))) == 400
