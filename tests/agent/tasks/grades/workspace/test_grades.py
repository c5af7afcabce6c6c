from grades.parsing import parse
from grades.report import report


def test_lines_of_one_pupil_are_put_together() -> None:
    assert parse("ann: 1, 2\n# new term\nann: 3\n\nbob:\n") == {"ann": [1, 2, 3], "bob": []}


def test_median_of_an_odd_number() -> None:
    assert report("ann: 3, 1, 2\n") == ["ann: mean 2.00, median 2.0, spread 2.0"]


def test_median_of_an_even_number() -> None:
    assert report("bob: 4, 1, 3, 2\n") == ["bob: mean 2.50, median 2.5, spread 3.0"]
