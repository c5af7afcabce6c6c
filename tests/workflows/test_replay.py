"""Workflows that were begun by an earlier june go on under this one: recorded histories replay."""

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from activities.infer import Inference
from workers.roles.workflows import WORKFLOWS
from workflows.names import VOICE_MESSAGE
from workflows.voice.contracts import Memory, VoiceMessageRequest, VoiceMessageResult
from workflows.voice.voice_message import VoiceMessage

FOLDER = Path(__file__).resolve().parent.parent / "histories"
RECORDED = {
    "turn",
    "turn_second_attempt",
    "turn_refused",
    "turn_held_back",
    "turn_cancelled",
    "conversation_queue_reset",
    "conversation_settings_cancel",
    "conversation_forget",
    "turn_accompanied",
    "conversation_users_limits",
    "access",
    "integration_failed",
    "integration_cancelled",
}
MAX_BYTES = 200_000


def recorded(name: str) -> WorkflowHistory:
    """Read a history; ``record_histories`` wrote it."""
    return WorkflowHistory.from_json("recorded", (FOLDER / f"{name}.json").read_text())


def test_all_are_there_and_small() -> None:
    files = {path.stem: path.stat().st_size for path in FOLDER.glob("*.json")}
    assert files.keys() == RECORDED
    assert max(files.values()) < MAX_BYTES


@pytest.mark.parametrize("name", sorted(RECORDED))
async def test_recorded_histories_replay(name: str) -> None:
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter)
    await replayer.replay_workflow(recorded(name))


def test_they_hold_what_they_are_named_for() -> None:
    kinds = {name: [event["eventType"] for event in read(name)] for name in RECORDED}
    assert kinds["turn"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"
    assert kinds["turn_cancelled"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED"
    assert kinds["conversation_queue_reset"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    assert kinds["turn_second_attempt"].count("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED") == 4
    assert "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED" in kinds["conversation_settings_cancel"]
    assert "EVENT_TYPE_ACTIVITY_TASK_COMPLETED" in kinds["conversation_forget"]
    assert kinds["turn_accompanied"].count("EVENT_TYPE_ACTIVITY_TASK_SCHEDULED") == 9, "accompany among them"
    signalled = "EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED"
    assert kinds["conversation_users_limits"].count(signalled) == 5, "the speech of three turns, memory for two"
    assert kinds["access"].count("EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED") == 4
    assert kinds["access"].count("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED") == 4
    assert kinds["access"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    assert kinds["integration_failed"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_FAILED"
    assert "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED" in kinds["integration_failed"]
    assert kinds["integration_failed"].count("EVENT_TYPE_ACTIVITY_TASK_SCHEDULED") == 5, "collect, three modules, alert"
    assert kinds["integration_cancelled"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED"


def read(name: str) -> list[dict[str, str]]:
    """List a history's events as they are written."""
    events: list[dict[str, str]] = json.loads((FOLDER / f"{name}.json").read_text())["events"]
    return events


@workflow.defn(name=VOICE_MESSAGE)
class Hasty(VoiceMessage):
    """Replies before it has spoken."""

    @workflow.init
    def __init__(self, request: VoiceMessageRequest) -> None:
        super().__init__(request)

    @workflow.run
    async def run(self, request: VoiceMessageRequest) -> VoiceMessageResult:
        return await super().run(request)

    async def _infer(self, memory: Memory) -> Inference:
        inference = await super()._infer(memory)
        await self._deliver(notice=None, text=inference.answer)
        return inference


async def test_a_change_of_order_is_noticed() -> None:
    replayer = Replayer(
        workflows=[Hasty], data_converter=pydantic_data_converter, workflow_runner=UnsandboxedWorkflowRunner()
    )
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(recorded("turn"))
