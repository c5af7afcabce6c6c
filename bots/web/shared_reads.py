"""Reads that callers share, so that many who ask at once do not ask Temporal many times."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class SharedReads:
    """Of each thing, one read at a time.

    Who asks while a read is under way gets what the next finds, together with all who ask meanwhile: no answer is older
    than its question.
    """

    def __init__(self) -> None:
        """Begin with none under way."""
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}
        self._next: dict[Hashable, asyncio.Task[Any]] = {}

    async def read(self, what: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """Return what a read finds that begins now or later, or raise what it raises.

        Args:
            what: names what is read.
            read: reads it.

        """
        task: asyncio.Task[T] | None = self._next.get(what)
        if task is None:
            before = self._under_way.get(what)
            task = asyncio.create_task(self._run(what, read, before))
            (self._next if before else self._under_way)[what] = task
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # nobody may wait for it
        return await asyncio.shield(task)

    async def _run(self, what: Hashable, read: Callable[[], Awaitable[T]], before: asyncio.Task[Any] | None) -> T:
        if before:
            await asyncio.wait({before})
            self._under_way[what] = self._next.pop(what)
        try:
            return await read()
        finally:
            if what not in self._next:
                del self._under_way[what]
