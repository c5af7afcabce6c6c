"""Heartbeats for activities that work longer than a moment, and blocking engines kept off the event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from temporalio import activity

T = TypeVar("T")

INTERVAL_SECONDS = 1.0
"""Well under every heartbeat time-out, so that cancellation arrives within about a second."""


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Beat in the background for as long as the block runs."""
    beating = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beating.cancel()


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(INTERVAL_SECONDS)


async def in_thread(work: Callable[[threading.Event], T]) -> T:
    """Run blocking ``work`` in a thread, with heartbeats; on cancellation ask it to stop, and wait until it has.

    ``work`` gets an event that is set when it should give up. Waiting keeps an engine from being used by
    the next task while the cancelled one still holds it.
    """
    stop = threading.Event()
    async with heartbeats():
        thread = asyncio.ensure_future(asyncio.to_thread(work, stop))
        try:
            return await asyncio.shield(thread)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([thread])
            raise
