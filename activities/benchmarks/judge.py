"""Judge an attempt: take the submission out of what the model has left, and score it."""

import asyncio
import time
from collections.abc import Mapping

from temporalio import activity

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import AttemptOutcome, Pinned
from activities.benchmarks.score import ReferenceFailedError, Score, Scorer
from activities.benchmarks.task_files import TaskFiles
from activities.coding.errors import CodingError
from activities.coding.running import WorkspaceLimits, working
from activities.coding.storage import CodingStorage, Owner
from activities.error_codes import CodingCode
from activities.sandbox.archive import Archive, ArchiveError, PathError
from activities.sandbox.changes import changes
from activities.values import BlobRef, Value
from agent.tasks.answers import submission
from agent.tasks.examples import example_tests
from agent.tasks.task import BenchmarkTask, Files

MAX_ANSWER_BYTES = 4_000_000
SUBMISSIONS_OWN = frozenset({"before the checks", "all"})
"""Names under which the scorer tells what no hidden check says."""
MAX_WHY_CHARS = 400


class ScoreRequest(Value):
    """What is to be scored: an answer, or an agent's workspace."""

    pinned: Pinned
    """Without its tasks."""
    task: str
    sample: int
    answer: BlobRef | None = None
    workspace: BlobRef | None = None


class Scored(Value):
    """How it did."""

    outcome: AttemptOutcome
    why: str = ""
    passed: int = 0
    total: int = 0
    patch: BlobRef | None = None
    """Of an answer; that of an agent comes from its task."""
    checks: BlobRef | None = None
    seconds: float = 0.0
    reference_failed: bool = False
    """The task's own reference does not solve it: trying again does not help."""


class ScoreActivity:
    """The activity ``score``."""

    def __init__(
        self, task_files: TaskFiles, storage: CodingStorage, scorer: Scorer, workspace_limits: WorkspaceLimits
    ) -> None:
        """Score by the worker's one scorer, which knows how long references take."""
        self._task_files = task_files
        self._storage = storage
        self._scorer = scorer
        self._limits = workspace_limits

    @activity.defn
    async def score(self, request: ScoreRequest) -> Scored:
        """Score the submission in a fresh sandbox.

        Raises:
            BenchmarkError: ``data-set-...``, ``task-unknown``.
            CodingError: ``sandbox-unavailable``; ``workspace-missing``, the answer is deleted.

        """
        pinned = request.pinned
        owner = owner_of(pinned.run, request.task, request.sample)
        async with working():
            task = await self._task_files.task(pinned.data_set, pinned.data_sha256, request.task)
            began = time.monotonic()
            files, patch = await self._submission(request, task, owner)
            if files is None:
                return Scored(outcome=AttemptOutcome.FORMAT_ERROR, why="Nothing in the answer can be taken for code.")
            try:
                score = await self._scorer.score(task, files)
            except ReferenceFailedError as error:
                told = f"{error} Nothing can be said of any submission."
                return Scored(outcome=AttemptOutcome.SANDBOX_ERROR, why=told[:MAX_WHY_CHARS], reference_failed=True)
            lines = "\n".join(f"{each.check}: {each.why}" for each in score.failed).encode("utf-8", "replace")
            checks = await self._storage.put(owner, lines, "text/plain", "txt") if lines else None
        return Scored(
            outcome=AttemptOutcome(score.outcome.value),
            why=why(score)[:MAX_WHY_CHARS],
            passed=score.passed,
            total=score.total,
            patch=patch,
            checks=checks,
            seconds=round(time.monotonic() - began, 2),
        )

    async def _submission(
        self, request: ScoreRequest, task: BenchmarkTask, owner: Owner
    ) -> tuple[Mapping[str, str | bytes] | None, BlobRef | None]:
        """Return the files that were submitted, None where there is no code, and the patch of an answer's."""
        if request.workspace:
            data = await self._storage.get(request.workspace, self._limits.archive_bytes)
            archive = await asyncio.to_thread(Archive.load, data, *self._limits)
            seen = example_tests(task)
            return {path: archive.read(path) for path in archive.paths() if path not in seen}, None
        if request.answer is None:
            raise CodingError(CodingCode.WORKSPACE_MISSING, "There is neither an answer nor a workspace.")
        answer = (await self._storage.get(request.answer, MAX_ANSWER_BYTES)).decode()
        files = submission(task, answer)
        if files is None:
            return None, None
        compared = changes(self._archive(task.files), self._archive(files))
        return files, await self._storage.put(owner, compared.patch.encode(), "text/x-diff", "patch")

    def _archive(self, files: Files) -> Archive:
        archive = Archive(*self._limits)
        for path, content in files.items():
            try:
                archive.write(path, content.encode("utf-8", "replace"))
            except (PathError, ArchiveError):  # scored it is all the same, which says what is wrong
                continue
        return archive


def why(score: Score) -> str:
    """Say in a sentence why it is not solved; what is hidden is not told."""
    if score.total and score.passed == score.total:
        return ""
    own = next((each.why for each in score.failed if each.check in SUBMISSIONS_OWN), "")
    counted = f"{score.passed} of {score.total} checks passed." if score.total else ""
    return " ".join(part for part in (counted, own) if part)
