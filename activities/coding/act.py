"""Act: carry out an action in a sandbox; a workspace goes in, and another comes out."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from temporalio import activity

from activities.coding.errors import CodingError, as_coding_error
from activities.coding.prepare import WorkspaceLimits, archive_bytes
from activities.coding.storage import CodingStorage, Owner, Transcripts
from activities.error_codes import CodingCode
from activities.heartbeats import heartbeats
from activities.sandbox.archive import Archive, ArchiveError
from activities.sandbox.sandbox import Command, ExecResult, Sandbox, SandboxError, Sandboxes, SandboxLimits
from activities.values import BlobRef, Value
from agent.actions import Action, Finish, Run, RunTests, Search
from agent.commands import argv, describe, describe_tests, in_a_line, passed, shell, test_command
from agent.files import apply
from agent.finishing import refusal
from agent.limits import observation_digest
from agent.transcript import Entry, Observation, Task, Turn

LINE_CHARS = 120


class ActRequest(Value):
    """Which step to carry out: the last turn of the transcript."""

    owner: Owner
    step: int
    transcript: BlobRef
    workspace: BlobRef
    """As it is before the step."""
    superseded: BlobRef | None = None
    """A workspace that nothing needs any more, which is deleted."""


class Acted(Value):
    """What came of it, in short; the whole is in the transcript."""

    transcript: BlobRef
    workspace: BlobRef
    """As it is after the step."""
    line: str
    """On one line: ``Exit code 1``, ``2 failed, 1 passed``."""
    digest: str
    """Equal for equal observations."""
    tests_passed: bool | None = None
    """None where no tests were run."""
    done: bool = False
    """The agent says that it is done, and that counts."""
    seconds: float = 0.0


class VerifyRequest(Value):
    """Whose tests to run, on which workspace."""

    transcript: BlobRef
    workspace: BlobRef


class Verified(Value):
    """How the tests went."""

    passed: bool | None
    """None: there are no tests."""
    line: str


class _Outcome(NamedTuple):
    text: str
    line: str
    archive: bytes
    tests_passed: bool | None = None
    done: bool = False


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
            outcome = await self._perform(await self._transcripts.read(request.transcript), before)
            workspace = request.workspace
            if outcome.archive != before:
                workspace = await self._storage.put_workspace(request.owner, outcome.archive)
            observation = Observation(step=request.step, text=outcome.text)
            transcript = await self._transcripts.append(request.owner, request.transcript, (observation,))
        return Acted(
            transcript=transcript,
            workspace=workspace,
            line=outcome.line[:LINE_CHARS],
            digest=observation_digest(outcome.text),
            tests_passed=outcome.tests_passed,
            done=outcome.done,
            seconds=round(time.monotonic() - started, 2),
        )

    @activity.defn
    async def verify(self, request: VerifyRequest) -> Verified:
        """Run the task's tests in a fresh sandbox; what they write is not kept.

        Raises:
            CodingError: as ``act``.

        """
        async with heartbeats(), _errors_named():
            archive = await self._storage.get(request.workspace, archive_bytes(self._workspace_limits))
            result = await self._tests(await self._transcripts.read(request.transcript), archive)
        return Verified(passed=result and passed(result), line=in_a_line(result)[:LINE_CHARS] if result else "")

    async def _perform(self, entries: Sequence[Entry], before: bytes) -> _Outcome:
        action = _last_action(entries)
        if isinstance(action, Run | Search):
            async with self._sandbox(before) as sandbox:
                command = Command(argv(action), seconds=action.seconds if isinstance(action, Run) else None)
                result = await sandbox.exec(command)
                after = await sandbox.snapshot() if isinstance(action, Run) else before
            return _Outcome(describe(action, result), in_a_line(result), after)
        if isinstance(action, RunTests | Finish):
            result_or_none = await self._tests(entries, before)
            return _of_tests(action, entries, result_or_none, before)
        archive = await self._load(before)
        text = apply(action, archive)
        after = await asyncio.to_thread(archive.dump)
        tests = await self._tests(entries, after) if after != before else None
        if tests is None:
            return _Outcome(text, text.partition("\n")[0], after)
        # Small models do better where each change is followed by what the tests say.
        return _Outcome(f"{text}\n\n{describe_tests(tests)}", in_a_line(tests), after, passed(tests))

    async def _tests(self, entries: Sequence[Entry], archive: bytes) -> ExecResult | None:
        """Run the task's tests, if it has any; what they write is not kept."""
        task = entries[0]
        if not isinstance(task, Task):
            raise CodingError(CodingCode.INTERNAL, "the transcript does not begin with a task")
        command = test_command(task, (await self._load(archive)).paths())
        if not command:
            return None
        async with self._sandbox(archive) as sandbox:
            return await sandbox.exec(Command(shell(command)))

    async def _load(self, archive: bytes) -> Archive:
        return await asyncio.to_thread(Archive.load, archive, *self._workspace_limits)

    @asynccontextmanager
    async def _sandbox(self, archive: bytes) -> AsyncIterator[Sandbox]:
        info = activity.info()
        name = hashlib.sha256(f"{info.workflow_run_id}/{info.activity_id}/{info.attempt}".encode()).hexdigest()[:24]
        sandbox = await self._sandboxes.create(name, archive, self._limits)
        try:
            yield sandbox
        finally:
            await asyncio.shield(sandbox.destroy())


def _of_tests(action: RunTests | Finish, entries: Sequence[Entry], tests: ExecResult | None, before: bytes) -> _Outcome:
    line, tests_passed = (in_a_line(tests), passed(tests)) if tests else ("no tests", None)
    if isinstance(action, Finish):
        refused = refusal(entries, tests)
        return _Outcome(refused or "The task is done.", line, before, tests_passed, done=refused is None)
    told = describe_tests(tests) if tests else "There are no tests yet: write some, in a file test_NAME.py."
    return _Outcome(told, line, before, tests_passed)


def _last_action(entries: Sequence[Entry]) -> Action:
    last = entries[-1]
    if isinstance(last, Turn) and last.action:
        return last.action
    raise CodingError(CodingCode.INTERNAL, "the transcript does not end with an action")


@asynccontextmanager
async def _errors_named() -> AsyncIterator[None]:
    """Raise failures of workspaces and sandboxes with their codes."""
    try:
        yield
    except (ArchiveError, SandboxError) as error:
        raise as_coding_error(error) from error
