"""The words of a language: how written signs, units, currencies and abbreviations are said in it."""

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple, TypeVar

LANGUAGES = ("en", "de", "es", "fr")
"""ISO 639-1 codes of the languages that have a file of words."""
NUMBER = r"(?:\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
"""A number as any language writes it: its thousands may stand apart, its decimals follow a period or a comma."""


Said = str | Callable[[re.Match[str]], str]
Entry = TypeVar("Entry")


class Rule(NamedTuple):
    """What is written, and what is said instead."""

    written: str
    """A regular expression."""
    said: Said


@dataclass(frozen=True)
class Words:
    """The file of a language."""

    language: str
    """ISO 639-1 code."""
    decimal: str
    """The mark before the decimals of a number."""
    thousands: str
    """The mark between each three digits."""
    date: str
    """Pattern with {day}, {month} and {year}."""
    money: str
    """Pattern with {whole} and {cents}."""
    magnitude_joiner: str
    """What stands between millions and a currency: "dos millones de euros"."""
    months: list[str]
    words: dict[str, str]
    """By the name of a sign or relation."""
    abbreviations: dict[str, str]
    before_names: dict[str, str]
    """What is an abbreviation only before a capital: "St. Louis"."""
    before_numbers: dict[str, str]
    """What is one only before a number: "p. 12"."""
    units: dict[str, tuple[str, str]]
    """By symbol: one of it, and the name of several."""
    per: dict[str, str]
    """What may follow a slash beside the units: "3 days/week"."""
    currencies: dict[str, tuple[str, str, str, str]]
    """By symbol or code: one of it, several, one of its hundredths, several."""
    magnitudes: dict[str, tuple[str, str]]
    """By abbreviation or word: one, and several."""

    def cardinal(self, value: int) -> str:
        """Write a number so that it cannot be taken for a year: with its thousands apart."""
        return f"{value:,}".replace(",", self.thousands)

    def parts(self, written: str) -> tuple[int, str]:
        """Return a number's whole part and its decimals, as ``parts`` does."""
        return parts(written, self.decimal)

    def number(self, written: str) -> str:
        """Write a number as this language does: ``1,234.5`` is ``1.234,5`` in German."""
        whole, decimals = self.parts(written)
        return self.cardinal(whole) + (self.decimal + decimals if decimals else "")


def parts(written: str, decimal: str) -> tuple[int, str]:
    """Return a number's whole part and its decimals ("" if it has none), whichever language wrote it.

    Args:
        written: a ``NUMBER``.
        decimal: the decimal mark of the text's language; decides what "1.234" is.

    """
    head, mark, tail = re.fullmatch(r"(.*?)(?:([.,' ])(\d*))?", written.strip()).groups()  # type: ignore[union-attr]
    is_decimal = mark in (".", ",") and (len(tail) != 3 or (mark == decimal and mark not in head))
    whole = "".join(filter(str.isdigit, head if is_decimal else written))
    return int(whole or "0"), tail if is_decimal else ""


@cache
def words_of(language: str) -> Words:
    """Read the words of one of ``LANGUAGES``."""
    file = resources.files("activities.text.verbalization").joinpath(f"{language}.toml")
    return Words(language=language, **tomllib.loads(file.read_text(encoding="utf-8")))


def any_of(symbols: Iterable[str]) -> str:
    """Return the pattern of any of these symbols, the longest first; a space within one may be left out."""
    longest_first = sorted(symbols, key=len, reverse=True)
    return "(?:" + "|".join(re.escape(symbol).replace(r"\ ", " ?") for symbol in longest_first) + ")"


def lookup(table: dict[str, Entry], written: str) -> Entry:
    """Return the entry of a symbol that ``any_of`` found, with or without the spaces within."""
    tight = written.replace(" ", "")
    return table.get(written) or next(said for symbol, said in table.items() if symbol.replace(" ", "") == tight)
