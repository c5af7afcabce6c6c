"""Every way in which an activity fails has a code, and the user's sentence its figures."""

import pytest
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from workflows.errors import FAULT_OF_STAGE, REFUSALS, code_of, nobody_took_it, notice_of
from workflows.names import Stage


def failed(cause: BaseException) -> ActivityError:
    """Make the failure that a workflow sees."""
    error = ActivityError(
        "failed",
        scheduled_event_id=5,
        started_event_id=6,
        identity="worker",
        activity_type="fetch",
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    error.__cause__ = cause
    return error


def timed_out(kind: TimeoutType) -> ActivityError:
    return failed(TemporalTimeoutError("timed out", type=kind, last_heartbeat_details=[]))


@pytest.mark.parametrize("code", ErrorCode)
def test_a_code_of_the_activitys_own_is_read(code: ErrorCode) -> None:
    assert code_of(failed(BadInputError(code, "scripted")), Stage.FETCH) is code


def test_a_code_below_what_the_sdk_puts_around_it_is_read() -> None:
    outer, inner = ApplicationError("Failed decoding arguments"), ApplicationError("?", type="key-unknown")
    outer.__cause__ = inner
    assert code_of(failed(outer), Stage.INFER) is ErrorCode.KEY_UNKNOWN


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize(
    "error", [failed(ApplicationError("?", type="ConnectionError")), timed_out(TimeoutType.SCHEDULE_TO_CLOSE)]
)
def test_without_one_the_stage_says_what_it_means(error: ActivityError, stage: Stage) -> None:
    assert code_of(error, stage) is FAULT_OF_STAGE.get(stage, ErrorCode.INTERNAL)


def test_what_a_stages_fault_means_is_no_refusal() -> None:
    assert REFUSALS.isdisjoint(FAULT_OF_STAGE.values())


def test_the_sentence_gets_the_figures_that_the_activity_gave() -> None:
    notice = notice_of(
        failed(BadInputError(ErrorCode.AUDIO_TOO_LONG, "?", limit_seconds=600)), ErrorCode.AUDIO_TOO_LONG
    )
    assert (notice.key, notice.params) == ("audio-too-long", {"limit_seconds": 600})
    assert notice_of(timed_out(TimeoutType.HEARTBEAT), ErrorCode.AUDIO_UNAVAILABLE).params == {}


@pytest.mark.parametrize("kind", TimeoutType)
def test_only_a_task_that_stayed_in_its_queue_may_go_to_another(kind: TimeoutType) -> None:
    assert nobody_took_it(timed_out(kind)) is (kind is TimeoutType.SCHEDULE_TO_START)
