"""Act: carry out an action in a sandbox; a workspace goes in, and another comes out."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from temporalio import activity

from activities.coding.errors import CodingError
from activities.coding.running import Runner, working
from activities.coding.storage import CodingStorage, Owner, Transcripts
from activities.error_codes import CodingCode
from activities.sandbox.sandbox import ExecResult
from activities.values import BlobRef, Value
from agent.actions import Action, Finish, Run, RunTests, Search
from agent.commands import argv, passed
from agent.files import apply
from agent.finishing import refusal
from agent.limits import observation_digest
from agent.observations import NO_TESTS, of_change, of_command, of_tests, outcome_in_a_line
from agent.transcript import Entry, Observation, Turn, cut

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

    def __init__(self, storage: CodingStorage, transcripts: Transcripts, runner: Runner) -> None:
        """Run commands with this runner."""
        self._storage = storage
        self._transcripts = transcripts
        self._runner = runner

    @activity.defn
    async def act(self, request: ActRequest) -> Acted:
        """Carry out the last turn's action. Not idempotent: it is tried once.

        Raises:
            CodingError: ``sandbox-unavailable``, ``sandbox-died``, ``workspace-missing`` or ``archive-damaged``.

        """
        started = time.monotonic()
        async with working():
            before = await self._storage.get(request.workspace, self._runner.workspace_limits.archive_bytes)
            if request.superseded:
                await self._storage.delete(request.superseded)
            outcome = await self._perform(await self._transcripts.read(request.transcript), before)
            workspace = request.workspace
            if outcome.archive != before:
                workspace = await self._storage.put_workspace(request.owner, outcome.archive)
            observation = Observation(step=request.step, text=cut(outcome.text))
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
        async with working():
            archive = await self._storage.get(request.workspace, self._runner.workspace_limits.archive_bytes)
            tests = await self._test(await self._transcripts.read(request.transcript), archive)
        return Verified(passed=tests and passed(tests), line=outcome_in_a_line(tests)[:LINE_CHARS] if tests else "")

    async def _perform(self, entries: Sequence[Entry], before: bytes) -> _Outcome:
        action = _last_action(entries)
        if isinstance(action, Run | Search):
            seconds = action.seconds if isinstance(action, Run) else None
            result, after = await self._runner.run(argv(action), before, seconds)
            told = "\n\n".join([of_command(action, result), *result.remarks])
            return _Outcome(told, outcome_in_a_line(result), after)
        if isinstance(action, RunTests):
            tests = await self._test(entries, before)
            return _tested(of_tests(tests), tests, before)
        if isinstance(action, Finish):
            paths = (await self._runner.load(before)).paths()
            tests = await self._runner.test(entries, before, paths)
            refused = refusal(entries, tests, paths)
            return _tested(refused or "The task is done.", tests, before)._replace(done=refused is None)
        archive = await self._runner.load(before)
        applied = apply(action, archive)
        if not applied.changed:
            return _Outcome(applied.text, applied.text.partition("\n")[0], before)
        after = await asyncio.to_thread(archive.dump)
        # Small models do better where each change is followed by what the tests say.
        tests = await self._runner.test(entries, after, archive.paths())
        return _tested(of_change(applied, tests), tests, after)

    async def _test(self, entries: Sequence[Entry], archive: bytes) -> ExecResult | None:
        return await self._runner.test(entries, archive, (await self._runner.load(archive)).paths())


def _tested(text: str, tests: ExecResult | None, archive: bytes) -> _Outcome:
    if tests is None:
        return _Outcome(text, NO_TESTS, archive)
    return _Outcome(text, outcome_in_a_line(tests), archive, passed(tests))


def _last_action(entries: Sequence[Entry]) -> Action:
    last = entries[-1]
    if isinstance(last, Turn) and last.action:
        return last.action
    raise CodingError(CodingCode.INTERNAL, "the transcript does not end with an action")
