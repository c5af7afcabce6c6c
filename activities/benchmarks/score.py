"""Scores a submission: in a fresh sandbox, from the task's own files and the submission's, by a process beside it.

The checker gets the hidden checks and a token on its standard input, so that neither is in a file, an argument or an
environment. What counts is the line that begins with the token: no exit code, and nothing that is printed else.
"""

import asyncio
import hashlib
import inspect
import json
import re
import secrets
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import ModuleType
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from activities.benchmarks import checker, plain_values, remote, submission_process
from activities.sandbox.archive import Archive, ArchiveError, PathError
from activities.sandbox.sandbox import WORKSPACE, Command, ExecResult, SandboxError, Sandboxes, SandboxLimits
from agent.tasks.task import BenchmarkTask, TestRun

PYTHON = ("/usr/bin/env", "python3", "-I", "-S", "-B", "-c")
"""Isolated from the workspace and the environment: no ``sitecustomize``, no ``.pth``, no modules of the submission."""
BOOTSTRAP = """
import json, sys, types
request = json.load(sys.stdin)
for name in ("activities", "activities.benchmarks"):
    sys.modules[name] = types.ModuleType(name)
for name, source in request["modules"]:
    module = types.ModuleType("activities.benchmarks." + name)
    sys.modules[module.__name__] = module
    setattr(sys.modules["activities.benchmarks"], name, module)
    exec(compile(source, module.__name__, "exec"), module.__dict__)
getattr(sys.modules["activities.benchmarks"], request["main"]).main(*request["arguments"])
"""
CHECKER = (plain_values, remote, checker)
SUBMISSION = (plain_values, submission_process)
CALIBRATION_SECONDS = 300.0
STEERING = re.compile(
    r"(.*/)?(conftest\.py|\.?pytest\.(ini|toml)|tox\.ini|setup\.cfg|pyproject\.toml|(site|user)customize(\.py|/.*)|.*\.pth)"
)
"""Files that say how tests run: where tests run beside a submission, the task's own count, in lower case."""
TOKEN_BYTES = 24
MOST_TOLD = 300


class Outcome(StrEnum):
    """How a submission did."""

    SOLVED = "solved"
    WRONG = "wrong"
    TIMEOUT = "timeout"
    OOM = "oom"
    """Out of memory."""
    NO_SUBMISSION = "no_submission"
    """Nothing was changed, and that solves nothing."""
    SANDBOX_ERROR = "sandbox_error"
    """The sandbox failed, not the submission."""


class FailedCheck(BaseModel):
    """A check that has not passed."""

    model_config = ConfigDict(frozen=True)

    check: str
    why: str


class Score(BaseModel):
    """What the checker says, or why it says nothing."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    passed: int = 0
    total: int = 0
    """Checks; 0 where it came to none."""
    failed: tuple[FailedCheck, ...] = ()
    """The first of them, each in a line."""
    seconds: float = 0
    """Time of the submission's process."""
    checker_seconds: float = 0
    """Time of all else in the sandbox."""


class ScoringLimits(NamedTuple):
    """What a submission may use."""

    sandbox: SandboxLimits
    least_seconds: float = 10.0
    """A submission has as long at least, whatever the reference takes."""
    factor: float = 10.0
    """Times the reference's time."""
    spare_seconds: float = 30.0
    """Beside that: for the start, and for the checker's own work on a busy machine."""


class _Verdict(BaseModel):
    outcome: Outcome
    passed: int
    total: int
    failed: list[tuple[str, str]]
    seconds: float


class ReferenceFailedError(Exception):
    """A task's own reference does not solve it, so that nothing can be said of a submission."""

    def __init__(self, task: str, score: Score) -> None:
        """Keep the reference's score."""
        super().__init__(f"The reference of {task} does not solve it: {score.outcome}.")
        self.score = score


class Scorer:
    """Scores submissions; knows how long references take."""

    def __init__(self, sandboxes: Sandboxes, limits: ScoringLimits) -> None:
        """Begin with no reference run."""
        self._sandboxes = sandboxes
        self._limits = limits
        self._references: dict[str, Score] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def score(self, task: BenchmarkTask, submission: Mapping[str, str | bytes]) -> Score:
        """Score the files of a submission; the reference is run first, once for each task.

        Args:
            task: the task.
            submission: contents by path; what is at no path of a workspace is left out.

        Raises:
            ReferenceFailedError: the reference does not solve the task.
            SandboxError: ``sandbox-unavailable``.

        """
        reference = await self.reference(task)
        if reference.outcome == Outcome.SANDBOX_ERROR:
            return reference
        if reference.outcome != Outcome.SOLVED:
            raise ReferenceFailedError(task.id, reference)
        seconds = max(self._limits.least_seconds, self._limits.factor * reference.seconds)
        score = await self._run(task, submission, seconds, 3 * reference.checker_seconds + self._limits.spare_seconds)
        untouched = all(_bytes(task.files.get(path, "")) == _bytes(data) for path, data in submission.items())
        if untouched and score.outcome not in (Outcome.SOLVED, Outcome.SANDBOX_ERROR):
            return score.model_copy(update={"outcome": Outcome.NO_SUBMISSION})
        return score

    async def reference(self, task: BenchmarkTask) -> Score:
        """Return the score of the task's own reference.

        Raises:
            SandboxError: ``sandbox-unavailable``.

        """
        key = hashlib.sha256(task.model_dump_json().encode()).hexdigest()
        async with self._locks.setdefault(key, asyncio.Lock()):
            score = self._references.get(key)
            if score is None:
                files = task.files | task.reference
                score = await self._run(task, files, CALIBRATION_SECONDS, CALIBRATION_SECONDS)
                if score.outcome != Outcome.SANDBOX_ERROR:
                    self._references[key] = score
            return score

    async def _run(
        self, task: BenchmarkTask, submission: Mapping[str, str | bytes], seconds: float, checker_seconds: float
    ) -> Score:
        token = secrets.token_hex(TOKEN_BYTES)
        limits = self._limits.sandbox._replace(seconds=seconds + checker_seconds)
        request = {
            "modules": sources(CHECKER),
            "main": "checker",
            "arguments": [
                {
                    "token": token,
                    "bootstrap": BOOTSTRAP,
                    "modules": sources(SUBMISSION),
                    "folder": WORKSPACE,
                    "seconds": seconds,
                    "checks": task.scoring.model_dump(mode="json"),
                }
            ],
        }
        try:
            archive = _tree(task, submission, limits)
        except ArchiveError as error:
            told = FailedCheck(check="before the checks", why=str(error))
            return Score(outcome=Outcome.WRONG, failed=(told,))
        sandbox = await self._sandboxes.create(f"score-{secrets.token_hex(8)}", archive, limits)
        try:
            result = await sandbox.exec(Command((*PYTHON, BOOTSTRAP), json.dumps(request).encode()))
        except SandboxError as error:
            if error.code == "sandbox-unavailable":
                raise
            told = FailedCheck(check="before the checks", why=str(error))
            return Score(outcome=Outcome.SANDBOX_ERROR, failed=(told,))
        finally:
            await asyncio.shield(sandbox.destroy())
        return read_verdict(result, token)


def read_verdict(result: ExecResult, token: str) -> Score:
    """Read what the checker says; where it says nothing, how it ended.

    A submission that ends the checker is wrong: it gains nothing by it.
    """
    for line in result.output.splitlines():
        if line.startswith(f"{token} "):
            try:
                verdict = _Verdict.model_validate_json(line.removeprefix(token))
            except ValidationError:
                break
            oom = verdict.outcome == Outcome.WRONG and result.out_of_memory
            return Score(
                outcome=Outcome.OOM if oom else verdict.outcome,
                passed=verdict.passed,
                total=verdict.total,
                failed=tuple(FailedCheck(check=check, why=why) for check, why in verdict.failed),
                seconds=verdict.seconds,
                checker_seconds=max(0.0, result.seconds - verdict.seconds),
            )
    outcome = Outcome.OOM if result.out_of_memory else Outcome.TIMEOUT if result.timed_out else Outcome.WRONG
    said = " ".join(result.output.split())[-MOST_TOLD:]
    return Score(outcome=outcome, failed=(FailedCheck(check="all", why=f"the checker gave no verdict: {said}"),))


def _tree(task: BenchmarkTask, submission: Mapping[str, str | bytes], limits: SandboxLimits) -> bytes:
    """Pack the task's own files, those of the submission, and the tests that run beside it."""
    archive = Archive(limits.workspace_bytes, limits.workspace_files)
    hidden: Mapping[str, str] = {}
    if isinstance(task.scoring, TestRun):
        hidden = task.scoring.files
        submission = {path: data for path, data in submission.items() if not STEERING.fullmatch(path.lower())}
    for path, data in {**task.files, **submission, **hidden}.items():
        try:
            archive.write(path, _bytes(data))
        except PathError:
            continue
    return archive.dump()


def _bytes(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode("utf-8", "replace")


@cache
def sources(modules: tuple[ModuleType, ...]) -> list[tuple[str, str]]:
    """Return names and sources of modules that run in the sandbox."""
    return [(module.__name__.rpartition(".")[2], inspect.getsource(module)) for module in modules]
