"""Talk to june by platform ``file``, for benchmarks: voice notes in, results and times out."""

import asyncio
from collections.abc import Sequence

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from activities.blobs import BlobStore
from activities.platforms.file import Outbox
from activities.speech.turns import TurnTimes
from activities.values import BLOB_SCHEME, AudioSource
from bots.intake import accept, result_of, start_options
from workflows.names import CONVERSATION, conversation_id, voice_message_id
from workflows.voice.contracts import ChatSettings, ConversationState, Limits, VoiceMessageRequest

PLATFORM = "file"
NO_LIMITS = Limits(waiting=1000, messages_per_minute=1_000_000)
ENDED = "the benchmark has ended"
RETRY_SECONDS = 0.25


class FileTalk:
    """Chats on platform ``file``; satisfies ``activities.speech.turns.Talk``."""

    def __init__(self, client: Client, blobs: BlobStore, outbox: Outbox) -> None:
        """Use june's own client, audio store and outbox."""
        self._client = client
        self._blobs = blobs
        self._outbox = outbox

    async def open(self, chat: str) -> None:
        """Begin a conversation at temperature 0, without limits on its pace."""
        state = ConversationState(platform=PLATFORM, chat=chat, settings=ChatSettings(temperature=0), limits=NO_LIMITS)
        await self._client.start_workflow(CONVERSATION, state, **start_options(PLATFORM, chat, None))

    async def say(self, chat: str, message: str, audio: bytes) -> None:
        """Hand a voice note over, again and again while the server does not take it; return when it is durable."""
        stored = await self._blobs.put(
            PLATFORM, chat, audio, mime="application/octet-stream", seconds=0, sample_rate=0, ending="upload"
        )
        source = AudioSource(locator=f"{BLOB_SCHEME}{stored.key}")
        request = VoiceMessageRequest(platform=PLATFORM, chat=chat, message=message, audio=source, limits=NO_LIMITS)
        while True:
            try:
                await accept(self._client, request)
            except RPCError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def result(self, chat: str, message: str) -> TurnTimes:
        """Wait for the end of a turn."""
        while True:
            try:
                result = await result_of(self._client, PLATFORM, chat, message)
            except WorkflowFailureError:
                return TurnTimes(answered=False, milliseconds={})
            except RPCError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return TurnTimes(
                    answered=result.status == "answered",
                    milliseconds={stage.value: float(spent) for stage, spent in result.stage_ms.items()},
                )

    async def replies(self, chat: str, message: str) -> int:
        """Count the replies to a message that its histories say were delivered, in all runs of its turn."""
        workflow = voice_message_id(PLATFORM, chat, message)
        runs: list[str | None] = [run.run_id async for run in self._client.list_workflows(f"WorkflowId = '{workflow}'")]
        count = 0
        for run in runs or [None]:  # the list comes a moment late
            history = await self._client.get_workflow_handle(workflow, run_id=run).fetch_history()
            count += delivered(history.events)
        return count

    async def forget(self, chat: str) -> None:
        """End the conversation; delete its audio and replies. Histories stay, to be looked at."""
        try:
            await self._client.get_workflow_handle(conversation_id(PLATFORM, chat)).terminate(ENDED)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        await self._blobs.delete_chat(PLATFORM, chat)
        await asyncio.to_thread(self._outbox.delete, chat, None)


def delivered(events: Sequence[HistoryEvent]) -> int:
    """Count the activities ``reply`` that have completed."""
    replies = {
        event.event_id
        for event in events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "reply"
    }
    return sum(
        event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
        and event.activity_task_completed_event_attributes.scheduled_event_id in replies
        for event in events
    )
