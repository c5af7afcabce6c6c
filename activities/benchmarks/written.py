"""Read what an attempt has written: its answer, patch, failed checks and transcript."""

from typing import NamedTuple

from activities.benchmarks.attempts import Attempt
from activities.coding.errors import CodingError
from activities.coding.storage import CodingStorage, Transcripts
from activities.values import BlobRef
from agent.transcript import Entry

MAX_TEXT_BYTES = 8_000_000
"""Of an answer, a patch, or checks; what is larger counts as not stored."""


class Written(NamedTuple):
    """What an attempt has written; None is what it has not."""

    answer: str | None = None
    patch: str | None = None
    checks: str | None = None
    transcript: tuple[Entry, ...] | None = None
    missing: bool = False
    """Some of it is not stored any more."""


class WrittenReader:
    """Reads what attempts have written."""

    def __init__(self, storage: CodingStorage) -> None:
        """Read from this storage."""
        self._storage = storage
        self._transcripts = Transcripts(storage)

    async def read(self, attempt: Attempt) -> Written:
        """Read what is still stored."""
        refs = {"answer": attempt.answer, "patch": attempt.patch, "checks": attempt.checks}
        texts = {name: await self._text(ref) for name, ref in refs.items() if ref}
        transcript = await self._transcript(attempt.transcript) if attempt.transcript else None
        missing = None in texts.values() or bool(attempt.transcript and transcript is None)
        return Written(**texts, transcript=transcript, missing=missing)

    async def _text(self, ref: BlobRef) -> str | None:
        try:
            return (await self._storage.get(ref, MAX_TEXT_BYTES)).decode("utf-8", "replace")
        except CodingError:
            return None

    async def _transcript(self, ref: BlobRef) -> tuple[Entry, ...] | None:
        try:
            return await self._transcripts.read(ref)
        except (CodingError, ValueError, KeyError):  # deleted, or no transcript
            return None
