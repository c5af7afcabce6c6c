"""Wait for what happens in other tasks and other processes."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

TIMEOUT_SECONDS = 60.0


async def until(
    condition: Callable[[], object] | Callable[[], Awaitable[object]], timeout_seconds: float = TIMEOUT_SECONDS
) -> None:
    """Wait for a condition to hold; it may be a plain function or a coroutine function.

    Raises:
        TimeoutError: It does not hold in time.
    """
    async with asyncio.timeout(timeout_seconds):
        while True:
            holds = condition()
            if await holds if inspect.isawaitable(holds) else holds:
                return
            await asyncio.sleep(0.02)
