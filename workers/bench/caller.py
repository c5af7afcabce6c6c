"""Send messages as a bot does, and measure turns by the times in their histories."""

import time
from dataclasses import dataclass
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle

from activities.blobs import BlobStore
from activities.values import BLOB_SCHEME, AudioSource
from bots.intake import accept, result_of
from workflows.names import CONVERSATION, WORKFLOW_QUEUE, conversation_id, voice_message_id
from workflows.voice.contracts import (
    ChatSettings,
    ConversationState,
    Limits,
    Memory,
    VoiceMessageRequest,
    VoiceMessageResult,
)

PLATFORM = "file"


@dataclass(frozen=True)
class Timing:
    """One turn as its sender saw it, in milliseconds from the call."""

    intake: float
    """Until the message was durable."""
    started: float
    """Until the reply activity started."""
    ended: float
    """Until the reply was delivered."""
    result: VoiceMessageResult


class Caller:
    """A new chat whose turns are measured."""

    def __init__(self, client: Client, blobs: BlobStore) -> None:
        self._client = client
        self._blobs = blobs
        self.chat = f"bench-{uuid4().hex[:8]}"

    async def open(self, settings: ChatSettings, memory: Memory | None = None) -> None:
        """Start the conversation with settings and a memory of its own, and without limits on its pace."""
        limits = Limits(messages_per_minute=1_000_000)
        state = ConversationState(
            platform=PLATFORM, chat=self.chat, settings=settings, limits=limits, memory=memory or Memory()
        )
        await self._client.start_workflow(
            CONVERSATION, state, id=conversation_id(PLATFORM, self.chat), task_queue=WORKFLOW_QUEUE
        )

    async def turn(self, audio: bytes) -> Timing:
        """Send a message, and wait for its result."""
        message = uuid4().hex
        stored = await self._blobs.put(
            PLATFORM, self.chat, audio, mime="application/octet-stream", seconds=0, sample_rate=0, ending="upload"
        )
        request = VoiceMessageRequest(
            platform=PLATFORM, chat=self.chat, message=message, audio=AudioSource(locator=f"{BLOB_SCHEME}{stored.key}")
        )
        called, watch = time.time(), time.perf_counter()
        await accept(self._client, request)
        intake = 1000 * (time.perf_counter() - watch)
        result = await result_of(self._client, PLATFORM, self.chat, message)
        turn = self._client.get_workflow_handle(voice_message_id(PLATFORM, self.chat, message))
        started, ended = await _reply_times(turn)
        return Timing(intake, 1000 * (started - called), 1000 * (ended - called), result)


async def _reply_times(handle: "WorkflowHandle[object, object]") -> tuple[float, float]:
    """Return when the reply activity started and completed, in seconds since the epoch, by the server's clock."""
    history = await handle.fetch_history()
    scheduled = {
        event.event_id
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "reply"
    }
    started = ended = 0.0
    for event in history.events:
        if event.activity_task_started_event_attributes.scheduled_event_id in scheduled:
            started = _seconds(event)
        if (
            event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
            and event.activity_task_completed_event_attributes.scheduled_event_id in scheduled
        ):
            ended = _seconds(event)
    return started, ended


def _seconds(event: HistoryEvent) -> float:
    return event.event_time.seconds + event.event_time.nanos / 1e9
