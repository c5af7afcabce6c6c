"""Every code has a sentence in every language, with the figures that its activity gives."""

import re
import string
from typing import Any

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


COUNTS = {"ahead", "waiting", "per_minute", "queue", "turns", "topics", "messages", "people", "running", "answers"}
"""Figures that count something: they are said with their noun."""
KINDS = {
    "limit_seconds": "duration",
    "kept_seconds": "duration",
    "voice_seconds": "duration",
    "elapsed_seconds": "duration",
    "limit_bytes": "size",
    "voice": "voice",
    "chosen": "language|timezone",
}
SAID_AS_THEY_ARE = {
    *("code", "user", "mode", "layout", "listens", "zone", "now", "voices", "languages"),  # words already
    "chat",  # a group's title
    *("task", "step", "steps", "why", "names"),  # of a coding task; its code, and names of files
    *("failed", "total", "names", "run", "reason"),  # to operators
}


def fields(text: str) -> list[tuple[str, str]]:
    return [(name, spec or "") for _, name, spec, _ in string.Formatter().parse(text) if name]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", KEYS)
def test_nothing_is_said_as_a_bare_number_or_code(language: str, key: str) -> None:
    for name, spec in fields(_texts(language)[key]):
        if name in COUNTS:
            one, many = spec.split("|")[-2:]
            assert one != many
            assert len(spec.split("|")) in {2, 3}
            assert "#" in many
        elif name in KINDS and not (key == "status" and name == "voice"):
            assert spec in KINDS[name].split("|")
        else:
            assert (name in SAID_AS_THEY_ARE or key == "status", spec) == (True, "")


FORMS = {  # what follows the number for none, one, two and five
    "en": (("queue-full", "messages", "message"), ("stats-person", "messages", "message")),
    "de": (("queue-full", "Nachrichten", "Nachricht"), ("stats-person", "Nachrichten", "Nachricht")),
    "es": (("queue-full", "mensajes", "mensaje"), ("stats-person", "mensajes", "mensaje")),
    "fr": (("queue-full", "messages", "message"), ("stats-person", "messages", "message")),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_nouns_follow_their_numbers(language: str, count: int) -> None:
    for key, many, one in FORMS[language]:
        params: dict[str, Any] = {"waiting": count, "messages": count, "voice_seconds": 0, "user": "Ada"}
        single = count == 1 or (count == 0 and language == "fr")
        words = say(Notice(key=key, params=params), language).replace(",", "").split()
        assert words[words.index(str(count)) + 1] == (one if single else many)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_every_counting_sentence_is_whole(language: str, count: int) -> None:
    for key in KEYS:
        counted = [name for name, _ in fields(_texts(language)[key]) if name in COUNTS]
        said = say(Notice(key=key, params=dict.fromkeys(counted, count)), language)
        assert not {"#", "|", "{", "}"} & set(said)
        assert count < 2 or said.count(str(count)) >= len(counted), "each number is in it"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "From now on I'll listen for German."),
        ("de", "Von jetzt an erwarte ich, dass du Deutsch sprichst."),
        ("es", "A partir de ahora espero que hables en alemán."),
        ("fr", "À partir de maintenant, je m'attends à ce que tu parles en allemand."),
    ],
)
def test_languages_are_said_by_their_names(language: str, sentence: str) -> None:
    assert say(Notice(key="language-chosen", params={"chosen": "de"}), language) == sentence


@pytest.mark.parametrize(
    ("turns", "sentence"),
    [
        (1, "I've stopped my answer."),
        (2, "I've stopped 2 answers."),
    ],
)
def test_what_was_cancelled_is_said_in_words(turns: int, sentence: str) -> None:
    assert say(Notice(key="cancelled-turns", params={"turns": turns}), "en") == sentence


def test_limits_are_said_in_the_units_people_think_in() -> None:
    assert "10 minutes" in say(Notice(key="audio-too-long", params={"limit_seconds": 600.0}), "en")
    assert "20 MB" in say(Notice(key="audio-too-large", params={"limit_bytes": 20_000_000}), "de-AT")
    assert "1 heure" in unspaced(say(Notice(key="user-voice-spent", params={"limit_seconds": 3600.0}), "fr"))


def unspaced(text: str) -> str:
    return re.sub(r"\s", " ", text)


def test_an_unknown_language_or_key_still_gives_a_sentence() -> None:
    assert say(Notice(key="queued", params={"ahead": 2}), "xx") == "Got it. 2 messages come before yours."
    assert "no-such-code" in say(Notice(key="no-such-code"), None)


def test_a_value_with_braces_is_said_as_it_is() -> None:
    assert say(Notice(key="standing-open", params={"user": "{code} {0!r}"}), "en").startswith("In {code} {0!r} I'll")


def test_a_missing_figure_does_not_cost_the_sentence() -> None:
    assert "…" in say(Notice(key="audio-too-long"), "fr")
