"""Waiting in vain, bounded over all attempts of an activity: what hangs is not asked for as long as retries last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode


class Waiting:
    """Seconds without a sign of life from an engine or a platform, in the attempts that have failed.

    They travel from attempt to attempt as heartbeat details. An attempt that fails at once adds nothing, so that a
    server which refuses connections, as while it starts, is asked as often as the retry policy says.
    """

    def __init__(self, limit_seconds: float, code: ErrorCode) -> None:
        """Go on from the attempt before.

        Args:
            limit_seconds: then the activity fails for good.
            code: of that failure.

        """
        earlier = activity.info().heartbeat_details
        self._spent = float(earlier[0]) if earlier and isinstance(earlier[0], int | float) else 0.0
        self._limit = limit_seconds
        self._code = code
        self._since = monotonic()
        self._timeout: asyncio.Timeout | None = None

    def details(self) -> list[float]:
        """Return what each heartbeat is to carry."""
        return [self._spent]

    def renew(self) -> None:
        """Note a sign of life."""
        self._since = monotonic()
        if self._timeout:
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._left)

    @asynccontextmanager
    async def bounded(self) -> AsyncIterator[None]:
        """Wait in the block until the limit is spent; pauses that a failure asks for count as well.

        Raises:
            ApplicationError: with the code and final, once nothing has come for so long in all attempts together.

        """
        self._since = monotonic()
        try:
            async with asyncio.timeout(self._left) as self._timeout:
                yield
        except Exception as error:
            if isinstance(error, ApplicationError) and error.non_retryable:
                raise
            pause = error.next_retry_delay if isinstance(error, ApplicationError) else None
            self._spent += monotonic() - self._since + (pause.total_seconds() if pause else 0)
            activity.heartbeat(*self.details())
            if not self._is_spent:
                raise
            message = f"{str(error) or type(error).__name__}; nothing has come for {self._spent:.0f} s in all attempts"
            raise ApplicationError(message, type=self._code.value, non_retryable=True) from None

    @property
    def _left(self) -> float:
        return max(0.0, self._limit - self._spent)

    @property
    def _is_spent(self) -> bool:
        return self._spent >= 0.99 * self._limit  # two clocks, and the way of an error through the block
