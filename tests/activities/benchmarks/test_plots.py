"""Plots: SVG that stands in a page by itself, whatever the figures are."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.plots import bin_bounds, histogram


def attempts(seconds: Sequence[float]) -> list[Attempt]:
    return [Attempt(task="a", outcome=AttemptOutcome.SOLVED, model_seconds=each) for each in seconds]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_each_value_lies_between_two_bounds(values: list[float]) -> None:
    bounds = bin_bounds(values)
    assert bounds == sorted(set(bounds))
    assert bounds[0] <= min(values)
    assert max(values) <= bounds[-1]


@pytest.mark.parametrize("seconds", [[0.0], [1.0, 1.0], [0.1, 5.0, 900.0]])
def test_a_histogram_is_an_svg_with_its_label_and_nothing_that_is_fetched(seconds: list[float]) -> None:
    drawn = histogram(attempts(seconds), lambda attempt: attempt.model_seconds, 'seconds of <the "model">')
    assert drawn.startswith("<svg")
    assert "<script" not in drawn
    assert "<style" not in drawn
    assert "seconds of &lt;the" in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")
