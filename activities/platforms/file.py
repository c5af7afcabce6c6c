"""Platform ``file``: audio from the store or from permitted folders, replies as files in an outbox."""

import asyncio
import os
import stat
import uuid
from contextlib import suppress
from pathlib import Path

from activities.blobs import BlobStore, folder_name
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import VoiceNote
from activities.values import BLOB_SCHEME, Address, AudioSource

_OGG_ENDINGS = {".ogg", ".oga", ".opus"}


class FilePlatform:
    """A platform without a network; sending again overwrites the same file."""

    platform = "file"
    repeatable = True
    caption_limit = 0

    def __init__(self, outbox: Path, roots: tuple[Path, ...], blobs: BlobStore) -> None:
        """Use folders and a store.

        Args:
            outbox: where replies are written, as ``<chat>/<message>.txt`` and ``.ogg``.
            roots: folders from which audio may be read by path; relative paths start at the first.
            blobs: where audio with a locator ``blob:<key>`` lies.

        """
        self._outbox = outbox.absolute()
        self._roots = tuple(root.resolve() for root in roots)
        self._blobs = blobs

    async def download(self, source: AudioSource, max_bytes: int) -> bytes:
        """Read a stored blob or a permitted file.

        Raises:
            BadInputError: ``audio-missing``, ``audio-forbidden``, ``audio-too-large``.

        """
        if source.locator.startswith(BLOB_SCHEME):
            return await self._blobs.get(source.locator.removeprefix(BLOB_SCHEME), max_bytes)
        return await asyncio.to_thread(self._read_file, source.locator, max_bytes + 1)

    def _read_file(self, locator: str, size: int) -> bytes:
        """Read the first bytes of a regular file; a pipe or a device would block, or never end."""
        try:
            path = (self._roots[0] / locator if self._roots else Path(locator)).resolve()
        except (OSError, ValueError, RuntimeError):  # a loop of links, a zero byte
            raise _audio_forbidden() from None
        if not any(path.is_relative_to(root) for root in self._roots):
            raise _audio_forbidden()
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise BadInputError(ErrorCode.AUDIO_MISSING, "The audio file is not there.") from None
        except OSError:
            raise _audio_forbidden() from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _audio_forbidden()
        with os.fdopen(descriptor, "rb") as file:
            return file.read(size)

    async def send_text(self, to: Address, text: str) -> str:
        """Write the text to the outbox; return the file's path."""
        path = self._outbox_path(to, "txt")
        await asyncio.to_thread(_write, path, text.encode())
        return str(path)

    async def send_voice(self, to: Address, voice: VoiceNote) -> str:
        """Write the voice note to the outbox, and to the address's destination; return the path in the outbox.

        Raises:
            BadInputError: ``reply-failed``, the destination is not permitted or not there.

        """
        destination = await asyncio.to_thread(self._resolve, to.destination) if to.destination else None
        path = self._outbox_path(to, "ogg")
        await asyncio.to_thread(_write, path, voice.data)
        if destination is not None:
            await asyncio.to_thread(_replace, destination, voice.data)
        return str(path)

    def _outbox_path(self, to: Address, ending: str) -> Path:
        return self._outbox / folder_name(to.chat) / f"{to.message}.{ending}"

    def _resolve(self, destination: str) -> Path:
        """Resolve a reply's destination; refuse what is outside the permitted folders, or no Ogg file."""
        path = self._outbox / destination
        try:
            path = path.parent.resolve(strict=True) / path.name
        except (OSError, ValueError, RuntimeError):
            message = "The folder of the reply's destination is not there."
            raise BadInputError(ErrorCode.REPLY_FAILED, message) from None
        if not any(path.is_relative_to(root) for root in (*self._roots, self._outbox.resolve())):
            message = "The reply's destination is outside the permitted folders."
            raise BadInputError(ErrorCode.REPLY_FAILED, message)
        if path.suffix not in _OGG_ENDINGS or path.is_dir() or "\0" in path.name:
            message = f"The reply's destination must be a file named {', '.join(sorted(_OGG_ENDINGS))}."
            raise BadInputError(ErrorCode.REPLY_FAILED, message)
        return path


def _audio_forbidden() -> BadInputError:
    return BadInputError(ErrorCode.AUDIO_FORBIDDEN, "The audio is not a file in a permitted folder.")


def _write(path: Path, data: bytes) -> None:
    """Write into the outbox, whose folders are for their owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _replace(path, data)


def _replace(path: Path, data: bytes) -> None:
    """Write a file in one step, readable by its owner alone."""
    draft = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
