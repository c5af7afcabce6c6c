"""Texts of models as pages show them: nothing unseen, and no longer than they may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.pages.plain_text import page_bytes, shown, visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("line\r\nline", "line\nline"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("nul\x00 bell\x07", r"nul\x00 bell\x07"),
        ("turned \u202eround", r"turned \u202eround"),
        ("half \ud83d", r"half \ud83d"),
        ("水 é 🎤", "水 é 🎤"),
    ],
)
def test_what_is_not_seen_is_spelled(text: str, seen: str) -> None:
    assert visible(text) == seen


@given(st.text(st.characters(codec=None)), st.integers(600, 5000))
def test_any_text_becomes_one_that_can_be_written_and_fits(text: str, most: int) -> None:
    visible(text).encode()
    cut = shown(text, most)
    assert cut.whole == (page_bytes(text) <= most)
    assert cut.text == text or not cut.whole


def test_of_a_long_text_beginning_and_end_are_kept() -> None:
    cut = shown("a" * 5000 + "b" * 5000, 2000)
    assert not cut.whole
    assert cut.text.startswith("aaa")
    assert cut.text.endswith("bbb")
    assert page_bytes(cut.text) <= 2000
