"""An interval."""

from typing import NamedTuple


class Interval(NamedTuple):
    """From ``start`` up to, not with, ``end``."""

    start: int
    end: int

    def length(self) -> int:
        """Return how many numbers lie in it."""
        return self.end - self.start

    def touches(self, other: "Interval") -> bool:
        """Return whether the two overlap, or one begins where the other ends."""
        return self.start <= other.end and other.start <= self.end
