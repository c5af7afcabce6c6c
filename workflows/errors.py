"""From a failed activity to the code, and the figures, that the user's sentence is made of."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import ErrorCode
    from activities.values import Notice
    from workflows.names import Stage

FAULT_OF_STAGE = {
    Stage.FETCH: ErrorCode.AUDIO_UNAVAILABLE,
    Stage.TRANSCRIBE: ErrorCode.TRANSCRIPTION_UNAVAILABLE,
    Stage.INFER: ErrorCode.MODEL_UNAVAILABLE,
    Stage.SYNTHESIZE: ErrorCode.VOICE_UNAVAILABLE,
    Stage.REPLY: ErrorCode.REPLY_FAILED,
}
"""What it means for the user when a stage fails for a reason without a code of its own."""

REFUSALS = frozenset(
    {
        ErrorCode.AUDIO_MISSING,
        ErrorCode.AUDIO_FORBIDDEN,
        ErrorCode.AUDIO_TOO_LARGE,
        ErrorCode.AUDIO_TOO_LONG,
        ErrorCode.AUDIO_EMPTY,
        ErrorCode.AUDIO_UNREADABLE,
        ErrorCode.NO_SPEECH,
        ErrorCode.REQUEST_INVALID,
    }
)
"""Codes that speak of the input; every other code is a fault of june or of what it needs."""


def code_of(error: ActivityError, stage: Stage) -> ErrorCode:
    """Read the stable code from a failed activity."""
    cause: BaseException | None = error.cause
    while isinstance(cause, ApplicationError):  # the SDK puts "Failed decoding arguments" around a missing key
        if cause.type in set(ErrorCode):
            return ErrorCode(cause.type)
        cause = cause.__cause__
    return FAULT_OF_STAGE.get(stage, ErrorCode.INTERNAL)


def notice_of(error: ActivityError, code: ErrorCode) -> Notice:
    """Choose the sentence for the user, with the figures that the activity gave."""
    cause = error.cause
    details = cause.details if isinstance(cause, ApplicationError) else ()
    params = details[0] if details and isinstance(details[0], dict) else {}
    return Notice(key=code.value, params=params)


def nobody_took_it(error: ActivityError) -> bool:
    """Tell whether the task waited in its queue until the time-out, so that another queue may be tried."""
    return isinstance(error.cause, TemporalTimeoutError) and error.cause.type == TimeoutType.SCHEDULE_TO_START
