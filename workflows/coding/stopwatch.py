"""The time that a task has taken, pauses not counted."""

from datetime import datetime


class Stopwatch:
    """Counts seconds by the workflow's clock."""

    def __init__(self, now: datetime, seconds: float = 0.0) -> None:
        """Begin at once, with the seconds that a run before has counted."""
        self._began: datetime | None = now
        self._seconds = seconds

    def seconds(self, now: datetime) -> float:
        """Return the seconds so far."""
        return self._seconds + ((now - self._began).total_seconds() if self._began else 0.0)

    def pause(self, now: datetime) -> None:
        """Count nothing from here on."""
        self._seconds, self._began = self.seconds(now), None

    def resume(self, now: datetime) -> None:
        """Count again."""
        self._began = self._began or now
