"""Platform ``file``: audio from the store or from permitted folders, replies as files in an outbox."""

import asyncio
import hashlib
import os
import shutil
import stat
from collections.abc import Set
from contextlib import suppress
from pathlib import Path

from activities.blobs import BlobStore, folder_name
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import Document, MessageText, VoiceNote
from activities.values import BLOB_SCHEME, Address, AudioSource

_OGG_ENDINGS = {".ogg", ".oga", ".opus"}
_REPLY_ENDINGS = {".txt", ".ogg", ".tmp"}
_FILES_ENDING = ".files"


class Outbox:
    """Folder where replies lie, as ``<chat>/<message>.txt`` and ``.ogg``, and files in ``<chat>/<message>.files/``."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; it is made with the first reply."""
        self._folder = folder.absolute()

    def path(self, chat: str, message: str, ending: str) -> Path:
        """Return where a reply lies, or will."""
        return self._folder / folder_name(chat) / f"{message}.{ending}"

    def delete(self, chat: str, messages: Set[str] | None, keep: Set[str] = frozenset()) -> None:
        """Delete the replies to some messages of a chat, or (None) all but those to keep."""
        folder = self._folder / folder_name(chat)
        if not folder.is_dir() or folder.is_symlink():
            return
        for file in folder.iterdir():
            if (messages is not None and file.stem not in messages) or file.stem in keep:
                continue
            if file.suffix in _REPLY_ENDINGS:
                file.unlink(missing_ok=True)
            elif file.suffix == _FILES_ENDING and file.is_dir() and not file.is_symlink():
                shutil.rmtree(file)
        with suppress(OSError):  # something else is in it
            folder.rmdir()


class FilePlatform:
    """A platform without a network; sending again overwrites the same file."""

    platform = "file"
    repeatable = True
    caption_limit = 0
    file_limit = 100_000_000

    def __init__(self, outbox: Path, roots: tuple[Path, ...], blobs: BlobStore) -> None:
        """Use folders and a store.

        Args:
            outbox: where replies are written.
            roots: folders from which audio may be read by path; relative paths start at the first.
            blobs: where audio with a locator ``blob:<key>`` lies.

        """
        self._outbox = outbox.absolute()
        self._replies = Outbox(outbox)
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

    async def send_text(self, to: Address, text: MessageText) -> str:
        """Write the text to the outbox; return the file's path."""
        path = self._replies.path(to.chat, to.message, "txt")
        await asyncio.to_thread(_write, path, text.plain.encode())
        return str(path)

    async def send_voice(self, to: Address, voice: VoiceNote) -> str:
        """Write the voice note to the outbox, and to the address's destination; return the path in the outbox.

        Raises:
            BadInputError: ``reply-failed``, the destination is not permitted or not there.

        """
        destination = await asyncio.to_thread(self._resolve, to.destination) if to.destination else None
        path = self._replies.path(to.chat, to.message, "ogg")
        await asyncio.to_thread(_write, path, voice.data)
        if destination is not None:
            await asyncio.to_thread(_replace, destination, voice.data)
        return str(path)

    async def send_file(self, to: Address, document: Document) -> str:
        """Write a file to the outbox; return its path."""
        path = self._replies.path(to.chat, to.message, _FILES_ENDING.removeprefix(".")) / document.name
        await asyncio.to_thread(_write, path, document.data)
        return str(path)

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
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _replace(path, data)


def _replace(path: Path, data: bytes) -> None:
    """Write a file in one step, readable by its owner alone.

    The draft is named by the content: of a process that is killed amid this, the next attempt takes the draft over.
    """
    digest = hashlib.sha256(path.name.encode() + b"\0" + data).hexdigest()
    draft = path.with_name(f".{digest[:32]}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
