"""Word and character errors: how far what was heard is from what was said."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from activities.text.spoken import spoken

_NUMBER = re.compile(r"(?<![\w.,])\d{1,9}(?![\w]|[.,]\d)")
_APOSTROPHES = str.maketrans("", "", "'`\u2019\u02bc\u00b4")
_LETTERS = str.maketrans({"ё": "е"})  # noqa: RUF001 - Russian writes either


class WordErrors(NamedTuple):
    """Counts of one comparison; sums of them are those of several."""

    words: int
    """That were said."""
    words_wrong: int
    """Substituted, left out, or added; more than were said, where more was heard."""
    chars: int
    """That were said; the spaces between words count, as is usual."""
    chars_wrong: int

    @property
    def word_rate(self) -> float:
        """Errors for each word that was said; 0 where nothing was said and nothing heard."""
        return self.words_wrong / max(1, self.words)


def compare(said: str, heard: str, language: str = "") -> WordErrors:
    """Compare without regard to case, punctuation, hyphens, and whether a whole number is in digits.

    Args:
        said: what should have been heard.
        heard: what was.
        language: ISO 639-1 code, in which numbers are read; without one they stay digits.

    """
    words, others = normalized(said, language), normalized(heard, language)
    line, other = " ".join(words), " ".join(others)
    return WordErrors(len(words), distance(words, others), len(line), distance(line, other))


def normalized(text: str, language: str = "") -> list[str]:
    """Return the words of a text as they are compared."""
    plain = unicodedata.normalize("NFKC", text)
    if language:
        plain = _NUMBER.sub(lambda number: f" {spoken(number[0], language)} ", plain)
    plain = plain.casefold().translate(_APOSTROPHES).translate(_LETTERS)
    return "".join(" " if unicodedata.category(each)[0] in "PSZC" else each for each in plain).split()


def distance(one: Sequence[object], other: Sequence[object]) -> int:
    """Return the fewest substitutions, deletions and insertions that make one of the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for number, item in enumerate(one, 1):
        before, row[0] = row[0], number
        for place, wanted in enumerate(other, 1):
            before, row[place] = row[place], min(before + (item != wanted), row[place] + 1, row[place - 1] + 1)
    return row[-1]
