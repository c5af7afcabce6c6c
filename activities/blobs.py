"""Audio by reference: a content-addressed store in a local folder, or in anything that speaks S3.

Keys are ``<platform>/<chat>/<sha256>.<ending>``: the chat so that it can be forgotten, the digest so that storing twice
is storing once and damage shows.
"""

import asyncio
import hashlib
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.values import BlobRef

_KEY = re.compile(r"(?P<folder>(?:[A-Za-z0-9._:@+-]{1,120}|~\.\.?)/){2}(?P<digest>[0-9a-f]{64})\.[a-z0-9]{1,8}")
_CONCURRENT_DELETIONS = 32


class BlobStore:
    """Writes, reads and deletes stored audio; nothing else in june does."""

    def __init__(self, store: ObjectStore) -> None:
        """Use a store of the obstore library; ``open`` makes one from a setting."""
        self._store = store

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
        return cls(LocalStore(folder, automatic_cleanup=True))

    async def put(
        self, platform: str, chat: str, data: bytes, *, mime: str, seconds: float, sample_rate: int, ending: str
    ) -> BlobRef:
        """Store audio; the same bytes again change nothing but their age.

        The store writes atomically: locally to a new file that is then renamed.
        """
        digest = await asyncio.to_thread(_digest, data)
        key = f"{folder_name(platform)}/{folder_name(chat)}/{digest}.{ending}"
        _parse_key(key)
        await obstore.put_async(self._store, key, data)
        return BlobRef(key=key, mime=mime, bytes=len(data), seconds=seconds, sample_rate=sample_rate)

    async def get(self, ref: BlobRef | str, max_bytes: int | None = None) -> bytes:
        """Read stored audio by reference or key.

        Raises:
            BadInputError: ``audio-missing``; ``audio-forbidden`` for what is no key; ``audio-too-large`` above
                ``max_bytes``; ``audio-unreadable`` when the content is not what was stored.

        """
        key = ref if isinstance(ref, str) else ref.key
        digest = _parse_key(key)
        try:
            found = await obstore.get_async(self._store, key)
        except FileNotFoundError:
            raise BadInputError(ErrorCode.AUDIO_MISSING, "The audio is not in the store (any more).") from None
        if max_bytes is not None and found.meta["size"] > max_bytes:
            message = f"The stored audio has more than {max_bytes} bytes."
            raise BadInputError(ErrorCode.AUDIO_TOO_LARGE, message, limit_bytes=max_bytes)
        data = bytes(await found.bytes_async())
        if await asyncio.to_thread(_digest, data) != digest:
            raise BadInputError(ErrorCode.AUDIO_UNREADABLE, "The stored audio is damaged: its digest is another.")
        return data

    async def delete_chat(self, platform: str, chat: str) -> int:
        """Delete all audio of a chat; return the number of files."""
        return await self._delete(await self._keys(f"{folder_name(platform)}/{folder_name(chat)}", None))

    async def delete_older_than(self, age: timedelta) -> int:
        """Delete all audio that was stored longer ago than ``age``; return the number of files."""
        return await self._delete(await self._keys(None, datetime.now(UTC) - age))

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
