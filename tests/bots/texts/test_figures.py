"""Numbers, durations, sizes, languages, places and voices as people say them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.texts.catalogue import LANGUAGES
from bots.texts.figures import (
    Figure,
    city,
    duration,
    find_language,
    language_name,
    number,
    plural,
    size,
    voice_name,
    voice_names,
)


def spaced(text: str) -> str:
    return re.sub(r"\s", " ", text)


@pytest.mark.parametrize(
    ("seconds", "language", "said"),
    [
        (0, "en", "0 seconds"),
        (1, "en", "1 second"),
        (45.4, "en", "45 seconds"),
        (90, "en", "1 minute and 30 seconds"),
        (600, "en", "10 minutes"),
        (601, "en", "10 minutes"),
        (3600, "en", "1 hour"),
        (5400, "de", "1 Stunde und 30 Minuten"),
        (3601, "en", "1 hour and 1 second"),
        (172_800, "es", "2 días"),
        (86_400, "de", "1 Tag"),
        (172_800 + 3 * 3600 + 59, "fr", "2 jours et 3 heures"),
        (30 * 86_400, "en", "30 days"),
    ],
)
def test_durations(seconds: float, language: str, said: str) -> None:
    assert spaced(duration(seconds, language)) == said


@given(st.floats(0, 1e8), st.sampled_from(LANGUAGES))
def test_any_duration_has_at_most_two_units(seconds: float, language: str) -> None:
    assert 1 <= len(re.findall(r"\d[\d.,\s]*", duration(seconds, language))) <= 2


def test_sizes_and_numbers_are_written_as_the_language_does() -> None:
    assert [spaced(size(octets, "fr")) for octets in (500_000, 20_000_000)] == ["0,5 Mo", "20 Mo"]
    assert [number(value, "de") for value in (3, 1.5, 10_000)] == ["3", "1,5", "10.000"]


@pytest.mark.parametrize(
    ("language", "forms"),
    [("en", "many one many"), ("de", "many one many"), ("es", "many one many"), ("fr", "one one many")],
)
def test_plurals_follow_the_language(language: str, forms: str) -> None:
    assert [plural(count, ("one", "many"), language) for count in (0, 1, 2)] == forms.split()
    assert plural(0, ("none", "one", "many"), language) == "none"
    assert "million" in plural(1_000_000, ("one", "million"), language)


def test_languages_by_name() -> None:
    assert [language_name("de", language) for language in LANGUAGES] == ["German", "Deutsch", "alemán", "allemand"]
    assert language_name("xx", "en") == "xx"


@pytest.mark.parametrize("written", ["de", "DE", "German", "deutsch", "Alemán", "aleman", " allemand "])
def test_languages_are_found_by_code_and_by_names(written: str) -> None:
    assert find_language(written, ("en", "de"), "es", "fr", "en") == "de"


@given(st.text(max_size=40))
def test_any_text_is_looked_for_among_the_languages(text: str) -> None:
    assert find_language(text, ("de",), "en") in {None, "de"}


@pytest.mark.parametrize(
    ("zone", "language", "said"),
    [
        *(("Europe/Berlin", "en", "Berlin"), ("Europe/London", "es", "Londres"), ("UTC", "en", "UTC")),
        *(("America/New_York", "en", "New York"), ("Etc/GMT+3", "de", "Etc/GMT+3"), ("No/Where", "en", "No/Where")),
    ],
)
def test_time_zones_by_their_cities(zone: str, language: str, said: str) -> None:
    assert city(zone, language) == said


def test_voices_by_their_names() -> None:
    assert voice_name("en_US-joe-medium", "en") == "Joe (English)"
    assert voice_name("de_DE-thorsten_emotional-medium", "fr") == "Thorsten Emotional (allemand)"
    assert voice_name("my own", "en") == "my own"
    twice = ("en_US-joe-low", "en_US-joe-medium", "de_DE-eva_k-x_low")
    assert list(voice_names(twice, "en").values()) == [
        "Joe (English, United States, low)",
        "Joe (English, United States, medium)",
        "Eva K (German)",
    ]


@pytest.mark.parametrize("spec", ["", "duration", "size", "language", "timezone", "voice", "# one|# many"])
def test_a_missing_figure_or_one_of_another_kind_is_no_fault(spec: str) -> None:
    assert f"{Figure(None, 'en'):{spec}}" == "…"
    assert f"{Figure(3, 'en'):{spec}}"
    assert f"{Figure('x', 'en'):{spec}}" == "x"
