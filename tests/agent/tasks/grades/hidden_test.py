"""What is asked of the task ``grades``; runs in the workspace that the agent has left."""

import pytest
from grades.report import report
from grades.statistics import mean, median, spread


@pytest.mark.parametrize(("values", "middle"), [([5], 5), ([1, 2], 1.5), ([9, 1, 5], 5), ([1, 9, 2, 8, 3, 7], 5)])
def test_median(values: list[float], middle: float) -> None:
    assert median(values) == middle


def test_the_rest_is_as_it_was() -> None:
    assert (mean([1, 2]), spread([3, 7])) == (1.5, 4)
    assert report("b: 2, 4\na: 1\nc:\n") == [
        "a: mean 1.00, median 1.0, spread 0.0",
        "b: mean 3.00, median 3.0, spread 2.0",
    ]
