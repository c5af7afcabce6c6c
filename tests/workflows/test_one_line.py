"""Summaries are one line, and never longer than the server takes."""

from hypothesis import given
from hypothesis import strategies as st

from workflows.one_line import CELL_CHARS, SUMMARY_CHARS, cell, shortened


@given(st.text(), st.integers(1, 200))
def test_any_text_becomes_one_line_that_fits(text: str, chars: int) -> None:
    line = shortened(text, chars)
    assert len(line) <= chars
    assert line.splitlines() in ([], [line])


def test_what_fits_stays_as_it_is_but_for_white_space() -> None:
    assert shortened("two\n lines\t of text ") == "two lines of text"
    assert shortened("x" * SUMMARY_CHARS) == "x" * SUMMARY_CHARS
    assert shortened("x" * (SUMMARY_CHARS + 1)) == "x" * (SUMMARY_CHARS - 1) + "…"


def test_a_cell_breaks_no_table_and_no_code() -> None:
    assert cell("a | b\n`c`") == "a ¦ b 'c'"
    assert cell("x" * 500) == "x" * (CELL_CHARS - 1) + "…"
