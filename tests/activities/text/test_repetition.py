"""Loops are told from what is meant."""

from hypothesis import given
from hypothesis import strategies as st

from activities.text.repetition import KEPT, MAX_TIMES, MIN_CHARS, Loop, find_loop, is_repeated


@given(st.text(alphabet="abc. ", max_size=80), st.text(alphabet="xyz ", min_size=1, max_size=60))
def test_a_loop_is_found_where_it_began(before: str, unit: str) -> None:
    text = before + unit * max(MAX_TIMES, MIN_CHARS // len(unit) + 1)
    loop = find_loop(text)
    assert loop is not None
    assert len(unit) % loop.period == 0
    assert text[loop.start :] == (text[loop.start : loop.start + loop.period] * len(text))[: len(text) - loop.start]
    assert loop.start <= len(before)


def test_a_loop_that_goes_on_amid_its_period_is_one() -> None:
    assert find_loop("So: " + "Rain today. " * 40 + "Rain to") == Loop(start=3, period=12)


@given(st.lists(st.integers(), min_size=1, max_size=200, unique=True))
def test_a_list_of_different_things_is_none(numbers: list[int]) -> None:
    assert find_loop("\n".join(f"Line {number}." for number in numbers)) is None


def test_short_repetition_is_none() -> None:
    for text in ("", "ha" * 50, "-" * (MIN_CHARS - 1), "Say it again. " * (MAX_TIMES - 1)):
        assert find_loop(text) is None


def test_sentences_said_often_enough_are_not_said_again() -> None:
    assert not is_repeated(["Ja."] * (KEPT - 1), "Ja.")
    assert is_repeated(["Ja."] * KEPT, "Ja.")
    assert is_repeated(["So.", *["One.", "Two."] * KEPT], "One.")
    assert not is_repeated(["So.", *["One.", "Two."] * KEPT], "Two.")
    assert not is_repeated(["One.", "Two.", "One.", "Three."] * 2, "One.")
