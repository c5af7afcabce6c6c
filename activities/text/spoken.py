"""Turn a written sentence into the words that are said: numbers, dates, money, units, abbreviations, formulas."""

# ruff: noqa: RUF001 - the signs of many kinds of text are meant as they are

import logging
import re
import threading
from functools import cache, lru_cache
from typing import Protocol

from activities.text.languages import language_code
from activities.text.verbalization import abbreviations, amounts, codes, formulas, moments, numerals
from activities.text.verbalization.words import LANGUAGES, Rule, Said, any_of, words_of

MAX_CHARS = 500
"""A longer text is said as it is written; bounds the work on hostile text (0.2 s)."""
MAX_SPOKEN_CHARS = 4 * MAX_CHARS
"""What would take more words is said as it is written: digits without end."""
NORMALIZED = ("de", "en", "es", "fr", "it", "ru", "tr")
"""ISO 639-1 codes of the languages whose numbers damga reads."""

_KINDS = (codes, moments, amounts, abbreviations, numerals, formulas)
"""In the order of their rules: addresses first, as a date within one is none."""
_KEPT_LANGUAGES = 64

_log = logging.getLogger(__name__)
_loading = threading.Lock()
_DIGIT = re.compile(r"[\d½¼¾⅓⅔]")
_PLAIN = str.maketrans("\u00a0\u2009\u202f₀₁₂₃₄₅₆₇₈₉", "   0123456789")
"""Spaces that keep numbers together, and the small digits of chemistry."""
_SIGN = r"[\d$€£¥₹₩₽₺₴₿¢@#&*+=<>/^~%‰°§©®™№_±×÷·⋅∗≈≅≠≤≥√π∞→⇒➜½¼¾⅓⅔²³¹⁰⁴-⁹⁻ⁿ₀-₉−µΩ]|\w\.\w|(?<!\S)--?\w|\w\(\)|\.[A-Z]"
_ROMAN = r"\b[IVX]{2}|\b[IVX](?:er|re|[eè]me|e|ᵉ)\b|\w [VX](?![\w'’])"


class _Normalizer(Protocol):
    def normalize(self, text: str) -> str: ...


class _AsWritten:
    def normalize(self, text: str) -> str:
        return text


def spoken(text: str, language: str) -> str:
    """Return what is said of a written sentence.

    The language's own rules run first, and damga reads the numbers that they leave. In a language without rules of its
    own those of Unicode's CLDR write out money, units and dates, and the voice reads the numbers. A sentence without
    numbers, signs and abbreviations is returned as it is, and so is any in a language that nobody knows.

    Never raises. Blocks for a millisecond as a rule, and for 60 ms on a language's first sentence.

    Args:
        text: at most 500 characters; longer ones are returned unchanged.
        language: ISO 639-1 code, with or without a region (``de-AT``).

    """
    code = language_code(language)
    if len(text) > MAX_CHARS or not _what_is_not_plain(code).search(text):
        return text
    try:
        said = text.translate(_PLAIN)
        for written, replacement in _rules(code):
            said = written.sub(replacement, said)
        said = " ".join(said.split())
        if code in NORMALIZED and _DIGIT.search(said):
            said = _normalizer(code).normalize(said)
        if code == "fr":
            said = numerals.with_feminine_ones(text, said)
    except Exception:  # noqa: BLE001 - whatever a rule or damga stumbles over, the sentence is said
        _log.warning("spoken-as-written", extra={"language": code}, exc_info=True)
        return text
    return said if len(said) <= MAX_SPOKEN_CHARS else text


def warm_up(language: str) -> None:
    """Load what a language needs, if it is known: 20 MB and 60 ms, which its first sentence would wait for."""
    spoken("1", language)


@lru_cache(maxsize=_KEPT_LANGUAGES)
def _rules(language: str) -> tuple[tuple[re.Pattern[str], Said], ...]:
    rules: tuple[Rule, ...] = ()
    if language in LANGUAGES:
        words = words_of(language)
        rules = tuple(rule for kind in _KINDS for rule in kind.rules(words))
    elif language not in NORMALIZED:
        from activities.text.verbalization import cldr

        rules = cldr.rules(language)
    return tuple((re.compile(rule.written), rule.said) for rule in rules)


@lru_cache(maxsize=_KEPT_LANGUAGES)
def _what_is_not_plain(language: str) -> re.Pattern[str]:
    """Return the pattern of what a plain sentence has nowhere."""
    if language not in LANGUAGES:
        return _DIGIT
    words = words_of(language)
    abbreviated = any_of([*words.abbreviations, *words.before_names])
    alone = "" if language == "en" else r"|\w I(?![\w'’])"  # "Juan Carlos I", and not "then I"
    return re.compile(rf"{_SIGN}{alone}|{_ROMAN}|\b(?i:{abbreviated})(?!\w)|str\.")


@cache
def _normalizer(language: str) -> _Normalizer:
    """Load damga's grammars of a language."""
    with _loading:
        try:
            from damga import Normalizer  # type: ignore[import-untyped]
        except ImportError:  # no wheel for this Python: the voice reads the numbers itself
            _log.warning("numbers-as-written", extra={"language": language})
            return _AsWritten()
        normalizer: _Normalizer = Normalizer("tn", language)
        return normalizer
