"""What lies between intervals."""

from itertools import pairwise

from intervals.interval import Interval
from intervals.merging import merged


def gaps(intervals: list[Interval]) -> list[Interval]:
    """Return the intervals between those, in order."""
    joined = merged(intervals)
    return [Interval(before.end, after.start) for before, after in pairwise(joined)]


def total(intervals: list[Interval]) -> int:
    """Return how many numbers lie in at least one of the intervals."""
    return sum(interval.length() for interval in merged(intervals))
