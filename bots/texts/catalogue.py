"""Sentences of june's own, by language: one TOML file a language, English where one is missing."""

import tomllib
from functools import cache
from importlib import resources

from activities.values import Notice

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
    texts = {**_texts(DEFAULT_LANGUAGE), **_texts((language or DEFAULT_LANGUAGE)[:2].lower())}
    figures = _Figures(notice.params | {"code": notice.key})
    # In the units that people think in: minutes for seconds, megabytes for bytes.
    if isinstance(seconds := figures.get("limit_seconds"), int | float):
        figures["limit_minutes"] = f"{seconds / 60:.3g}"
    if isinstance(size := figures.get("limit_bytes"), int | float):
        figures["limit_megabytes"] = f"{size / 1_000_000:.3g}"
    return texts.get(notice.key, texts["internal"]).format_map(figures)


class _Figures(dict[str, "float | int | str"]):
    """Figures for a sentence; one that is missing must not cost the user the sentence."""

    def __missing__(self, key: str) -> str:
        return "…"


@cache
def _texts(language: str) -> dict[str, str]:
    if language not in LANGUAGES:
        return {}
    file = resources.files("bots.texts").joinpath(f"{language}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
