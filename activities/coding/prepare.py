"""Prepare a workspace: copy a folder, take a stored archive, or begin with nothing."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from temporalio import activity

from activities.coding.errors import CodingError, as_coding_error
from activities.coding.storage import CodingStorage, Owner, Transcripts
from activities.error_codes import CodingCode
from activities.heartbeats import heartbeats
from activities.sandbox.archive import Archive, ArchiveError, Packed, pack
from activities.sandbox.sandbox import SandboxError, Sandboxes
from activities.values import BlobRef, Value
from agent.files import overview
from agent.transcript import Entry, Observation, Task

MAX_LISTED = 200
"""Files that the model is told of at first; it can list more by itself."""
OVERVIEW_CHARS = 6000
"""Of small files whose contents it is told at first."""
MAX_SKIPPED = 20
"""Of what was left out, named in the result."""


class WorkspaceLimits(NamedTuple):
    """How large a workspace may be."""

    bytes: int
    files: int


class PrepareRequest(Value):
    """Whose workspace it is, what it holds at first, and what is to be done in it."""

    owner: Owner
    task: str
    test_command: str | None = None
    folder: str | None = None
    """Copied by the worker; below one of ``JUNE_CODE_ROOTS``."""
    workspace: BlobRef | None = None
    """An archive that a client has stored; neither this nor a folder is an empty workspace."""


class Prepared(Value):
    """The workspace at first."""

    workspace: BlobRef
    transcript: BlobRef
    files: int
    skipped: tuple[str, ...] = ()
    """What was left out, and why; at most 20."""
    isolation: str
    """In a line: the backend, and what is in force."""


class PrepareActivity:
    """The activity ``prepare``."""

    def __init__(
        self,
        storage: CodingStorage,
        transcripts: Transcripts,
        sandboxes: Sandboxes,
        limits: WorkspaceLimits,
        roots: Sequence[Path],
    ) -> None:
        """Copy folders that lie below ``roots``, up to the limits."""
        self._storage = storage
        self._transcripts = transcripts
        self._sandboxes = sandboxes
        self._limits = limits
        self._roots = [root.resolve() for root in roots]

    @activity.defn
    async def prepare(self, request: PrepareRequest) -> Prepared:
        """Store the workspace and the beginning of the transcript; check that commands can be isolated.

        Raises:
            CodingError: ``workspace-...``, ``archive-damaged`` or ``sandbox-unavailable``.

        """
        async with heartbeats():
            try:
                isolation = await self._sandboxes.isolation()
                archive, skipped = await self._archive(request)
            except (ArchiveError, SandboxError) as error:
                raise as_coding_error(error) from error
            paths = archive.paths()
            workspace = await self._storage.put_workspace(request.owner, await asyncio.to_thread(archive.dump))
            task = Task(text=request.task, test_command=request.test_command, files=tuple(paths[:MAX_LISTED]))
            entries: tuple[Entry, ...] = (task,)
            if contents := overview(archive, OVERVIEW_CHARS):
                entries = (task, Observation(step=0, text=contents))
            transcript = await self._transcripts.append(request.owner, None, entries)
        return Prepared(
            workspace=workspace,
            transcript=transcript,
            files=len(paths),
            skipped=skipped[:MAX_SKIPPED],
            isolation=", ".join((isolation.backend, *isolation.holds)),
        )

    async def _archive(self, request: PrepareRequest) -> tuple[Archive, tuple[str, ...]]:
        limits = self._limits
        if request.workspace:
            data = await self._storage.get(request.workspace, archive_bytes(limits))
            return await asyncio.to_thread(Archive.load, data, limits.bytes, limits.files), ()
        if request.folder:
            packed = await asyncio.to_thread(self._pack, request.folder)
            return await asyncio.to_thread(Archive.load, packed.data, limits.bytes, limits.files), packed.skipped
        return Archive(), ()

    def _pack(self, folder: str) -> Packed:
        path = Path(folder).expanduser().resolve()
        if not any(path.is_relative_to(root) for root in self._roots):
            message = f"{folder} does not lie below a folder that JUNE_CODE_ROOTS names."
            raise CodingError(CodingCode.WORKSPACE_FORBIDDEN, message)
        if not path.is_dir():
            raise CodingError(CodingCode.WORKSPACE_MISSING, f"{folder} is not a folder.")
        return pack(path, self._limits.bytes, self._limits.files)


def archive_bytes(limits: WorkspaceLimits) -> int:
    """Return how many bytes the archive of a workspace within the limits has at most: headers and padding included."""
    return limits.bytes + limits.files * 3072 + 1_000_000
