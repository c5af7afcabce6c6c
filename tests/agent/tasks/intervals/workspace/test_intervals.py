from intervals.gaps import gaps, total
from intervals.interval import Interval
from intervals.merging import merged


def test_overlapping_ones() -> None:
    assert merged([Interval(5, 9), Interval(1, 6)]) == [Interval(1, 9)]


def test_one_within_another() -> None:
    assert merged([Interval(0, 10), Interval(2, 4)]) == [Interval(0, 10)]


def test_total() -> None:
    assert total([Interval(0, 10), Interval(12, 15)]) == 13


def test_gaps() -> None:
    assert gaps([Interval(8, 9), Interval(1, 3), Interval(3, 4)]) == [Interval(4, 8)]
