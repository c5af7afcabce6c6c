"""The tasks of data sets, as a worker reads them: each set once, as long as its file is what was pinned."""

import asyncio
from collections import OrderedDict
from pathlib import Path

from temporalio.exceptions import ApplicationError

from agent.tasks.data_sets import DataSetError, find, load
from agent.tasks.task import BenchmarkTask

KEPT_SETS = 3
"""In memory; the largest that comes with june takes some ten megabytes."""

Tasks = dict[str, BenchmarkTask]


class BenchmarkError(ApplicationError):
    """A benchmark that no retry can mend. The workflow reads the code from ``type``."""

    def __init__(self, code: str, message: str) -> None:
        """Fail for good with this code, and a sentence for people."""
        super().__init__(message, type=code, non_retryable=True)


class TaskFiles:
    """Reads data sets."""

    def __init__(self, entries: Path | None = None) -> None:
        """Know the data sets that come with june, and those of a file of entries."""
        self._entries = entries
        self._known: OrderedDict[str, Tasks] = OrderedDict()
        self._reading = asyncio.Lock()

    async def read(self, name: str, sha256: str = "") -> tuple[str, Tasks]:
        """Return a data set's SHA-256, and its tasks by id.

        Args:
            name: of the data set.
            sha256: that was pinned; empty takes what is there.

        Raises:
            BenchmarkError: ``data-set-...``; ``data-set-changed`` where it is not what was pinned.

        """
        async with self._reading:
            try:
                entry = await asyncio.to_thread(find, name, self._entries)
                tasks = self._known.get(entry.sha256)
                if tasks is None:
                    tasks = {task.id: task for task in await asyncio.to_thread(load, entry)}
            except DataSetError as error:
                raise BenchmarkError(error.code, str(error)) from error
            if sha256 not in {"", entry.sha256}:
                raise BenchmarkError("data-set-changed", f"{name} is not the data set that the run has begun with.")
            self._known[entry.sha256] = tasks
            self._known.move_to_end(entry.sha256)
            while len(self._known) > KEPT_SETS:
                self._known.popitem(last=False)
        return entry.sha256, tasks

    async def task(self, data_set: str, sha256: str, task: str) -> BenchmarkTask:
        """Return one task of a data set that was pinned.

        Raises:
            BenchmarkError: ``data-set-...``, or ``task-unknown``.

        """
        _, tasks = await self.read(data_set, sha256)
        if task not in tasks:
            raise BenchmarkError("task-unknown", f"{data_set} has no task {task}.")
        return tasks[task]
