"""What a coding task stores: workspaces, transcripts, outputs, patches, each by reference."""

import json
from collections import OrderedDict

from temporalio.exceptions import ApplicationError

from activities.blobs import BlobStore
from activities.coding.errors import CodingError
from activities.error_codes import CodingCode, ErrorCode
from activities.values import BlobRef, Identifier, Value
from agent.transcript import Entry, dump, load

MAX_TRANSCRIPT_BYTES = 4_000_000
"""Of one piece of a transcript."""
CACHED = 64
"""Transcripts that are kept in memory; each is some hundred kilobytes at most."""
WORKSPACE_ENDING = "tar"
_GONE = frozenset({ErrorCode.AUDIO_MISSING.value, ErrorCode.AUDIO_UNREADABLE.value, ErrorCode.AUDIO_TOO_LARGE.value})


class Owner(Value):
    """Whose files they are: a chat, which ``/forget`` deletes, or the task itself."""

    platform: Identifier = "code"
    chat: Identifier
    """Of platform ``code``: the task's name."""
    thread: Identifier | None = None


class CodingStorage:
    """Stores and reads the files of coding tasks."""

    def __init__(self, blobs: BlobStore) -> None:
        """Use a blob store."""
        self._blobs = blobs

    async def put(self, owner: Owner, data: bytes, mime: str, ending: str) -> BlobRef:
        """Store bytes; the same again change nothing but their age."""
        return await self._blobs.put(
            *(owner.platform, owner.chat, data),
            mime=mime,
            seconds=0,
            sample_rate=0,
            ending=ending,
            thread=owner.thread,
        )

    async def put_workspace(self, owner: Owner, archive: bytes) -> BlobRef:
        """Store a workspace's archive."""
        return await self.put(owner, archive, "application/x-tar", WORKSPACE_ENDING)

    async def delete(self, ref: BlobRef) -> None:
        """Delete what is stored, if it still is."""
        await self._blobs.delete(ref)

    async def get(self, ref: BlobRef, max_bytes: int) -> bytes:
        """Read what is stored.

        Raises:
            CodingError: ``workspace-missing``, it is deleted, damaged, or larger than anything that june stores.

        """
        try:
            return await self._blobs.get(ref, max_bytes)
        except ApplicationError as error:
            if error.type in _GONE:
                message = f"{ref.key.rpartition('/')[2]} is not in the store any more, or is damaged."
                raise CodingError(CodingCode.WORKSPACE_MISSING, message) from error
            raise


class Transcripts:
    """Transcripts as chains: each piece holds what a step has added, and the reference to the piece before it.

    So a step stores what it adds, however long the transcript has become. What was read once is kept in memory.
    """

    def __init__(self, storage: CodingStorage) -> None:
        """Keep transcripts in this storage."""
        self._storage = storage
        self._known: OrderedDict[str, tuple[Entry, ...]] = OrderedDict()

    async def append(self, owner: Owner, before: BlobRef | None, entries: tuple[Entry, ...]) -> BlobRef:
        """Store entries after those of ``before``; return the reference to the whole."""
        head = json.dumps({"before": before.model_dump() if before else None}).encode()
        ref = await self._storage.put(owner, head + b"\n" + dump(entries), "application/jsonl", "jsonl")
        if before is None or before.key in self._known:
            self._keep(ref, (*(self._known[before.key] if before else ()), *entries))
        return ref

    async def read(self, ref: BlobRef) -> tuple[Entry, ...]:
        """Read a transcript, the oldest entry first.

        Raises:
            CodingError: ``workspace-missing``, a piece of it is deleted.

        """
        pieces: list[tuple[Entry, ...]] = []
        piece: BlobRef | None = ref
        while piece:
            if (known := self._known.get(piece.key)) is not None:
                pieces.append(known)
                break
            head, _, lines = (await self._storage.get(piece, MAX_TRANSCRIPT_BYTES)).partition(b"\n")
            pieces.append(load(lines))
            before = json.loads(head)["before"]
            piece = BlobRef.model_validate(before) if before else None
        entries = tuple(entry for part in reversed(pieces) for entry in part)
        self._keep(ref, entries)
        return entries

    def _keep(self, ref: BlobRef, entries: tuple[Entry, ...]) -> None:
        self._known[ref.key] = entries
        self._known.move_to_end(ref.key)
        while len(self._known) > CACHED:
            self._known.popitem(last=False)
