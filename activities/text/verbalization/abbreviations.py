"""Abbreviations."""

# ruff: noqa: RUF001 - the signs of many kinds of text are meant as they are

import re
from functools import cache

from activities.text.verbalization.words import LANGUAGES, Rule, Words, any_of, lookup, words_of

_LONGEST = 40
"""Characters of a text's end in which an abbreviation is looked for."""
_GERMAN_ORDINAL = re.compile(r"\b(?:am|beim|das|dem|den|der|des|die|im|vom|zum|zur) \d{1,2}\.\Z", re.IGNORECASE)
_AT_END = re.compile(r"[\s\"'”’»)]*\Z")


def rules(words: Words) -> tuple[Rule, ...]:
    """Return the rules for abbreviations."""
    found = [
        _expanding(words.before_names, r"(?=[ -]?[A-ZÀ-Þ])"),
        _expanding(words.before_numbers, r" ?(?=\d|[IVX]+\b)"),
        _expanding(words.abbreviations, ""),
    ]
    if words.language == "de":
        found.append(Rule(r"(?<=[a-zäöüß])str\.(?! *\Z)", "straße"))
        found.append(Rule(r"(?<=[a-zäöüß])str\.(?= *\Z)", "straße."))
    return tuple(found)


def _expanding(table: dict[str, str], followed_by: str) -> Rule:
    """Return the rule that writes abbreviations out; one that ends the sentence keeps its period."""
    capitals = {symbol[0].upper() + symbol[1:]: said[0].upper() + said[1:] for symbol, said in table.items()}
    said = capitals | table

    def expanded(match: re.Match[str]) -> str:
        ends = match["symbol"].endswith(".") and _AT_END.match(match.string, match.end())
        return lookup(said, match["symbol"]) + ("." if ends else " " if " ?" in followed_by[:2] else "")

    return Rule(rf"(?<![\w.&])(?P<symbol>{any_of(said)})(?!\w){followed_by}", expanded)


def is_unfinished(before: str, after: str, language: str) -> bool:
    """Return whether a period is no end, by what stands before it and the word behind: "M. Dupont", "S. 5".

    Args:
        before: the text up to and with the period.
        after: what follows.
        language: ISO 639-1 code; False if it is none of ``LANGUAGES``.

    """
    if language not in LANGUAGES:
        return False
    by_name, by_number, by_small, by_word = _unfinished(language)
    end, start = before[-_LONGEST:], after.lstrip()[:1]
    return bool(
        (start.isupper() and by_name.search(end))
        or (start.isdigit() and by_number.search(end))
        or (start.islower() and by_small.search(end))
        or (start.isalpha() and by_word and by_word.search(end))
    )


@cache
def _unfinished(language: str) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str] | None]:
    """Return what a name, a number, a small letter and any word may follow."""
    words = words_of(language)
    tables = (words.before_names, words.before_numbers, words.abbreviations)
    name, number, small = (re.compile(rf"(?<![\w.])(?i:{any_of(table)})\Z") for table in tables)
    return name, number, small, _GERMAN_ORDINAL if language == "de" else None
