"""Word and character errors, against jiwer's."""

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.speech.word_errors import WordErrors, compare, distance, normalized

WORDS = st.lists(st.sampled_from(["one", "two", "three", "tree", "o"]), min_size=1, max_size=8)


@given(WORDS, WORDS)
def test_rates_are_those_of_jiwer(said: list[str], heard: list[str]) -> None:
    line, other = " ".join(said), " ".join(heard)
    errors = compare(line, other)
    assert errors.word_rate == pytest.approx(jiwer.wer(line, other))
    assert errors.chars_wrong / errors.chars == pytest.approx(jiwer.cer(line, other))


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_a_distance_is_one(one: str, two: str, three: str) -> None:
    assert distance(one, two) == distance(two, one)
    assert (distance(one, two) == 0) is (one == two)
    assert abs(len(one) - len(two)) <= distance(one, two) <= max(len(one), len(two))
    assert distance(one, three) <= distance(one, two) + distance(two, three)


@given(st.text(max_size=40))
def test_the_same_has_no_errors_however_it_is_written(text: str) -> None:
    errors = compare(text, text.swapcase().swapcase())
    assert errors.words == len(normalized(text))
    assert compare(text, text) == (errors.words, 0, errors.chars, 0)
    assert normalized(" ".join(normalized(text))) == normalized(text)


@pytest.mark.parametrize(
    ("said", "heard", "language"),
    [
        ("And so, my fellow Americans!", "and so my fellow americans", "en"),
        ("Press one or twenty-one", "Press 1 or 21.", "en"),
        ("Drücken Sie die einundzwanzig", "drücken sie die 21", "de"),
        ("Straße", "STRASSE", "de"),
        ("presione nueve", "Presione 9", "es"),
        ("l'heure d\u2019été", "L\u2019heure d'été", "fr"),
        ("решётка", "Решетка", "ru"),
    ],
)
def test_what_is_no_error(said: str, heard: str, language: str) -> None:
    assert compare(said, heard, language).words_wrong == 0


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        ("one two", "", WordErrors(2, 2, 7, 7)),
        ("", "one", WordErrors(0, 1, 0, 3)),
        ("one two", "one three two four", WordErrors(2, 2, 7, 11)),
        ("el 21", "el veintiuno", WordErrors(2, 1, 5, 9)),
    ],
)
def test_counts(said: str, heard: str, expected: WordErrors) -> None:
    assert compare(said, heard) == expected
