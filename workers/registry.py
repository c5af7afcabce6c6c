"""Which workflow and which activity runs on which queue: one builder a worker kind.

Heavy libraries are imported inside the builder that needs them, so that each process holds only its own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio.client import Client
from temporalio.worker import PollerBehaviorSimpleMaximum, Worker

from workers.connection import ensure_search_attributes
from workers.errors import UnavailableError
from workers.kinds import Kind
from workers.settings import (
    AudioSettings,
    EmbeddedSettings,
    LlmSettings,
    PiperSettings,
    StorageSettings,
    WhisperSettings,
    WorkerSettings,
)
from workers.telemetry import StageMetrics
from workers.work import Work

if TYPE_CHECKING:
    from activities.synthesize import Synthesizer

_log = logging.getLogger(__name__)

HEARTBEAT_THROTTLE = timedelta(seconds=1)
"""Cancellation reaches an activity with its heartbeats, so they must not be held back for long."""
STICKY = timedelta(seconds=2)
"""A workflow whose worker died waits so long before another takes it (the SDK's default is 10 s)."""
ACTIVITY_POLLERS = 2
WORKFLOW_POLLERS = 4


def workflow_types() -> tuple[type, ...]:
    """List the workflows, all on one queue; imported here, as only their own worker needs them."""
    from workflows.access import Access
    from workflows.conversation import Conversation
    from workflows.integration import IntegrationRun
    from workflows.voice_message import VoiceMessage

    return (Access, Conversation, IntegrationRun, VoiceMessage)


def build_worker(kind: Kind, client: Client, work: Work) -> Worker:
    """Build the Temporal worker: fixed slots, few pollers, time to finish what runs when told to stop."""
    settings = WorkerSettings()
    return Worker(
        client,
        task_queue=kind.queue,
        workflows=work.workflows,
        activities=work.activities,
        interceptors=[StageMetrics()],
        max_concurrent_activities=work.slots,
        activity_task_poller_behavior=PollerBehaviorSimpleMaximum(ACTIVITY_POLLERS),
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(WORKFLOW_POLLERS),
        max_cached_workflows=settings.max_cached_workflows,
        sticky_queue_schedule_to_start_timeout=STICKY,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=timedelta(seconds=settings.shutdown_seconds),
    )


async def _workflows(client: Client) -> Work:
    from activities.blobs import BlobStore
    from activities.forget import ForgetActivity
    from workers.housekeeping import delete_old_audio

    try:
        await ensure_search_attributes(client)
    except UnavailableError as error:
        _log.warning("%s", error)  # where only an operator may add them, they may well be there
    storage = StorageSettings()
    blobs = BlobStore.open(storage.blobs)
    return Work(
        slots=2,
        workflows=workflow_types(),
        activities=[ForgetActivity(blobs, client).forget],
        chore=lambda: delete_old_audio(blobs, timedelta(hours=storage.retention_hours)),
    )


async def _gpu(_client: Client) -> Work:
    slots = WorkerSettings().gpu_slots
    if not WorkerSettings().has_engines:
        from workers.engines.noop import NoopInfer

        return Work(slots=slots, activities=[await _transcribe(), NoopInfer().infer])
    from activities.infer import InferActivity
    from workers.engines.model_client import build_client, warm_up

    llm = LlmSettings()
    model = build_client(llm, EmbeddedSettings())
    infer = InferActivity(
        model, llm.model, llm.first_token_seconds, llm.max_answer_chars, thinks_first=llm.thinks_first
    )
    return Work(
        slots=slots,
        activities=[await _transcribe(), infer.infer],
        # Beside the work: the model's server is ready or not by itself, and speech is recognized without it.
        chore=lambda: warm_up(model, llm),
    )


async def _transcribe() -> Callable[..., Any]:
    from activities.blobs import BlobStore
    from activities.transcribe import TranscribeActivity

    blobs = BlobStore.open(StorageSettings().blobs)
    if not WorkerSettings().has_engines:
        from workers.engines.noop import NoopRecognizer

        return TranscribeActivity(NoopRecognizer(), blobs).transcribe
    from workers.engines.whisper import WhisperRecognizer

    recognizer = await asyncio.to_thread(WhisperRecognizer, WhisperSettings(), StorageSettings())
    return TranscribeActivity(recognizer, blobs).transcribe


async def _cpu(_client: Client) -> Work:
    from activities.blobs import BlobStore
    from activities.synthesize import SynthesizeActivity

    blobs = BlobStore.open(StorageSettings().blobs)
    activities = [SynthesizeActivity(await _synthesizer(), blobs, AudioSettings().reply_bit_rate).synthesize]
    if WorkerSettings().cpu_transcribe:
        activities.append(await _transcribe())
    return Work(slots=PiperSettings().parallel, activities=activities)


async def _synthesizer() -> "Synthesizer":
    if not WorkerSettings().has_engines:
        from workers.engines.noop import NoopSynthesizer

        return NoopSynthesizer()
    from workers.engines.piper import PiperSynthesizer

    return await asyncio.to_thread(PiperSynthesizer, PiperSettings(), StorageSettings())


async def _file(_client: Client) -> Work:
    from activities.blobs import BlobStore
    from activities.file_edge import FileEdge
    from workers.platforms.edge import edge_activities

    storage = StorageSettings()
    edge = FileEdge(storage.outbox, storage.file_roots, BlobStore.open(storage.blobs))
    return Work(slots=WorkerSettings().edge_slots, activities=edge_activities(edge))


async def _telegram(client: Client) -> Work:
    from workers.platforms.telegram import build

    return await build(client)


async def _discord(client: Client) -> Work:
    from workers.platforms.discord import build

    return await build(client)


async def _web(client: Client) -> Work:
    from workers.platforms.web import build

    return await build(client)


async def _tests(client: Client) -> Work:
    from workers.integration_worker import build

    return await build(client)


BUILDERS: dict[Kind, Callable[[Client], Awaitable[Work]]] = {
    Kind.WORKFLOWS: _workflows,
    Kind.GPU: _gpu,
    Kind.CPU: _cpu,
    Kind.FILE: _file,
    Kind.TELEGRAM: _telegram,
    Kind.DISCORD: _discord,
    Kind.WEB: _web,
    Kind.TESTS: _tests,
}
