"""Talk to june from the command line: files in, spoken replies out, through a Conversation like any chat."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError

from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.values import AudioSource
from bots.intake import accept, result_of
from workers.errors import JuneError
from workers.local import instance
from workers.local.stack import Embedded, Progress
from workers.ports import LOOPBACK
from workers.settings import PROJECT, AudioSettings, EmbeddedSettings, StorageSettings, TelemetrySettings
from workers.temporal import connect
from workflows.names import voice_message_id
from workflows.voice.contracts import VoiceMessageRequest, VoiceMessageResult

PLATFORM = "file"
QUESTION = PROJECT / "workers" / "assets" / "question.ogg"
"""A spoken question; see the LICENCES.md beside it."""


class TurnReport(BaseModel):
    """What ``june talk`` tells of a turn."""

    transcript: str
    language: str | None
    answer: str
    reply: str | None
    """Path of the spoken reply (Ogg/Opus, 48 kHz, mono)."""
    reply_seconds: float
    workflow_id: str
    web_ui: str
    """Link to the turn in the Temporal Web UI."""
    ms: dict[str, int]
    """Milliseconds by stage, and ``total``."""
    error: str | None
    """Error code."""


@dataclass(frozen=True)
class Line:
    """An open line to june: where it runs, and where its audio lies."""

    client: Client
    ui_url: str
    blobs: BlobStore
    max_bytes: int

    @classmethod
    def of(cls, stack: Embedded) -> "Line":
        """Open a line to a stack that this process runs."""
        blobs = BlobStore.open(StorageSettings(home=stack.home).blobs)
        return cls(stack.client, stack.ui_url, blobs, AudioSettings().max_bytes)

    def link(self, workflow_id: str) -> str:
        """Make a link to a workflow in the Web UI."""
        return f"{self.ui_url}/namespaces/{self.client.namespace}/workflows/{quote(workflow_id, safe='')}"


@asynccontextmanager
async def open_line(on_ready: Callable[[Progress], None]) -> AsyncIterator[Line]:
    """Reach the june that runs, here or at TEMPORAL_ADDRESS; when none does, run it for as long as the block.

    Raises:
        JuneError: it could not be reached or started.

    """
    storage, max_bytes = StorageSettings(), AudioSettings().max_bytes
    blobs = BlobStore.open(storage.blobs)
    telemetry = TelemetrySettings(metrics_address="")  # the address in the environment is that of a worker
    state = instance.running(storage.home)
    if state:
        client = await connect(telemetry, address=state.temporal_address)
        yield Line(client, state.ui_url, blobs, max_bytes)
    elif _elsewhere():
        ui_url = f"http://{LOOPBACK}:{EmbeddedSettings().ui_port}"
        yield Line(await connect(telemetry), ui_url, blobs, max_bytes)
    else:
        async with Embedded(optional=(), on_ready=on_ready) as stack:
            yield Line(stack.client, stack.ui_url, blobs, max_bytes)


def _elsewhere() -> bool:
    """Tell whether the environment names a Temporal server of its own."""
    return bool(os.environ.get("TEMPORAL_ADDRESS") or os.environ.get("TEMPORAL_CONFIG_FILE"))


async def talk(line: Line, file: Path, chat: str, out: Path | None) -> TurnReport:
    """Say what is in the file, and wait for the reply.

    Args:
        line: the way to june.
        file: any audio file that june takes.
        chat: the conversation; the same name again is the same memory.
        out: where the reply is written; None leaves it in the outbox.

    Raises:
        JuneError: the file cannot be read, or the reply not written.

    """
    message = f"{time.time_ns():x}"
    request = VoiceMessageRequest(
        platform=PLATFORM, chat=chat, message=message, sender=chat, audio=await _upload(line, file, chat)
    )
    await accept(line.client, request)
    workflow_id = voice_message_id(PLATFORM, chat, message)
    try:
        result = await _result(line.client, chat, message)
    except asyncio.CancelledError:
        with suppress(RPCError):  # it may not have started, and then its conversation answers it later
            await line.client.get_workflow_handle(workflow_id).cancel()
        raise
    return await _report(line, workflow_id, result, out or _outbox(chat, message))


async def _upload(line: Line, file: Path, chat: str) -> AudioSource:
    """Store the file, so that it may be moved or deleted; one that is too large is not even read."""
    try:
        size = (await asyncio.to_thread(file.stat)).st_size
        if size > line.max_bytes:
            return AudioSource(locator=f"too-large:{file.name}"[:2000], claimed_bytes=size)
        data = await asyncio.to_thread(file.read_bytes)
    except OSError as error:
        raise JuneError(f"{file} cannot be read: {error.strerror}.") from error
    stored = await line.blobs.put(
        PLATFORM, chat, data, mime="application/octet-stream", seconds=0, sample_rate=0, ending="upload"
    )
    return AudioSource(locator=f"blob:{stored.key}", claimed_bytes=size)


async def _result(client: Client, chat: str, message: str) -> VoiceMessageResult:
    """Wait for the turn; one that was lost or cancelled has an error."""
    try:
        return await result_of(client, PLATFORM, chat, message)
    except WorkflowFailureError as error:
        return VoiceMessageResult(status="failed", error=ErrorCode.CANCELLED, answer=str(error.cause))


async def _report(line: Line, workflow_id: str, result: VoiceMessageResult, out: Path) -> TurnReport:
    if result.reply:
        audio = await line.blobs.get(result.reply)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(out.write_bytes, audio)
        except OSError as error:
            raise JuneError(f"The reply cannot be written to {out}: {error.strerror}.") from error
    return TurnReport(
        transcript=result.transcript,
        language=result.language,
        answer=result.answer,
        reply=str(out) if result.reply else None,
        reply_seconds=result.reply.seconds if result.reply else 0,
        workflow_id=workflow_id,
        web_ui=line.link(workflow_id),
        ms={stage.value: ms for stage, ms in result.stage_ms.items()} | {"total": result.total_ms},
        error=result.error.value if result.error else None,
    )


def _outbox(chat: str, message: str) -> Path:
    return StorageSettings().outbox / chat / f"{message}.ogg"


def numbered(out: Path, number: int, of: int) -> Path:
    """Name the reply to one of several files: ``reply.ogg``, or ``reply-2.ogg`` for the second of three."""
    return out if of == 1 else out.with_stem(f"{out.stem}-{number}")


def default_chat() -> str:
    """Name a conversation of this call's own."""
    return "talk-" + hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:8]
