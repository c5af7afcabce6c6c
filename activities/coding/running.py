"""Commands and tests of a coding task, each in a sandbox of its own."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from temporalio import activity

from activities.coding.errors import CodingError, as_coding_error
from activities.error_codes import CodingCode
from activities.heartbeats import heartbeats
from activities.sandbox.archive import Archive, ArchiveError
from activities.sandbox.sandbox import Command, ExecResult, Sandbox, SandboxError, Sandboxes, SandboxLimits
from agent.commands import find_test_command, shell
from agent.transcript import Entry, Task

BYTES_A_FILE = 3072
"""Of an archive, besides the file's content: headers and padding."""


class WorkspaceLimits(NamedTuple):
    """How large a workspace may be."""

    bytes: int
    files: int

    @property
    def archive_bytes(self) -> int:
        """Largest archive of such a workspace."""
        return self.bytes + self.files * BYTES_A_FILE + 1_000_000


class Runner:
    """Runs commands on workspaces, which are archives: what a command leaves is another one."""

    def __init__(self, sandboxes: Sandboxes, limits: SandboxLimits) -> None:
        """Run commands in these sandboxes, within the limits."""
        self.sandboxes = sandboxes
        self.workspace_limits = WorkspaceLimits(limits.workspace_bytes, limits.workspace_files)
        self._limits = limits

    async def load(self, archive: bytes) -> Archive:
        """Read a workspace."""
        return await asyncio.to_thread(Archive.load, archive, *self.workspace_limits)

    async def run(
        self, argv: tuple[str, ...], archive: bytes, seconds: float | None = None
    ) -> tuple[ExecResult, bytes]:
        """Run a command; return how it ended, and the workspace as it has left it, without what no workspace holds."""
        async with self._sandbox(archive) as sandbox:
            result, left = await sandbox.exec(Command(argv, seconds=seconds)), await sandbox.snapshot()
        return result, await asyncio.to_thread(lambda: Archive.load(left, *self.workspace_limits).dump())

    async def test(self, entries: Sequence[Entry], archive: bytes, paths: Sequence[str]) -> ExecResult | None:
        """Run the tests of a transcript's task, if it has any; what they write is not kept.

        Args:
            entries: the transcript.
            archive: the workspace.
            paths: of its files.

        """
        task = entries[0]
        if not isinstance(task, Task):
            raise CodingError(CodingCode.INTERNAL, "the transcript does not begin with a task")
        command = find_test_command(task, paths)
        if not command:
            return None
        async with self._sandbox(archive) as sandbox:
            return await sandbox.exec(Command(shell(command)))

    @asynccontextmanager
    async def _sandbox(self, archive: bytes) -> AsyncIterator[Sandbox]:
        info = activity.info()
        name = hashlib.sha256(f"{info.workflow_run_id}/{info.activity_id}/{info.attempt}".encode()).hexdigest()[:24]
        sandbox = await self.sandboxes.create(name, archive, self._limits)
        try:
            yield sandbox
        finally:
            await asyncio.shield(sandbox.destroy())


@asynccontextmanager
async def working() -> AsyncIterator[None]:
    """Send heartbeats while the block runs.

    Raises:
        CodingError: instead of failures of archives and sandboxes, with the same code.

    """
    async with heartbeats():
        try:
            yield
        except (ArchiveError, SandboxError) as error:
            raise as_coding_error(error) from error
