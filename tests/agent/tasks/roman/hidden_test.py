"""What is asked of the task ``roman``; runs in the workspace that the agent has left."""

from pathlib import Path

import pytest
from roman import from_roman, to_roman

KNOWN = {
    1: "I",
    4: "IV",
    9: "IX",
    14: "XIV",
    40: "XL",
    90: "XC",
    400: "CD",
    1994: "MCMXCIV",
    2026: "MMXXVI",
}


@pytest.mark.parametrize("number", KNOWN)
def test_known_numerals(number: int) -> None:
    assert to_roman(number) == KNOWN[number]
    assert from_roman(KNOWN[number]) == number


def test_there_and_back() -> None:
    assert [from_roman(to_roman(number)) for number in range(1, 4000)] == list(range(1, 4000))


@pytest.mark.parametrize("number", [0, -1, 4000])
def test_numbers_out_of_range(number: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its words are not asked for
        to_roman(number)


def test_tests_are_there() -> None:
    text = Path("test_roman.py").read_text()
    assert "to_roman(" in text
    assert "from_roman(" in text
