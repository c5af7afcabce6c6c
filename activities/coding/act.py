"""Act: carry out an action in a sandbox; a workspace goes in, and another comes out."""

import asyncio
import hashlib
import re
import time
from contextlib import asynccontextmanager
from collections.abc import AsyncIterator
from typing import NamedTuple

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.coding.errors import CodingError, as_coding_error
from activities.coding.prepare import WorkspaceLimits, archive_bytes
from activities.coding.storage import CodingStorage, Owner, Transcripts
from activities.error_codes import CodingCode
from activities.heartbeats import heartbeats
from activities.sandbox.archive import Archive, ArchiveError
from activities.sandbox.sandbox import Command, ExecResult, Sandbox, Sandboxes, SandboxError, SandboxLimits
from activities.values import BlobRef, Value
from agent.actions import Action, Edit, Read, Run, RunTests, Search, Write
from agent.files import apply
from agent.observations import of_command, of_search, of_tests
from agent.transcript import Observation, Turn

DEFAULT_TESTS = "python3 -m pytest -q"
"""Where a task names no tests, and the workspace has some."""
_TEST_FILE = re.compile(r"(?:.*/)?(?:test_[^/]*|[^/]*_test)\.py")
MAX_TAIL_CHARS = 2000
"""Of the output of tests, in a result: its end."""


class ActRequest(Value):
    """Which step to carry out: the last turn of the transcript."""

    owner: Owner
    step: int
    transcript: BlobRef
    workspace: BlobRef
    """As it is before the step."""
    superseded: BlobRef | None = None
    """A workspace that nothing needs any more, which is deleted."""
    test_command: str | None = None


class Acted(Value):
    """What came of it, in short; the whole is in the transcript."""

    transcript: BlobRef
    workspace: BlobRef
    """As it is after the step."""
    line: str
    """On one line: ``exit code 1``, ``2 failed``."""
    digest: str
    """Equal for equal observations."""
    tests_passed: bool | None = None
    """None where no tests were run."""
    seconds: float = 0.0


class VerifyRequest(Value):
    """Which tests to run on which workspace."""

    owner: Owner
    workspace: BlobRef
    test_command: str | None = None


class Verified(Value):
    """How the tests went."""

    passed: bool | None
    """None: there are no tests."""
    line: str
    output: str = ""
    """Its end, at most 2,000 characters."""
    test_command: str = ""


class _Outcome(NamedTuple):
    text: str
    line: str
    archive: bytes
    tests_passed: bool | None = None


class SandboxActivities:
    """The activities ``act`` and ``verify``."""

    def __init__(
        self, storage: CodingStorage, transcripts: Transcripts, sandboxes: Sandboxes, limits: SandboxLimits
    ) -> None:
        """Run commands in these sandboxes, within the limits."""
        self._storage = storage
        self._transcripts = transcripts
        self._sandboxes = sandboxes
        self._limits = limits
        self._workspace_limits = WorkspaceLimits(limits.workspace_bytes, limits.workspace_files)

    @activity.defn
    async def act(self, request: ActRequest) -> Acted:
        """Carry out the last turn's action. Not idempotent: it is tried once.

        Raises:
            CodingError: ``sandbox-unavailable``, ``sandbox-died``, ``workspace-missing`` or ``archive-damaged``.

        """
        started = time.monotonic()
        async with heartbeats(), _errors_named():
            before = await self._storage.get(request.workspace, archive_bytes(self._workspace_limits))
            if request.superseded:
                await self._storage.delete(request.superseded)
            action = _last_action((await self._transcripts.read(request.transcript))[-1])
            outcome = await self._perform(action, before, request)
            workspace = request.workspace
            if outcome.archive is not before:
                workspace = await self._storage.put_workspace(request.owner, outcome.archive)
            observation = Observation(step=request.step, text=outcome.text)
            transcript = await self._transcripts.append(request.owner, request.transcript, (observation,))
        return Acted(
            transcript=transcript,
            workspace=workspace,
            line=outcome.line,
            digest=hashlib.sha256(outcome.text.encode()).hexdigest()[:16],
            tests_passed=outcome.tests_passed,
            seconds=round(time.monotonic() - started, 2),
        )

    @activity.defn
    async def verify(self, request: VerifyRequest) -> Verified:
        """Run the tests in a fresh sandbox; what they write is not kept.

        Raises:
            CodingError: as ``act``.

        """
        async with heartbeats(), _errors_named():
            data = await self._storage.get(request.workspace, archive_bytes(self._workspace_limits))
            archive = await asyncio.to_thread(Archive.load, data, *self._workspace_limits)
            command = request.test_command or default_tests(archive.paths())
            if not command:
                return Verified(passed=None, line="no tests")
            result = await self._tests(command, data)
        text = of_tests(result.exit_code, result.output, timed_out=result.timed_out)
        passed = result.exit_code == 0
        return Verified(passed=passed, line=_line(result), output=text[-MAX_TAIL_CHARS:], test_command=command)

    async def _perform(self, action: Action, before: bytes, request: ActRequest) -> _Outcome:
        if isinstance(action, Run):
            async with self._sandbox(before) as sandbox:
                result = await sandbox.exec(Command(("bash", "-c", action.command), seconds=action.seconds))
                after = await sandbox.snapshot()
            return _Outcome(_told(result), _line(result), after if after != before else before)
        if isinstance(action, Search):
            argv = ("grep", "-rnIE", "--max-count=50", "-e", action.pattern, "--", action.path)
            async with self._sandbox(before) as sandbox:
                result = await sandbox.exec(Command(argv))
            found = of_search(result.exit_code, result.output)
            return _Outcome(found, f"{len(result.output.splitlines())} lines", before)
        archive = await asyncio.to_thread(Archive.load, before, *self._workspace_limits)
        command = request.test_command or default_tests(archive.paths())
        if isinstance(action, RunTests):
            if not command:
                return _Outcome("There are no tests yet: write some, in a file test_NAME.py.", "no tests", before)
            return await self._with_tests("", command, before)
        if isinstance(action, Read | Write | Edit):
            text = apply(action, archive)
            after = await asyncio.to_thread(archive.dump)
            if isinstance(action, Read) or after == before:
                return _Outcome(text, text.partition("\n")[0][:120], before)
            command = request.test_command or default_tests(archive.paths())
            # Small models do better where each change is followed by what the tests say.
            return await self._with_tests(text, command, after) if command else _Outcome(text, "written", after)
        raise CodingError(CodingCode.INTERNAL, f"{action.tool} is no action of a sandbox")

    async def _with_tests(self, text: str, command: str, archive: bytes) -> _Outcome:
        result = await self._tests(command, archive)
        told = of_tests(result.exit_code, result.output, timed_out=result.timed_out)
        return _Outcome(f"{text}\n\n{told}".strip(), _line(result), archive, result.exit_code == 0)

    async def _tests(self, command: str, archive: bytes) -> ExecResult:
        async with self._sandbox(archive) as sandbox:
            return await sandbox.exec(Command(("bash", "-c", command)))

    @asynccontextmanager
    async def _sandbox(self, archive: bytes) -> AsyncIterator[Sandbox]:
        info = activity.info()
        name = hashlib.sha256(f"{info.workflow_run_id}/{info.activity_id}/{info.attempt}".encode()).hexdigest()[:24]
        sandbox = await self._sandboxes.create(name, archive, self._limits)
        try:
            yield sandbox
        finally:
            await asyncio.shield(sandbox.destroy())


def default_tests(paths: list[str]) -> str | None:
    """Return the command for the tests of a workspace with these files; None where there are none."""
    return DEFAULT_TESTS if any(_TEST_FILE.fullmatch(path) for path in paths) else None


def _last_action(entry: object) -> Action:
    if isinstance(entry, Turn) and entry.action:
        return entry.action
    raise CodingError(CodingCode.INTERNAL, "the transcript does not end with an action")


@asynccontextmanager
async def _errors_named() -> AsyncIterator[None]:
    """Raise failures of workspaces and sandboxes with their codes."""
    try:
        yield
    except (ArchiveError, SandboxError) as error:
        raise as_coding_error(error) from error


def _told(result: ExecResult) -> str:
    return of_command(
        result.exit_code,
        result.output,
        timed_out=result.timed_out,
        out_of_memory=result.out_of_memory,
        seconds=result.seconds,
    )


def _line(result: ExecResult) -> str:
    """Return how a command ended: what tests say last, or its exit code."""
    last = (result.output.strip().splitlines() or [""])[-1].strip("= ")[:100]
    if result.timed_out:
        return f"out of time after {result.seconds:.0f} s"
    if result.out_of_memory:
        return "out of memory"
    if re.search(r"\d+ (passed|failed|error)", last):
        return last
    return "exit code " + ("?" if result.exit_code is None else str(result.exit_code))
