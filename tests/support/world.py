"""The world as workflows see it: every activity replaced by name, recording what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import PollerBehaviorSimpleMaximum, Worker

from activities.accompany import ShowProgressRequest
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.fetch import FetchedAudio, FetchRequest
from activities.forget import ForgetRequest, Forgotten
from activities.infer import Inference, InferRequest, Sentence
from activities.reply import Delivered, ReplyRequest
from activities.retract import RetractRequest
from activities.synthesize import Speech, SynthesizeRequest
from activities.transcribe import TranscribeRequest, Transcript
from activities.values import BlobRef
from workflows.access.workflow import Access
from workflows.coding.workflow import CodingTask
from workflows.names import CPU_QUEUE, GPU_QUEUE, WORKFLOW_QUEUE, platform_queue
from workflows.testruns.workflow import IntegrationRun
from workflows.voice.conversation import Conversation
from workflows.voice.voice_message import VoiceMessage

PLATFORM = "test"
HEARTBEAT_TIMEOUT = timedelta(milliseconds=200)
"""Cancellation reaches an activity with its heartbeats."""


def blob(name: str, seconds: float = 1.0) -> BlobRef:
    """Make a reference to audio that nobody reads."""
    return BlobRef(key=f"{PLATFORM}/chat/{name}.pcm", mime="audio/L16", bytes=100, seconds=seconds, sample_rate=16000)


Behaviour = Callable[[Any], Awaitable[Any]]


@dataclass
class World:
    """Scripted activities. ``locator`` is the transcript, ``infer`` echoes it; ``behaviours`` overrides one by name."""

    calls: list[tuple[str, Any]] = field(default_factory=list)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)

    async def _play(self, name: str, request: Any, default: Any) -> Any:  # noqa: ANN401 - any activity's types
        self.calls.append((name, request))
        behaviour = self.behaviours.get(name)
        answer = await behaviour(request) if behaviour else None
        return default if answer is None else answer

    def reset(self) -> None:
        """Drop what was asked, and what was scripted: for the next test with the same workers."""
        self.calls.clear()
        self.behaviours.clear()

    def asked(self, name: str) -> list[Any]:
        """List the requests that an activity got, in order."""
        return [request for called, request in self.calls if called == name]

    def notices(self) -> list[str]:
        """List the keys of june's own sentences, in order."""
        return [request.notice.key for request in self.asked("reply") if request.notice]

    def answers(self) -> list[str]:
        """List the answers that were delivered, in order."""
        return [request.text for request in self.asked("reply") if request.text]

    @activity.defn(name="fetch")
    async def fetch(self, request: FetchRequest) -> FetchedAudio:
        """Carry the locator on, as the audio's name."""
        answer: FetchedAudio = await self._play("fetch", request, FetchedAudio(audio=blob(request.source.locator)))
        return answer

    @activity.defn(name="transcribe")
    async def transcribe(self, request: TranscribeRequest) -> Transcript:
        """Hear the audio's name."""
        text = request.audio.key.rsplit("/", 1)[-1].removesuffix(".pcm")
        heard = Transcript(text=text, language="en", language_probability=1, seconds=1, engine_ms=1)
        answer: Transcript = await self._play("transcribe", request, heard)
        return answer

    @activity.defn(name="infer")
    async def infer(self, request: InferRequest) -> Inference:
        """Answer in two sentences."""
        said = request.messages[-1].content[:100]
        sentences = (f"You said {said}.", "That is all.")
        default = Inference(answer=" ".join(sentences), sentences=sentences, model="echo", finish_reason="stop")
        answer: Inference = await self._play("infer", request, default)
        return answer

    @activity.defn(name="synthesize")
    async def synthesize(self, request: SynthesizeRequest) -> Speech:
        """Speak nothing."""
        answer: Speech = await self._play("synthesize", request, Speech(audio=blob("speech"), engine_ms=1))
        return answer

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Delivered:
        """Deliver to nobody."""
        spoken = blob("reply") if request.speech else None
        default = Delivered(text_message="1", voice="sent" if spoken else "none", audio=spoken)
        answer: Delivered = await self._play("reply", request, default)
        return answer

    @activity.defn(name="accompany")
    async def accompany(self, request: ShowProgressRequest) -> None:
        """Show nothing."""
        await self._play("accompany", request, None)

    @activity.defn(name="retract")
    async def retract(self, request: RetractRequest) -> None:
        """Record what would be taken back."""
        await self._play("retract", request, None)

    @activity.defn(name="forget")
    async def forget(self, request: ForgetRequest) -> Forgotten:
        """Forget nothing."""
        answer: Forgotten = await self._play("forget", request, Forgotten(blobs=0, workflows=0))
        return answer


POLLERS: dict[str, Any] = {
    "activity_task_poller_behavior": PollerBehaviorSimpleMaximum(1),
    "workflow_task_poller_behavior": PollerBehaviorSimpleMaximum(2),
}
"""Few: each costs the server's time at the start and the end of each test."""


@asynccontextmanager
async def running(
    client: Client, world: World, without: tuple[str, ...] = (), platform: str = PLATFORM
) -> AsyncIterator[World]:
    """Run workers for all queues but those in ``without``."""
    queues: dict[str, dict[str, Any]] = {
        WORKFLOW_QUEUE: {
            "workflows": [Access, CodingTask, Conversation, IntegrationRun, VoiceMessage],
            "activities": [world.forget],
        },
        GPU_QUEUE: {"activities": [world.transcribe, world.infer]},
        CPU_QUEUE: {"activities": [world.synthesize, world.transcribe]},
        platform_queue(platform): {"activities": [world.fetch, world.reply, world.accompany, world.retract]},
    }
    async with AsyncExitStack() as stack:
        for queue, holds in queues.items():
            if queue not in without:
                worker = Worker(
                    client, task_queue=queue, max_heartbeat_throttle_interval=HEARTBEAT_TIMEOUT, **POLLERS, **holds
                )
                await stack.enter_async_context(worker)
        yield world


def refuse(code: ErrorCode, **params: float | int | str) -> Behaviour:
    """Behave as an activity that got bad input."""

    async def behaviour(request: object) -> None:
        raise BadInputError(code, "scripted", **params)

    return behaviour


def break_down(times: int) -> Behaviour:
    """Fail so many times in a way that a retry may mend."""
    left = [times]

    async def behaviour(request: object) -> None:
        if left[0] > 0:
            left[0] -= 1
            raise ConnectionError("scripted")

    return behaviour


def wait_for(event: asyncio.Event) -> Behaviour:
    """Work, with heartbeats, until the event is set or the task is cancelled."""

    async def behaviour(request: object) -> None:
        while not event.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.05)

    return behaviour


def signalling(*attempts: tuple[str, ...]) -> Callable[[Any], Awaitable[Inference]]:
    """Write one answer an attempt, a sentence signalled at a time; all attempts but the last break down."""

    async def behaviour(request: InferRequest) -> Inference:
        info = activity.info()
        sentences = attempts[info.attempt - 1]
        handle = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        for index, text in enumerate(sentences[:-1]):
            await handle.signal("sentence", Sentence(attempt=info.attempt, index=index, text=text))
        if info.attempt < len(attempts):
            raise ConnectionError("scripted")
        return Inference(
            answer=" ".join(sentences), sentences=sentences, model="m", finish_reason="stop", attempt=info.attempt
        )

    return behaviour
