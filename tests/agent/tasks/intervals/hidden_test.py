"""What is asked of the task ``intervals``; runs in the workspace that the agent has left."""

from intervals.gaps import gaps, total
from intervals.interval import Interval
from intervals.merging import merged


def test_merging() -> None:
    assert merged([]) == []
    assert merged([Interval(1, 9), Interval(2, 3), Interval(4, 5), Interval(9, 11)]) == [Interval(1, 11)]
    assert merged([Interval(5, 6), Interval(1, 2)]) == [Interval(1, 2), Interval(5, 6)]


def test_totals_and_gaps() -> None:
    assert total([Interval(0, 100), Interval(10, 20), Interval(30, 40)]) == 100
    assert gaps([Interval(0, 10), Interval(2, 4), Interval(12, 15)]) == [Interval(10, 12)]
