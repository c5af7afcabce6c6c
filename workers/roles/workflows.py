"""The workflows worker: all workflows, the activities ``forget`` and ``measure_turns``, and the retention of audio."""

import logging
from datetime import timedelta

from temporalio.client import Client

from activities.blobs import BlobStore
from activities.forget import ForgetActivity
from activities.platforms.file import Outbox
from activities.speech.turns import TurnsActivity
from workers.clients.talk import FileTalk
from workers.errors import UnavailableError
from workers.roles.retention import delete_old_audio
from workers.roles.spec import WorkerSpec
from workers.settings import StorageSettings
from workers.temporal import ensure_search_attributes
from workflows.access.workflow import Access
from workflows.benchmarks.attempt import AttemptWorkflow
from workflows.benchmarks.workflow import Benchmark
from workflows.coding.workflow import CodingTask
from workflows.testruns.workflow import IntegrationRun
from workflows.voice.conversation import Conversation
from workflows.voice.voice_message import VoiceMessage

_log = logging.getLogger(__name__)

WORKFLOWS = (Access, AttemptWorkflow, Benchmark, CodingTask, Conversation, IntegrationRun, VoiceMessage)


async def build(client: Client) -> WorkerSpec:
    """Add june's search attributes where the namespace lacks them, and open the audio store."""
    try:
        await ensure_search_attributes(client)
    except UnavailableError as error:
        _log.warning("%s", error)  # where only an operator may add them, they may well be there
    storage = StorageSettings()
    blobs = BlobStore.open(storage.blobs)
    outbox = Outbox(storage.outbox)
    return WorkerSpec(
        slots=3,
        workflows=WORKFLOWS,
        activities=[
            ForgetActivity(blobs, client, outbox).forget,
            TurnsActivity(FileTalk(client, blobs, outbox)).measure_turns,
        ],
        background=lambda: delete_old_audio(blobs, timedelta(hours=storage.retention_hours)),
    )
