"""Every code has a sentence in every language, with the figures that its activity gives."""

import string

import pytest

from activities.error_codes import ErrorCode
from activities.values import Notice
from bots.commands import FOR_ALL, FOR_OWNERS
from bots.texts.catalogue import LANGUAGES, _texts, say

KEYS = sorted(_texts("en"))


def test_every_code_and_every_command_has_a_sentence() -> None:
    assert {code.value for code in ErrorCode} | {f"command-{name}" for name in FOR_ALL + FOR_OWNERS} <= set(KEYS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", KEYS)
def test_every_language_has_every_sentence(language: str, key: str) -> None:
    assert key in _texts(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_uses_the_same_figures(language: str) -> None:
    for key in KEYS:
        fields = [{f for _, f, _, _ in string.Formatter().parse(_texts(which)[key]) if f} for which in (language, "en")]
        assert fields[0] == fields[1], key


def test_limits_are_said_in_the_units_people_think_in() -> None:
    assert "10 minutes" in say(Notice(key="audio-too-long", params={"limit_seconds": 600.0}), "en")
    assert "20 MB" in say(Notice(key="audio-too-large", params={"limit_bytes": 20_000_000}), "de-AT")


def test_an_unknown_language_or_key_still_gives_a_sentence() -> None:
    assert say(Notice(key="queued", params={"position": 3}), "xx") == "Got it. You're number 3 in line."
    assert "no-such-code" in say(Notice(key="no-such-code"), None)


def test_a_missing_figure_does_not_cost_the_sentence() -> None:
    assert "…" in say(Notice(key="audio-too-long"), "fr")
