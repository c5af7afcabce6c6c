"""Figures and names in june's sentences, as people say them in their language.

A sentence's field says by its format what it holds: ``{waiting:# message|# messages}`` a number with its noun, in the
singular and the plural (with three forms the first is for none), ``{limit_seconds:duration}``, ``{limit_bytes:size}``,
``{chosen:language}``, ``{chosen:timezone}``, ``{voice:voice}``. A plain number is written as the language writes it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from babel import Locale
from babel.dates import get_timezone, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.units import format_unit

UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
"""Of durations, with their seconds."""
FEW = 10
"""So many of a unit are said without the next smaller one."""
MISSING = "…"
"""A figure that was not given must not cost the user the sentence."""
_VOICE = re.compile(r"(?P<language>[a-z]{2,3})_(?P<country>[A-Z]{2})-(?P<name>[^-]+)-(?P<quality>\w+)")


class Figure:
    """A figure or a name, to be formatted into a sentence."""

    def __init__(self, value: float | str | None, language: str) -> None:
        """Take a value (None is missing) that is said in a language (ISO 639-1)."""
        self._value = value
        self._language = language

    def __format__(self, spec: str) -> str:
        value = self._value
        if value is None:
            return MISSING
        if isinstance(value, str):
            return NAMES[spec](value, self._language) if spec in NAMES else value
        if "|" in spec:
            return plural(value, spec.split("|"), self._language)
        return MEASURES.get(spec, number)(value, self._language)


def number(value: float, language: str) -> str:
    """Write a number: ``1,5`` and ``10.000`` in German."""
    return format_decimal(round(value, 1), locale=language)


def plural(value: float, forms: Iterable[str], language: str) -> str:
    """Choose of the forms for (none,) one and many, by the language's own rule; ``#`` in it becomes the number."""
    *none, one, many = forms
    if value == 0 and none:
        return none[0]
    chosen = one if Locale(language).plural_form(value) == "one" else many
    return chosen.replace("#", number(value, language))


def duration(seconds: float, language: str) -> str:
    """Say a duration in at most two units: ``90 seconds`` is ``1 minute and 30 seconds``."""
    left, parts = round(seconds), list[str]()
    for unit, size in UNITS:
        count, rest = divmod(left, size)
        if count or (unit == "second" and not parts):
            parts.append(format_unit(count, f"duration-{unit}", "long", locale=language))
            left = 0 if count >= FEW or len(parts) > 1 else rest
        if parts and not left:
            break
    return format_list(parts, locale=language)


def size(octets: float, language: str) -> str:
    """Say a size in megabytes."""
    return format_unit(round(octets / 1_000_000, 1), "digital-megabyte", "short", locale=language)


def language_name(code: str, language: str) -> str:
    """Name a language (ISO 639-1) in another one: ``German``, ``Deutsch``, ``allemand``."""
    return str(Locale(language).languages.get(code, code))


def city(zone: str, language: str) -> str:
    """Name a time zone (IANA) by its city; where it has none, as it is."""
    if "/" not in zone or zone.startswith("Etc/"):
        return zone
    try:
        return get_timezone_location(get_timezone(zone), locale=language, return_city=True)
    except LookupError:  # known when it was chosen
        return zone


def voice_name(voice: str, language: str, *, whole: bool = False) -> str:
    """Name a voice: ``Joe (English)`` for ``en_US-joe-medium``; one of another form is said as it is.

    Args:
        voice: the model registry's name of it.
        language: of the sentence (ISO 639-1).
        whole: with country and quality, to tell it from another of the same name.

    """
    match = _VOICE.fullmatch(voice)
    if match is None:
        return voice
    country = Locale(language).territories.get(match["country"], match["country"])
    told = (language_name(match["language"], language), *((country, match["quality"]) if whole else ()))
    return f"{match['name'].replace('_', ' ').title()} ({', '.join(told)})"


def voice_names(voices: Iterable[str], language: str) -> dict[str, str]:
    """Name voices, each so that it is told from the others."""
    names = {voice: voice_name(voice, language) for voice in voices}
    shared = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {voice: voice_name(voice, language, whole=name in shared) for voice, name in names.items()}


def find_language(text: str, codes: Iterable[str], *languages: str) -> str | None:
    """Find the code (ISO 639-1) of a language by what people write: the code, or its name in its own or other ones."""
    asked = plain(text)
    for code in codes:
        names = (language_name(code, each) for each in (code, *languages))
        if asked == code or asked in map(plain, names):
            return code
    return None


def plain(text: str) -> str:
    """Return text as it is compared: in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


MEASURES: Mapping[str, Callable[[float, str], str]] = {"duration": duration, "size": size}
NAMES: Mapping[str, Callable[[str, str], str]] = {"language": language_name, "timezone": city, "voice": voice_name}
