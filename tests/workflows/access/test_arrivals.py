"""The messages of a minute are counted, whatever becomes of the clock."""

import pytest

from workflows.access.arrivals import MAX_ARRIVALS, Arrivals


def test_those_of_the_last_minute_count() -> None:
    arrivals = Arrivals((100.0, 130.0))
    arrivals.add(159.0)
    assert [arrivals.count(now) for now in (159.0, 160.0, 190.0, 219.0)] == [3, 2, 1, 0]


def test_what_came_before_the_clock_was_set_back_does_not_count() -> None:
    arrivals = Arrivals((5000.0, 5001.0))
    arrivals.leave_out_later(5001, if_so=lambda: pytest.fail("asked although nothing came later"))
    arrivals.leave_out_later(1000, if_so=lambda: False)
    assert arrivals.count(1000) == 2
    arrivals.leave_out_later(1000, if_so=lambda: True)
    assert arrivals.count(1000) == 0


def test_they_are_bounded() -> None:
    arrivals = Arrivals(tuple(float(number) / 100 for number in range(2 * MAX_ARRIVALS)))
    arrivals.add(20.0)
    assert arrivals.count(20.0) == MAX_ARRIVALS
    assert len(arrivals.times) == MAX_ARRIVALS + 1
