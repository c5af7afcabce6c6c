"""Prepare a workspace: copy a folder, take a stored archive, or begin with nothing."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from temporalio import activity

from activities.coding.errors import CodingError
from activities.coding.running import Runner, working
from activities.coding.storage import CodingStorage, Owner, Transcripts
from activities.error_codes import CodingCode
from activities.sandbox.archive import Archive, Packed, pack
from activities.values import BlobRef, Value
from agent.observations import opening
from agent.transcript import Entry, Observation, Task

MAX_LISTED = 200
"""Files that the model is told of at first; it can list more by itself."""
MAX_SKIPPED = 20
"""Of what was left out, named in the result."""


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

    def __init__(self, storage: CodingStorage, transcripts: Transcripts, runner: Runner, roots: Sequence[Path]) -> None:
        """Copy folders that lie below ``roots``, up to the runner's limits."""
        self._storage = storage
        self._transcripts = transcripts
        self._runner = runner
        self._roots = [root.resolve() for root in roots]

    @activity.defn
    async def prepare(self, request: PrepareRequest) -> Prepared:
        """Store the workspace, and a transcript that begins with the task, small files, and how the tests go now.

        Raises:
            CodingError: ``workspace-...``, ``archive-damaged`` or ``sandbox-...``.

        """
        async with working():
            isolation = await self._runner.sandboxes.isolation()
            archive, skipped = await self._archive(request)
            data = await asyncio.to_thread(archive.dump)
            workspace = await self._storage.put_workspace(request.owner, data)
            paths = archive.paths()
            task = Task(text=request.task, test_command=request.test_command, files=tuple(paths[:MAX_LISTED]))
            entries: tuple[Entry, ...] = (task,)
            tests = await self._runner.test(entries, data, paths) if paths else None
            if known := await asyncio.to_thread(opening, request.task, archive, tests):
                entries = (task, Observation(step=0, text=known))
            transcript = await self._transcripts.append(request.owner, None, entries)
        return Prepared(
            workspace=workspace,
            transcript=transcript,
            files=len(paths),
            skipped=skipped[:MAX_SKIPPED],
            isolation=", ".join((isolation.backend, *isolation.holds)),
        )

    async def _archive(self, request: PrepareRequest) -> tuple[Archive, tuple[str, ...]]:
        limits = self._runner.workspace_limits
        if request.workspace:
            return await self._runner.load(await self._storage.get(request.workspace, limits.archive_bytes)), ()
        if request.folder:
            packed = await asyncio.to_thread(self._pack, request.folder)
            return await self._runner.load(packed.data), packed.skipped
        return Archive(*limits), ()

    def _pack(self, folder: str) -> Packed:
        path = Path(folder).expanduser().resolve()
        if not any(path.is_relative_to(root) for root in self._roots):
            message = f"{folder} does not lie below a folder that JUNE_CODE_ROOTS names."
            raise CodingError(CodingCode.WORKSPACE_FORBIDDEN, message)
        if not path.is_dir():
            raise CodingError(CodingCode.WORKSPACE_MISSING, f"{folder} is not a folder.")
        return pack(path, *self._runner.workspace_limits)
