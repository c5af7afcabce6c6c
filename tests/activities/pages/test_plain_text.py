"""Text of models and programs, as a page may show it."""

import pytest

from activities.pages.plain_text import LEAST_CHARS, page_bytes, shown, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\x00b", r"a\x00b"),
        ("half \ud83d", r"half \ud83d"),
        ("turned \u202e round", r"turned \u202e round"),
        ("a\r\nb\rc", "a\nb\\rc"),
        ("Grüße 你好 🙂\u00a0x", "Grüße 你好 🙂\u00a0x"),
    ],
)
def test_what_is_not_seen_is_spelled_out(text: str, expected: str) -> None:
    assert visible(text) == expected
    visible(text).encode()


def test_a_text_that_fits_is_whole() -> None:
    assert shown("short\n", 1000) == ("short\n", True)


@pytest.mark.parametrize("sign", ["x", "<", "\x00", "\n", "\ud800", "🙂"])
def test_a_long_text_is_cut_to_what_it_takes_on_the_page(sign: str) -> None:
    text, whole = shown(f"begin{sign * 200_000}end", 20_000)
    assert not whole
    assert page_bytes(text) <= 20_000
    assert text.startswith("begin")
    assert text.endswith("end")
    assert "characters left out" in text


def test_some_of_a_text_is_shown_however_little_it_may_take() -> None:
    assert 0 < len(shown("x" * 5000, 0).text) <= LEAST_CHARS
