"""Workflows that were begun by an earlier june go on under this one: recorded histories replay."""

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from activities.infer import Inference
from tests.support.encryption import CONVERTER
from tests.support.payloads import payloads_of
from workers.encryption.codec import ENCODING, data_converter
from workers.encryption.source import Keys
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
    "conversation_summary",
    "conversation_summary_awaited",
    "conversation_summary_given_up",
    "turn_accompanied",
    "conversation_users_limits",
    "access",
    "conversation_stopped",
    "turn_stopped",
    "conversation_queue_notice",
    "conversation_uncertain",
    "conversation_counted_stops",
    "integration_failed",
    "integration_cancelled",
    "conversation_encrypted",
    "turn_encrypted",
    "turn_encrypted_refused",
    "coding_finished",
    "coding_repeating",
    "coding_cancelled",
    "benchmark_finished",
    "benchmark_attempt",
    "benchmark_attempt_of_agent",
    "benchmark_cancelled",
    "benchmark_attempt_cancelled",
}
MAX_BYTES = 200_000


def recorded(name: str) -> WorkflowHistory:
    """Read a history; ``record_histories`` wrote it."""
    history = json.loads((FOLDER / f"{name}.json").read_text())
    # A benchmark's attempts are named after it.
    begun = history["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(begun.get("workflowId", "recorded"), history)


def test_all_are_there_and_small() -> None:
    files = {path.stem: path.stat().st_size for path in FOLDER.glob("*.json")}
    assert files.keys() == RECORDED
    assert max(files.values()) < MAX_BYTES


@pytest.mark.parametrize("name", sorted(RECORDED))
async def test_recorded_histories_replay(name: str) -> None:
    replayer = Replayer(workflows=WORKFLOWS, data_converter=CONVERTER)
    await replayer.replay_workflow(recorded(name))


def test_they_hold_what_they_are_named_for() -> None:
    kinds = {name: [event["eventType"] for event in read(name)] for name in RECORDED}
    assert kinds["turn"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"
    assert kinds["benchmark_finished"].count("EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED") == 3
    assert kinds["benchmark_finished"].count("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED") == 3
    assert "EVENT_TYPE_TIMER_FIRED" in kinds["benchmark_attempt"], "after its fault"
    assert "EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED" in kinds["benchmark_attempt_of_agent"]
    for name in ("benchmark_cancelled", "benchmark_attempt_cancelled"):
        assert kinds[name][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED"
    assert kinds["turn_cancelled"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED"
    assert kinds["conversation_queue_reset"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    assert kinds["turn_second_attempt"].count("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED") == 4
    assert "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED" in kinds["conversation_settings_cancel"]
    assert "EVENT_TYPE_ACTIVITY_TASK_COMPLETED" in kinds["conversation_forget"]
    given_up, awaited = kinds["conversation_summary_given_up"], kinds["conversation_summary_awaited"]
    assert "EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED" in given_up
    assert "EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED" not in awaited
    assert awaited.count("EVENT_TYPE_ACTIVITY_TASK_COMPLETED") == 1
    taken = kinds["conversation_summary"].count("EVENT_TYPE_ACTIVITY_TASK_COMPLETED")
    assert taken == 2, "the summary, and its reading"
    assert kinds["turn_accompanied"].count("EVENT_TYPE_ACTIVITY_TASK_SCHEDULED") == 9, "accompany among them"
    assert kinds["turn_stopped"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"
    assert kinds["conversation_stopped"].count("EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED") == 7
    assert kinds["conversation_queue_notice"].count("EVENT_TYPE_ACTIVITY_TASK_COMPLETED") == 2, "told, and taken back"
    assert kinds["conversation_counted_stops"].count("EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED") == 2
    assert kinds["conversation_uncertain"].count("EVENT_TYPE_ACTIVITY_TASK_COMPLETED") == 2, "told, and sent again"
    signalled = "EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED"
    assert kinds["conversation_users_limits"].count(signalled) == 5, "the speech of three turns, memory for two"
    assert kinds["access"].count("EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED") == 4
    assert kinds["access"].count("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED") == 4
    assert kinds["access"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    assert kinds["integration_failed"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_FAILED"
    assert "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED" in kinds["integration_failed"]
    assert kinds["integration_failed"].count("EVENT_TYPE_ACTIVITY_TASK_SCHEDULED") == 5, "collect, three modules, alert"
    assert kinds["integration_cancelled"][-1] == "EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED"


@pytest.mark.parametrize("name", [name for name in sorted(RECORDED) if "encrypted" in name])
async def test_an_encrypted_history_says_nothing_to_those_without_the_key(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text()
    kept = [
        payload for event in recorded(name).events for payload in payloads_of(event) if "encoding" in payload.metadata
    ]
    sealed = [payload for payload in kept if payload.metadata["encoding"] == ENCODING]
    plain = {payload.data for payload in kept if payload not in sealed}
    assert len(sealed) >= 5
    assert "Encoded failure" in text or "failure" not in text
    assert all(b"hello" not in data.lower() for data in plain), "search attributes, and no more"
    replayer = Replayer(workflows=WORKFLOWS, data_converter=data_converter(Keys.none()))
    with pytest.raises(Exception, match="key"):
        await replayer.replay_workflow(recorded(name))


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
    replayer = Replayer(workflows=[Hasty], data_converter=CONVERTER, workflow_runner=UnsandboxedWorkflowRunner())
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(recorded("turn"))
