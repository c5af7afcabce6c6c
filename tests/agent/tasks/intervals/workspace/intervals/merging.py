"""Put intervals together."""

from intervals.interval import Interval


def merged(intervals: list[Interval]) -> list[Interval]:
    """Return the same numbers as intervals that neither overlap nor touch, in order."""
    result: list[Interval] = []
    for interval in sorted(intervals):
        if result and result[-1].touches(interval):
            result[-1] = Interval(result[-1].start, interval.end)
        else:
            result.append(interval)
    return result
