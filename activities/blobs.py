"""Audio by reference: a content-addressed store in a local folder, or in anything that speaks S3.

Keys are ``<platform>/<chat>/<sha256>.<ending>``, of a topic ``<platform>/<chat>/<thread>/<sha256>.<ending>``: the chat
and the thread so that each can be forgotten by itself, the digest so that storing twice is storing once and damage
shows. The same sound in two topics is stored twice, as one of them may be forgotten.
"""

import asyncio
import hashlib
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.values import BlobRef

_FOLDER = r"(?:[A-Za-z0-9._:@+-]{1,120}|~\.\.?)"
_KEY = re.compile(rf"(?:{_FOLDER}/){{2,3}}(?P<digest>[0-9a-f]{{64}})\.[a-z0-9]{{1,8}}")
_HALF = re.compile(rf"{_KEY.pattern}#\d+")
"""Name in a folder of what is being written; obstore lists none of these."""
HALF_AGE = timedelta(hours=1)
"""What is older is written no more: its process was killed."""
_CONCURRENT_DELETIONS = 32
KEPT = "bench"
"""Platform whose files no age deletes: results of benchmarks."""
AWAY = "audio-store-away"
"""Type of the error when the whole store is not there; the turn's code is that of its stage."""


class BlobStore:
    """Writes, reads and deletes stored audio; nothing else in june does."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        """Use a store of the obstore library, and the folder that it is in, if any; ``open`` makes one of a setting."""
        self._store = store
        self._folder = folder

    @classmethod
    def open(cls, url_or_path: str | Path) -> "BlobStore":
        """Open ``s3://bucket/prefix`` (credentials as AWS tools find them), ``memory://``, or a folder.

        A folder is made when it is missing, for its owner alone.
        """
        url = str(url_or_path)
        if url.startswith("s3://"):
            return cls(S3Store.from_url(url))
        if url == "memory://":
            return cls(MemoryStore())
        folder = Path(url.removeprefix("file://")).expanduser().absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        return cls(LocalStore(folder, automatic_cleanup=True), folder)

    async def put(
        self,
        platform: str,
        chat: str,
        data: bytes,
        *,
        mime: str,
        seconds: float,
        sample_rate: int,
        ending: str,
        thread: str | None = None,
    ) -> BlobRef:
        """Store audio; the same bytes again change nothing but their age.

        The store writes atomically: locally to a new file that is then renamed.

        Raises:
            ApplicationError: ``audio-store-away``, to be retried: what is put beside a disk that is not mounted, or a
                folder that was moved, nobody finds once that is back.

        """
        await self._require_folder()
        digest = await asyncio.to_thread(_digest, data)
        key = f"{_folder(platform, chat, thread)}/{digest}.{ending}"
        _parse_key(key)
        await obstore.put_async(self._store, key, data)
        return BlobRef(key=key, mime=mime, bytes=len(data), seconds=seconds, sample_rate=sample_rate)

    async def get(self, ref: BlobRef | str, max_bytes: int | None = None) -> bytes:
        """Read stored audio by reference or key.

        Raises:
            BadInputError: ``audio-missing``, by a key that somebody names; ``audio-forbidden`` for what is no key;
                ``audio-too-large`` above ``max_bytes``; ``audio-unreadable`` when the content is not what was stored.
            ApplicationError: to be retried: ``audio-missing``, by the reference to what june itself has stored;
                ``audio-store-away``.

        """
        key = ref if isinstance(ref, str) else ref.key
        digest = _parse_key(key)
        try:
            found = await obstore.get_async(self._store, key)
        except FileNotFoundError:
            await self._require_folder()
            message = "The audio is not in the store (any more)."
            if isinstance(ref, BlobRef):
                raise ApplicationError(message, type=ErrorCode.AUDIO_MISSING.value) from None
            raise BadInputError(ErrorCode.AUDIO_MISSING, message) from None
        if max_bytes is not None and found.meta["size"] > max_bytes:
            message = f"The stored audio has more than {max_bytes} bytes."
            raise BadInputError(ErrorCode.AUDIO_TOO_LARGE, message, limit_bytes=max_bytes)
        data = bytes(await found.bytes_async())
        if await asyncio.to_thread(_digest, data) != digest:
            raise BadInputError(ErrorCode.AUDIO_UNREADABLE, "The stored audio is damaged: its digest is another.")
        return data

    async def _require_folder(self) -> None:
        if self._folder and not await asyncio.to_thread(self._folder.is_dir):
            raise ApplicationError("The audio store's folder is not there.", type=AWAY)

    async def delete(self, ref: BlobRef) -> bool:
        """Delete one file; return whether it was there.

        Raises:
            BadInputError: ``audio-forbidden`` for what is no key.

        """
        _parse_key(ref.key)
        return await self._delete_one(ref.key)

    async def delete_chat(self, platform: str, chat: str) -> int:
        """Delete all audio of a chat and of its topics; return the number of files."""
        folder = _folder(platform, chat)
        await asyncio.to_thread(self._delete_halves, folder, deep=True)
        return await self._delete(await self._keys(folder, None))

    async def delete_conversation(self, platform: str, chat: str, thread: str | None) -> int:
        """Delete the audio of one topic, or (None) all of a chat that is of none; return the number of files."""
        folder = _folder(platform, chat, thread)
        await asyncio.to_thread(self._delete_halves, folder)
        keys = await self._keys(folder, None)
        return await self._delete([key for key in keys if key.rpartition("/")[0] == folder])

    async def delete_older_than(self, age: timedelta) -> int:
        """Delete all audio that was stored longer ago than ``age``; return the number of files.

        What benchmarks have stored is kept.
        """
        await asyncio.to_thread(self._delete_halves, "", deep=True, age=HALF_AGE)
        keys = await self._keys(None, datetime.now(UTC) - age)
        return await self._delete([key for key in keys if not key.startswith(f"{KEPT}/")])

    def _delete_halves(self, prefix: str, *, deep: bool = False, age: timedelta = timedelta()) -> None:
        """Delete what killed processes have written by half in a folder, or (``deep``) anywhere below it; blocks."""
        if self._folder is None:
            return
        oldest = datetime.now(UTC) - age
        for path in (self._folder / prefix).glob("**/*#*" if deep else "*#*"):
            if _HALF.fullmatch(str(path.relative_to(self._folder))):
                with suppress(FileNotFoundError):  # it was finished meanwhile
                    if datetime.fromtimestamp(path.stat().st_mtime, UTC) <= oldest:
                        path.unlink()

    async def _keys(self, prefix: str | None, before: datetime | None) -> list[str]:
        keys = []
        async for page in obstore.list(self._store, prefix=prefix):
            keys += [blob["path"] for blob in page if before is None or blob["last_modified"] < before]
        return [key for key in keys if _KEY.fullmatch(key)]  # other files in that folder stay

    async def _delete(self, keys: list[str]) -> int:
        deleted = 0
        for start in range(0, len(keys), _CONCURRENT_DELETIONS):
            deleted += sum(await asyncio.gather(*map(self._delete_one, keys[start : start + _CONCURRENT_DELETIONS])))
        return deleted

    async def _delete_one(self, key: str) -> bool:
        with suppress(FileNotFoundError):  # it was deleted meanwhile
            await obstore.delete_async(self._store, key)
            return True
        return False


def _folder(platform: str, chat: str, thread: str | None = None) -> str:
    """Return the folder of a conversation.

    Raises:
        BadInputError: ``audio-forbidden``, one of these is no identifier.

    """
    names = [folder_name(name) for name in (platform, chat, thread) if name is not None]
    if not all(re.fullmatch(_FOLDER, name) for name in names):
        raise BadInputError(ErrorCode.AUDIO_FORBIDDEN, "That is no conversation of the audio store.")
    return "/".join(names)


def folder_name(identifier: str) -> str:
    """Return an identifier as the name of a folder: only ``.`` and ``..`` mean something else there."""
    return f"~{identifier}" if identifier in {".", ".."} else identifier


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _parse_key(key: str) -> str:
    """Parse a key; return the digest in it.

    Raises:
        BadInputError: ``audio-forbidden``, it is no key of this store.

    """
    match = _KEY.fullmatch(key)
    if match is None or {".", ".."} & set(key.split("/")):
        raise BadInputError(ErrorCode.AUDIO_FORBIDDEN, "That is no key of the audio store.")
    return match["digest"]
