"""From a failed activity to a coding task's code and sentence."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import GAVE_WAY, CodingCode
    from workflows.names import GPU_QUEUE, SANDBOX_QUEUE

FAULTS = {
    "think": (CodingCode.MODEL_UNAVAILABLE, f"The model did not answer (is a worker of {GPU_QUEUE} there?)."),
    "act": (CodingCode.SANDBOX_DIED, f"The sandbox's worker ended in the middle of a step ({SANDBOX_QUEUE})."),
}
"""By activity: what it means when it fails for a reason without a code of its own."""
NO_WORKER = f"No sandbox worker took it (june worker sandbox, queue {SANDBOX_QUEUE})."
REASON_CHARS = 400


def code_of(error: ActivityError) -> CodingCode:
    """Read the code from a failed activity."""
    if error.activity_type == "think" and _ran_out_of_the_tasks_time(error.cause):
        return CodingCode.LIMIT_SECONDS
    cause: BaseException | None = error.cause
    while isinstance(cause, ApplicationError):
        if cause.type in set(CodingCode):
            return CodingCode(cause.type)
        cause = cause.__cause__
    if isinstance(error.cause, TemporalTimeoutError) and error.activity_type != "think" and _waited(error.cause):
        return CodingCode.SANDBOX_UNAVAILABLE
    return FAULTS.get(error.activity_type, (CodingCode.INTERNAL, ""))[0]


def sentence_of(error: ActivityError) -> str:
    """Say in a sentence what has failed."""
    cause = error.cause
    if isinstance(cause, TemporalTimeoutError):
        if error.activity_type != "think" and _waited(cause):
            return NO_WORKER
        return FAULTS.get(error.activity_type, ("", "It took too long."))[1]
    message = cause.message if isinstance(cause, ApplicationError) else str(cause or error)
    return message[:REASON_CHARS]


def _ran_out_of_the_tasks_time(cause: BaseException | None) -> bool:
    """Tell whether the model was still answering, or waited for live turns, when the task's time was over."""
    last = cause.__cause__ if isinstance(cause, TemporalTimeoutError) else cause
    gave_way = isinstance(last, ApplicationError) and last.type == GAVE_WAY
    still_answering = last is None and isinstance(cause, TemporalTimeoutError) and _waited(cause)
    return gave_way or still_answering


def _waited(cause: TemporalTimeoutError) -> bool:
    return cause.type in {TimeoutType.SCHEDULE_TO_START, TimeoutType.SCHEDULE_TO_CLOSE}
