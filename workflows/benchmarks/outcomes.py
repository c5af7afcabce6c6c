"""What came of an attempt: read from answers, scores, coding tasks, and failures."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

with workflow.unsafe.imports_passed_through():
    from activities.benchmarks.attempts import AttemptOutcome
    from activities.benchmarks.complete import Completed
    from activities.benchmarks.judge import Scored
    from activities.error_codes import CodingCode, ErrorCode
    from workflows.coding.contracts import CodingReport

WHY_CHARS = 500
OF_THE_MODEL = frozenset({ErrorCode.MODEL_UNAVAILABLE.value, ErrorCode.MODEL_REFUSED.value})
ASKS = frozenset({"complete", "think", "pin_model"})
"""Activities that ask the model."""
FINAL = frozenset({ErrorCode.MODEL_REFUSED.value, "data-set-changed", "data-set-missing", "task-unknown"})
"""Faults that trying again does not mend."""
LIMITS = {
    CodingCode.LIMIT_STEPS.value: "It came to the limit of its steps.",
    CodingCode.LIMIT_TOKENS.value: "It came to the limit of its tokens.",
    CodingCode.LIMIT_SECONDS.value: "It came to the limit of its time.",
    CodingCode.REPEATING.value: "The model did the same again and again.",
}


class Fault(Exception):  # noqa: N818 - what it is, in the words of the contracts
    """The machinery has failed, not the submission."""

    def __init__(self, outcome: AttemptOutcome, why: str, *, final: bool = False) -> None:
        """Say whose fault it is; ``final`` where trying again does not help."""
        super().__init__(why)
        self.outcome = outcome
        self.why = why[:WHY_CHARS]
        self.final = final


def of_answer(completed: Completed, scored: Scored) -> tuple[AttemptOutcome, str]:
    """Return what came of a single answer, and why it is not solved."""
    if scored.outcome is AttemptOutcome.SOLVED:
        return scored.outcome, ""
    if completed.finish_reason in {"length", "repetition"}:
        cut = "at its longest length" if completed.finish_reason == "length" else "as it repeats itself"
        return AttemptOutcome.LENGTH, f"The answer was cut {cut}. {scored.why}".strip()[:WHY_CHARS]
    if completed.is_empty:
        return AttemptOutcome.NO_SUBMISSION, "The model has answered nothing."
    return scored.outcome, scored.why[:WHY_CHARS]


def of_agent(report: CodingReport, scored: Scored) -> tuple[AttemptOutcome, str]:
    """Return what came of an agent's work, and why it is not solved."""
    if scored.outcome is AttemptOutcome.SOLVED:
        return scored.outcome, ""
    if report.code == CodingCode.FORMAT_ERRORS.value:
        why = "The model gave nothing that is an action, several times in a row."
        return AttemptOutcome.FORMAT_ERROR, f"{why} {scored.why}".strip()[:WHY_CHARS]
    if report.code in LIMITS:
        return AttemptOutcome.LIMITS, f"{LIMITS[report.code]} {scored.why}".strip()[:WHY_CHARS]
    return scored.outcome, scored.why[:WHY_CHARS]


def fault_of(error: ActivityError | ChildWorkflowError) -> Fault:
    """Return whose fault a failed activity, or a failed coding task, is."""
    code, sentence = code_and_sentence(error)
    asks = isinstance(error, ActivityError) and error.activity_type in ASKS
    outcome = AttemptOutcome.MODEL_ERROR if asks or code in OF_THE_MODEL else AttemptOutcome.SANDBOX_ERROR
    return Fault(outcome, sentence, final=code in FINAL)


def code_and_sentence(error: ActivityError | ChildWorkflowError) -> tuple[str, str]:
    """Return the code of a failure, empty where it has none, and what it says."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return cause.type or "", cause.message
    if isinstance(cause, TemporalTimeoutError):
        name = error.activity_type if isinstance(error, ActivityError) else error.workflow_type
        if cause.type in {TimeoutType.SCHEDULE_TO_START, TimeoutType.SCHEDULE_TO_CLOSE}:
            return "", f"No worker came to an end with `{name}` in time."
        return "", f"The worker of `{name}` died, or came to no end, again and again."
    return "", str(cause or error)
