"""When the last messages of a conversation, or of a person, came, so that those of one minute can be counted."""

from collections.abc import Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.access.contracts import MINUTE_SECONDS

CLOCK_SET_BACK = "clock-set-back"
"""A change since june 0.1.0, whose workflows go on: see ``workflow.patched``."""
MAX_ARRIVALS = 1000
"""Messages of one minute that are counted, whatever the limit."""


class Arrivals:
    """Times of messages, in seconds since the epoch."""

    def __init__(self, times: tuple[float, ...]) -> None:
        """Restore what the run before knew."""
        self.times = times

    def add(self, now: float) -> None:
        """Count a message that has come now."""
        self.times = (*self.recent(now), now)

    def count(self, now: float) -> int:
        """Return how many came within the last minute; at most MAX_ARRIVALS."""
        return len(self.recent(now))

    def leave_out_later(self, now: float, *, if_so: Callable[[], bool]) -> None:
        """Count no longer what came later than now, as the clock was set back since: it would until that has caught up.

        Args:
            now: seconds since the epoch.
            if_so: asked only where something came later.

        """
        if any(at > now for at in self.times) and if_so():
            self.times = tuple(at for at in self.times if at <= now)

    def recent(self, now: float) -> tuple[float, ...]:
        """Return those of the last minute; at most MAX_ARRIVALS."""
        return tuple(at for at in self.times if now - at < MINUTE_SECONDS)[-MAX_ARRIVALS:]
