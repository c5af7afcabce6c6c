"""Live turns first: what can wait does not begin while somebody waits for an answer.

A background inference is given up, too, when somebody speaks. So is a step of the coding agent, a few times: it may be
minutes of work, and has to come to its end where people speak all day as well. Both end their attempt, rather than
wait within it: Temporal tries it again later, and meanwhile no slot is held.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.error_codes import GAVE_WAY
from activities.heartbeats import heartbeats

QUIET_SECONDS = 2.0
"""After the last live activity; the steps of a turn follow each other more closely than that."""
RETRY_AFTER = timedelta(seconds=5)
MOST_REMEMBERED = 1000
"""Steps that have stood back and were not tried again: their tasks were cancelled."""


class LiveWork:
    """What is live in this process."""

    def __init__(self, slots: int, steps: int = 1, stands_back: int = 0) -> None:
        """Begin quiet.

        Args:
            slots: live activities at once; more wait. The worker has one slot more than these, for the background.
            steps: of the coding agent at once; the worker has slots for these as well.
            stands_back: how often a step that has begun is given up when somebody speaks; then it goes on beside that.

        """
        self._slots = asyncio.Semaphore(slots)
        self._free_steps = steps
        self._stands_back = stands_back
        self._stood_back: dict[str, int] = {}
        self._running = 0
        self._ended = float("-inf")
        self._has_background = False
        self._given_up_when_live: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        """Count a live activity for as long as the block runs; what can be given up for it is."""
        self._running += 1
        for scope in self._given_up_when_live:
            scope.reschedule(0)
        try:
            async with self._slots:
                yield
        finally:
            self._running -= 1
            self._ended = time.monotonic()

    @property
    def _is_quiet(self) -> bool:
        """Whether nothing is live, nor was just now."""
        return not self._running and time.monotonic() - self._ended >= QUIET_SECONDS

    @asynccontextmanager
    async def background(self) -> AsyncIterator[None]:
        """Run the block while nothing is live.

        Raises:
            ApplicationError: ``gave-way``, to be retried.

        """
        if self._has_background or not self._is_quiet:
            raise _gave_way()
        self._has_background = True
        try:
            async with self._until_live():
                yield
        finally:
            self._has_background = False

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """Run the block, begun while nothing is live, to its end or until somebody speaks.

        Args:
            name: the same for each try of the same step.

        Raises:
            ApplicationError: ``gave-way``, to be retried.

        """
        if not self._free_steps or not self._is_quiet:
            raise _gave_way()
        self._free_steps -= 1
        times = self._stood_back.pop(name, 0)
        try:
            if times >= self._stands_back:
                yield
                return
            self._stood_back[name] = times + 1
            async with self._until_live():
                yield
            del self._stood_back[name]
        finally:
            self._free_steps += 1
            if len(self._stood_back) > MOST_REMEMBERED:
                del self._stood_back[next(iter(self._stood_back))]

    @asynccontextmanager
    async def _until_live(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(None) as scope:
                self._given_up_when_live.add(scope)
                try:
                    yield
                finally:
                    self._given_up_when_live.discard(scope)
        except TimeoutError:
            if scope.expired():
                raise _gave_way() from None
            raise


class LiveFirst(Interceptor):
    """Gives way to live activities with those whose request says ``background``, or ``waits_for_live``."""

    def __init__(self, slots: int, steps: int = 1, stands_back: int = 0) -> None:
        """Begin quiet; the arguments are those of ``LiveWork``."""
        self._live_work = LiveWork(slots, steps, stands_back)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap each activity."""
        return _LiveFirstInbound(next, self._live_work)


class _LiveFirstInbound(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, live_work: LiveWork) -> None:  # noqa: A002
        super().__init__(next)
        self._live_work = live_work

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - as in the SDK
        if input.args and getattr(input.args[0], "background", False):
            async with self._live_work.background():
                return await self.next.execute_activity(input)
        if input.args and getattr(input.args[0], "waits_for_live", False):
            info = activity.info()
            async with self._live_work.step(f"{info.workflow_run_id}/{info.activity_id}"):
                return await self.next.execute_activity(input)
        async with AsyncExitStack() as stack:
            async with heartbeats():  # while it waits for a slot; then the activity has its own
                await stack.enter_async_context(self._live_work.live())
            return await self.next.execute_activity(input)


def _gave_way() -> ApplicationError:
    return ApplicationError(
        "a live turn goes first",
        type=GAVE_WAY,
        next_retry_delay=RETRY_AFTER,
        category=ApplicationErrorCategory.BENIGN,
    )
