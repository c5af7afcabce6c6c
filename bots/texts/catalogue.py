"""Sentences of june's own, by language: one TOML file a language, English where one is missing."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from activities.values import Notice
from bots.texts.figures import Figure

DEFAULT_LANGUAGE = "en"
LANGUAGES = ("en", "de", "es", "fr")


def say(notice: Notice, language: str | None) -> str:
    """Turn a notice into a sentence of the user's language.

    Args:
        notice: key of the sentence and the figures in it.
        language: ISO 639-1 code, with or without a region (``de-AT``); None, or one without texts, is English.

    Returns:
        The sentence; for a key without a text the general apology, which names the key as the code.

    """
    spoken = spoken_language(language)
    texts = {**_texts(DEFAULT_LANGUAGE), **_texts(spoken)}
    figures = _Figures(notice.params | {"code": notice.key}, spoken)
    return texts.get(notice.key, texts["internal"]).format_map(figures)


def spoken_language(language: str | None) -> str:
    """Return the language of june's sentences for a user's language: English where it has no texts."""
    code = (language or DEFAULT_LANGUAGE)[:2].lower()
    return code if code in LANGUAGES else DEFAULT_LANGUAGE


class _Figures(dict[str, Figure]):
    """Figures for a sentence; one that is missing must not cost the user the sentence."""

    def __init__(self, params: Mapping[str, float | int | str], language: str) -> None:
        super().__init__({name: Figure(value, language) for name, value in params.items()})
        self._language = language

    def __missing__(self, key: str) -> Figure:
        return Figure(None, self._language)


@cache
def _texts(language: str) -> dict[str, str]:
    file = resources.files("bots.texts").joinpath(f"{language}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
