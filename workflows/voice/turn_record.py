"""What is known of a turn while it runs: its stage, the time of each, its result so far, and how people see it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.activity_options import TURN_DEADLINE
    from workflows.names import ERROR, LANGUAGE, STAGE, Stage
    from workflows.voice import web_ui
    from workflows.voice.contracts import VoiceMessageRequest, VoiceMessageResult

UNINDEXED_STAGES = {Stage.FETCH, Stage.SYNTHESIZE}
"""Stages too short to be worth a write to the list of workflows: there they count as those before them."""


class TurnRecord:
    """Records a turn, and shows it: search attributes for lists, current details for the Web UI."""

    def __init__(self, request: VoiceMessageRequest) -> None:
        """Begin in the first stage; a turn that comes to no result has failed."""
        self.stage = Stage.FETCH
        self.thinks = False
        """The model has been thinking for a while."""
        self.deadline = workflow.now() + TURN_DEADLINE
        self._request = request
        self._result = VoiceMessageResult(status="failed")
        self._stage_ms: dict[Stage, int] = {}

    def restart(self) -> None:
        """Give the turn its whole time again, as those before it have ended."""
        self.deadline = workflow.now() + TURN_DEADLINE

    @property
    def result(self) -> VoiceMessageResult:
        """What is known so far."""
        return self._result.model_copy(update={"stage_ms": dict(self._stage_ms)})

    @property
    def heard(self) -> str:
        """The transcript, as shown to people; empty for a typed message."""
        return self._result.transcript if self._request.audio else ""

    def update(self, **changes: object) -> None:
        """Change fields of the result."""
        self._result = self._result.model_copy(update=changes)

    def show_thinking(self, *, attempt: int) -> None:
        """Show that the model thinks before it answers, and in which attempt it does."""
        self.thinks = True
        workflow.logger.info("the model thinks, in attempt %d", attempt)
        self._describe()

    @contextmanager
    def enter(self, stage: Stage) -> Iterator[None]:
        """Show the stage while the block runs, and measure it."""
        self.stage = stage
        if stage not in UNINDEXED_STAGES:
            attributes = [STAGE.value_set(stage.value)]
            if stage is Stage.INFER and self.heard and self._result.language:
                attributes.append(LANGUAGE.value_set(self._result.language))
            workflow.upsert_search_attributes(attributes)
        self._describe()
        began = workflow.now()
        try:
            yield
        finally:
            if workflow.in_workflow():  # not while it is evicted from the cache, outside of its loop
                self._stage_ms[stage] = self._stage_ms.get(stage, 0) + _milliseconds(workflow.now() - began)

    def end(self) -> VoiceMessageResult:
        """Show the end, and return the result."""
        self.stage = Stage.DONE
        self.update(total_ms=_milliseconds(workflow.now() - workflow.info().start_time))
        attributes = [STAGE.value_set(Stage.DONE.value)]
        if self._result.error:
            attributes.append(ERROR.value_set(self._result.error.value))
        workflow.upsert_search_attributes(attributes)
        self._describe()
        return self.result

    def _describe(self) -> None:
        details = web_ui.of_turn(self._request, self._result, self.stage, self._stage_ms, thinks=self.thinks)
        workflow.set_current_details(details)


def _milliseconds(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
