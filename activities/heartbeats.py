"""Heartbeats for activities that work longer than a moment, and blocking engines kept off the event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from temporalio import activity
from temporalio.client import AsyncActivityCancelledError
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode

T = TypeVar("T")

ATTEMPT_OVER = "attempt-over"
"""Type of the failure of an attempt that the server has given up; nobody waits for it."""
INTERVAL_SECONDS = 1.0
"""Well under every heartbeat time-out, so that cancellation arrives within about a second."""


@asynccontextmanager
async def heartbeats(
    details: Callable[[], Sequence[Any]] = tuple, *, interval: float = INTERVAL_SECONDS
) -> AsyncIterator[None]:
    """Send heartbeats in the background for as long as the block runs.

    Args:
        details: returns what each heartbeat carries; the next attempt finds the last of it in its info. One without
            details wipes what an earlier one has carried.
        interval: seconds between two; cancellation arrives with them.

    """

    async def beat() -> None:
        while True:
            activity.heartbeat(*details())
            await asyncio.sleep(interval)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


async def heartbeat_now(*details: Any) -> None:  # noqa: ANN401 - whatever the next attempt needs
    """Have the server keep at once what the next attempt must know; others may wait for seconds to be sent.

    Raises:
        ApplicationError: the attempt is over, as the server has not heard of it for too long: the next is under way,
            or was, and knows nothing of what this one is about to do.

    """
    activity.heartbeat(*details)  # so that an older beat still waiting does not come after
    handle = activity.client().get_async_activity_handle(task_token=activity.info().task_token)
    try:
        await handle.heartbeat(*details)
    except AsyncActivityCancelledError:  # the worker delivers the cancellation itself
        pass
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        message = "this attempt is over: another has been begun"
        raise ApplicationError(message, type=ATTEMPT_OVER, category=ApplicationErrorCategory.BENIGN) from error


async def in_thread(work: Callable[[threading.Event], T], details: Callable[[], Sequence[Any]] = tuple) -> T:
    """Run blocking ``work`` in a thread, with heartbeats; on cancellation ask it to stop, and wait until it has.

    ``work`` gets an event that is set when it should give up. Waiting keeps an engine from being used by
    the next task while the cancelled one still holds it.
    """
    stop = threading.Event()
    async with heartbeats(details):
        thread = asyncio.ensure_future(asyncio.to_thread(work, stop))
        try:
            return await asyncio.shield(thread)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([thread])
            thread.exception()  # how it gave up is of no interest, and must not be logged as forgotten
            raise
