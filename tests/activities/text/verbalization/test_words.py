"""The files of the languages, and numbers as each writes them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.text.verbalization.words import LANGUAGES, NUMBER, any_of, lookup, words_of


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_signs(language: str) -> None:
    words, english = words_of(language), words_of("en")
    assert words.words.keys() == english.words.keys()
    assert len(words.months) == 12
    assert {len(said) for said in words.units.values()} == {2}
    assert {len(said) for said in words.currencies.values()} == {4}
    assert {"h", "min", "s", "km", "kg", "%", "° C".replace(" ", "")} <= words.units.keys()
    assert {"€", "$", "£", "¥", "CHF"} <= words.currencies.keys()


@pytest.mark.parametrize(
    ("language", "written", "parts"),
    [
        ("en", "1,234.5", (1234, "5")),
        ("en", "1.234,5", (1234, "5")),
        ("en", "1.234", (1, "234")),
        ("en", "1,234", (1234, "")),
        ("de", "1.234", (1234, "")),
        ("de", "1,234", (1, "234")),
        ("de", "49.95", (49, "95")),
        ("fr", "1 234,56", (1234, "56")),
        ("fr", "1 234 567", (1234567, "")),
        ("es", "1.234.567", (1234567, "")),
        ("de", "1'234.50", (1234, "50")),
        ("en", "7", (7, "")),
    ],
)
def test_parts_of_a_number(language: str, written: str, parts: tuple[int, str]) -> None:
    assert words_of(language).parts(written) == parts


@given(st.integers(0, 10**9), st.sampled_from(LANGUAGES))
def test_a_number_is_read_as_it_was_written(value: int, language: str) -> None:
    words = words_of(language)
    assert words.parts(words.cardinal(value)) == (value, "")
    assert re.fullmatch(NUMBER, words.cardinal(value))


def test_a_space_may_be_left_out() -> None:
    table = {"z. B.": "zum Beispiel", "z. Zt.": "zurzeit"}
    pattern = re.compile(any_of(table))
    for written in ("z. B.", "z.B."):
        match = pattern.fullmatch(written)
        assert match
        assert lookup(table, match[0]) == "zum Beispiel"
