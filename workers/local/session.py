"""Talk to june from the command line: files in, spoken replies out, through a Conversation like any chat."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from obstore.exceptions import BaseError
from pydantic import BaseModel
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError

from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.values import BLOB_SCHEME, AudioSource, BlobRef
from bots.intake import accept, result_of
from workers.errors import JuneError
from workers.local import instance
from workers.local.home import explain_os_error
from workers.local.stack import Embedded, Progress
from workers.roles.role import Role
from workers.settings import PROJECT, AudioSettings, EmbeddedSettings, StorageSettings, TelemetrySettings, WebSettings
from workers.temporal import connect
from workflows.names import voice_message_id
from workflows.voice.contracts import VoiceMessageRequest, VoiceMessageResult

PLATFORM = "file"
QUESTION = PROJECT / "workers" / "assets" / "question.ogg"
"""A spoken question; see the LICENCES.md beside it."""


class TurnReport(BaseModel):
    """What ``june talk`` prints of a turn."""

    transcript: str
    language: str | None
    answer: str
    reply: str | None
    """Path of the spoken reply (Ogg/Opus, 48 kHz, mono)."""
    reply_seconds: float
    workflow_id: str
    web_ui: str | None
    """Link to the turn in the Temporal Web UI; None where june serves none."""
    ms: dict[str, int]
    """Milliseconds by stage, and ``total``."""
    error: str | None
    """Error code."""


@dataclass(frozen=True)
class Session:
    """A june that answers: where it runs, and where its audio lies."""

    client: Client
    ui_url: str | None
    blobs: BlobStore
    max_bytes: int
    """Largest file that june takes."""

    @classmethod
    def of(cls, stack: Embedded) -> "Session":
        """Open a session with a stack that this process runs."""
        blobs = BlobStore.open(StorageSettings(home=stack.home).blobs)
        return cls(stack.client, stack.ui_url, blobs, AudioSettings().max_bytes)

    def link(self, workflow_id: str) -> str | None:
        """Return a link to a workflow in the Web UI, where there is one."""
        if self.ui_url is None:
            return None
        return f"{self.ui_url}/namespaces/{self.client.namespace}/workflows/{quote(workflow_id, safe='')}"

    async def upload(self, file: Path, chat: str) -> AudioSource:
        """Store a file, so that it may be moved or deleted; one that is too large is not even read.

        Raises:
            JuneError: the file cannot be read, or not be stored.

        """
        try:
            size = (await asyncio.to_thread(file.stat)).st_size
            if size > self.max_bytes:
                return AudioSource(locator=f"too-large:{file.name}"[:2000], claimed_bytes=size)
            data = await asyncio.to_thread(file.read_bytes)
        except OSError as error:
            raise JuneError(f"{file} cannot be read: {error.strerror}.") from error
        try:
            stored = await self.blobs.put(
                PLATFORM, chat, data, mime="application/octet-stream", seconds=0, sample_rate=0, ending="upload"
            )
        except (OSError, BaseError) as error:
            raise JuneError(f"{file} cannot be stored: {error}. `june doctor` says more.") from error
        return AudioSource(locator=f"{BLOB_SCHEME}{stored.key}", claimed_bytes=size)

    async def download(self, reply: BlobRef, file: Path) -> None:
        """Write a spoken reply to a file.

        Raises:
            JuneError: the file cannot be written.

        """
        audio = await self.blobs.get(reply)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(file.write_bytes, audio)
        except OSError as error:
            raise JuneError(f"The reply cannot be written to {file}: {error.strerror}.") from error


@asynccontextmanager
async def open_session(on_ready: Callable[[Progress], None], optional: Sequence[Role] = ()) -> AsyncIterator[Session]:
    """Connect to the june that runs, here or at TEMPORAL_ADDRESS; when none does, run it for as long as the block.

    ``optional`` are the roles that it then runs with, beside those that a conversation needs.

    Raises:
        JuneError: it could not be reached or started.

    """
    storage, max_bytes = StorageSettings(), AudioSettings().max_bytes
    try:
        blobs = BlobStore.open(storage.blobs)
    except OSError as error:
        raise explain_os_error(error, storage.home) from error
    telemetry = TelemetrySettings(metrics_address="")  # the address in the environment is that of a worker
    state = instance.running(storage.home)
    if state:
        client = await connect(telemetry, address=state.temporal_address)
        yield Session(client, state.ui_url, blobs, max_bytes)
    elif os.environ.get("TEMPORAL_ADDRESS") or os.environ.get("TEMPORAL_CONFIG_FILE"):
        ui_url = WebSettings().ui_url.rstrip("/") or f"http://localhost:{EmbeddedSettings().ui_port}"
        yield Session(await connect(telemetry), ui_url, blobs, max_bytes)
    else:
        async with Embedded(optional=optional, on_ready=on_ready) as stack:
            yield Session(stack.client, stack.ui_url, blobs, max_bytes)


async def talk(session: Session, file: Path, chat: str, out: Path | None) -> TurnReport:
    """Send what is in the file, and wait for the reply.

    Args:
        session: the june that answers.
        file: any audio file that june takes.
        chat: the conversation; the same name again is the same memory.
        out: where the reply is written; None leaves it in the outbox.

    Raises:
        JuneError: the file cannot be read, or the reply not written.

    """
    message, audio = f"{time.time_ns():x}", await session.upload(file, chat)
    workflow_id = voice_message_id(PLATFORM, chat, message)
    await accept(
        session.client,
        VoiceMessageRequest(platform=PLATFORM, chat=chat, message=message, sender=chat, audio=audio),
    )
    try:
        result = await result_of(session.client, PLATFORM, chat, message)
    except WorkflowFailureError as error:  # lost, or cancelled
        result = VoiceMessageResult(status="failed", error=ErrorCode.CANCELLED, answer=str(error.cause))
    except asyncio.CancelledError:
        with suppress(RPCError):  # it may not have started, and then its conversation answers it later
            await session.client.get_workflow_handle(workflow_id).cancel()
        raise
    reply = out or StorageSettings().outbox / chat / f"{message}.ogg"
    if result.reply:
        await session.download(result.reply, reply)
    return TurnReport(
        transcript=result.transcript,
        language=result.language,
        answer=result.answer,
        reply=str(reply) if result.reply else None,
        reply_seconds=result.reply.seconds if result.reply else 0,
        workflow_id=workflow_id,
        web_ui=session.link(workflow_id),
        ms={stage.value: ms for stage, ms in result.stage_ms.items()} | {"total": result.total_ms},
        error=result.error.value if result.error else None,
    )


def numbered(out: Path, number: int, of: int) -> Path:
    """Return the path of the reply to one of several files: ``reply-2.ogg`` for the second of three."""
    return out if of == 1 else out.with_stem(f"{out.stem}-{number}")


def default_chat() -> str:
    """Return the name of a new conversation."""
    return "talk-" + hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:8]
