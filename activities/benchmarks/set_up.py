"""Set up an agent's attempt: the task's own files as a workspace, with tests that it may see."""

import asyncio

from temporalio import activity

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import Pinned
from activities.benchmarks.task_files import TaskFiles
from activities.coding.running import Runner, working
from activities.coding.storage import CodingStorage
from activities.sandbox.archive import Archive
from activities.values import BlobRef, Value
from agent.commands import PYTEST, passed, shell
from agent.tasks.examples import example_tests
from agent.tasks.task import BenchmarkTask, Files

MAX_TEXT_CHARS = 20_000
"""What a coding task takes."""


class SetUpRequest(Value):
    """Which attempt."""

    pinned: Pinned
    """Without its tasks."""
    task: str
    sample: int


class SetUp(Value):
    """What the agent begins with."""

    text: str
    workspace: BlobRef


class SetUpActivity:
    """The activity ``set_up``."""

    def __init__(self, task_files: TaskFiles, storage: CodingStorage, runner: Runner) -> None:
        """Store workspaces; tests are tried in the runner's sandboxes."""
        self._task_files = task_files
        self._storage = storage
        self._runner = runner
        self._sound: dict[str, bool] = {}
        """By task and content: whether the reference passes the docstring's examples."""

    @activity.defn
    async def set_up(self, request: SetUpRequest) -> SetUp:
        """Store the workspace. Nothing that is hidden is in it.

        A function's docstring may have examples: they become tests, unless the reference itself fails them.

        Raises:
            BenchmarkError: ``data-set-...``, ``task-unknown``.
            CodingError: ``workspace-too-large``, ``sandbox-...``.

        """
        pinned = request.pinned
        async with working():
            task = await self._task_files.task(pinned.data_set, pinned.data_sha256, request.task)
            tests = example_tests(task)
            if tests and not await self._is_sound(f"{pinned.data_sha256}/{task.id}", task, tests):
                tests = {}
            owner = owner_of(pinned.run, request.task, request.sample)
            workspace = await self._storage.put_workspace(owner, await self._pack(task.files | tests))
        return SetUp(text=task.text[:MAX_TEXT_CHARS], workspace=workspace)

    async def _is_sound(self, key: str, task: BenchmarkTask, tests: Files) -> bool:
        if key not in self._sound:
            archive = await self._pack(task.files | task.reference | tests)
            result, _ = await self._runner.run(shell(PYTEST), archive)
            self._sound[key] = passed(result)
        return self._sound[key]

    async def _pack(self, files: Files) -> bytes:
        archive = Archive(*self._runner.workspace_limits)
        for path, content in files.items():
            archive.write(path, content.encode("utf-8", "replace"))
        return await asyncio.to_thread(archive.dump)
