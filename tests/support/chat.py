"""A chat as its platform sees it, and what histories tell of it afterwards."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from activities.blobs import BlobStore
from activities.values import AudioSource
from bots.intake import accept
from tests.support.waiting import TIMEOUT_SECONDS
from workers.settings import StorageSettings
from workflows.names import CONVERSATION, WORKFLOW_QUEUE, conversation_id, voice_message_id
from workflows.voice.contracts import ChatSettings, ConversationState, Limits, VoiceMessageRequest, VoiceMessageResult
from workflows.voice.conversation import Conversation
from workflows.voice.voice_message import VoiceMessage

PLATFORM = "file"
T = TypeVar("T")


class Stack(Protocol):
    """A june that runs: ``workers.local.stack.Embedded``, or one that is only reached."""

    @property
    def client(self) -> Client: ...
    @property
    def home(self) -> Path: ...


class Chat:
    """A chat of its own, on a running stack."""

    def __init__(self, stack: Stack, name: str = "") -> None:
        self.name = name or f"e2e-{uuid4().hex[:8]}"
        self._client = stack.client
        self._blobs = BlobStore.open(StorageSettings(home=stack.home).blobs)
        self._outbox = stack.home / "outbox" / self.name

    async def open(self, settings: ChatSettings | None = None, limits: Limits | None = None) -> None:
        """Start the conversation, with settings of its own and, if not said otherwise, without limits on its pace."""
        limits = limits or Limits(messages_per_minute=1_000_000)
        state = ConversationState(platform=PLATFORM, chat=self.name, settings=settings or ChatSettings(), limits=limits)
        await self._client.start_workflow(
            CONVERSATION, state, id=conversation_id(PLATFORM, self.name), task_queue=WORKFLOW_QUEUE
        )

    async def send(self, audio: bytes, message: str | None = None) -> str:
        """Upload audio, and have it accepted."""
        stored = await self._blobs.put(
            PLATFORM, self.name, audio, mime="application/octet-stream", seconds=0, sample_rate=0, ending="upload"
        )
        return await self.point(f"blob:{stored.key}", message)

    async def point(self, locator: str, message: str | None = None) -> str:
        """Have a message accepted whose audio lies somewhere."""
        message = message or uuid4().hex
        source = AudioSource(locator=locator)
        await accept(
            self._client, VoiceMessageRequest(platform=PLATFORM, chat=self.name, message=message, audio=source)
        )
        return message

    async def ask(self, audio: bytes) -> VoiceMessageResult:
        """Send audio, and wait for the turn's end."""
        return await self.result(await self.send(audio))

    async def result(self, message: str) -> VoiceMessageResult:
        """Wait for the turn's end; its conversation starts it when it gets to it."""
        return await eventually(self.turn(message).result)

    def turn(self, message: str) -> WorkflowHandle[VoiceMessage, VoiceMessageResult]:
        return self._client.get_workflow_handle_for(VoiceMessage.run, voice_message_id(PLATFORM, self.name, message))

    @property
    def conversation(self) -> WorkflowHandle[Conversation, None]:
        return self._client.get_workflow_handle_for(Conversation.run, conversation_id(PLATFORM, self.name))

    @property
    def replies(self) -> list[str]:
        """Names of all files that were delivered."""
        return sorted(path.name for path in self._outbox.iterdir())

    def reply(self, message: str) -> Path:
        """Where the spoken reply to a message lies."""
        return self._outbox / f"{message}.ogg"

    def text(self, message: str) -> str:
        """What was written in reply to a message."""
        return (self._outbox / f"{message}.txt").read_text()


async def eventually(ask: Callable[[], Awaitable[T]], seconds: float = TIMEOUT_SECONDS) -> T:
    """Ask again for as long as the workflow is not there yet."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await ask()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            await asyncio.sleep(0.02)


@dataclass
class Ran:
    """An activity, as a history tells it."""

    name: str
    input: bytes
    queue: str
    scheduled: int
    """When it was given to the queue, in microseconds since 1970."""
    started: int = 0
    """When a worker took the attempt that ended it, in microseconds since 1970; 0 when none is known."""
    attempt: int = 0
    """The attempt that ended it; 1 when it ran once."""
    completed: int = 0
    output: bytes = b""
    """What it returned."""


def activities_of(history: WorkflowHistory) -> list[Ran]:
    """List the activities in the order in which they were scheduled."""
    ran: dict[int, Ran] = {}
    for event in history.events:
        scheduled = event.activity_task_scheduled_event_attributes
        started = event.activity_task_started_event_attributes
        completed = event.activity_task_completed_event_attributes
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            name, payload, queue = scheduled.activity_type.name, scheduled.input.payloads[0], scheduled.task_queue.name
            ran[event.event_id] = Ran(name, payload.data, queue, event.event_time.ToMicroseconds())
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            ran[started.scheduled_event_id].started = event.event_time.ToMicroseconds()
            ran[started.scheduled_event_id].attempt = started.attempt
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            ran[completed.scheduled_event_id].completed += 1
            ran[completed.scheduled_event_id].output = completed.result.payloads[0].data
    return list(ran.values())
