"""Which language a text is in, by py3langid and by what is likely."""

from collections.abc import Sequence

from py3langid.langid import (  # type: ignore[import-untyped]
    MODEL_FILE,
    LanguageIdentifier,
)

from activities.text.languages import LATIN_ENDS

MAX_CHARS = 1000
"""More tells nothing new."""
FIRST, LIKELY, COMMON = 40.0, 20.0, 3.0
"""How many times as likely as any other language are the first of those given, the others given, and common ones.

Of 24 texts of one to three words, py3langid alone names 17 rightly, and with two likely languages all 24.
"""
ISO_639_1 = 2
"""Letters of a code."""
UNSPOKEN = frozenset({"eo", "ia", "ie", "io", "la", "sa", "vo"})
"""Languages in which nobody asks a question, and with which short words are confused."""
ENOUGH_WORDS = 3
_COMMON = "ar bn cs da de el en es fa fi fr he hi hu id it ja ko nl no pl pt ro ru sk sv ta te th tr uk ur vi zh"
COMMON_LANGUAGES = frozenset(_COMMON.split())


class LanguageDetector:
    """Detects languages with ISO 639-1 codes; py3langid's others are dialects that few texts are in.

    Loading takes about half a second and 80 MB, a sentence about 50 microseconds.
    """

    def __init__(self) -> None:
        """Load the model, which comes with the library."""
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def detect(self, text: str, likely: Sequence[str]) -> str | None:
        """Return the language of a text (ISO 639-1); None when it has no letters.

        Args:
            text: its first thousand characters count.
            likely: languages that it may be in, the likeliest first. A short text is taken for one of them, a longer
                one only if it may well be.

        """
        text = text[:MAX_CHARS]
        if not any(map(str.isalpha, text)):
            return None
        weights = dict.fromkeys(COMMON_LANGUAGES, COMMON) | dict.fromkeys(likely[1:], LIKELY)
        weights |= dict.fromkeys(likely[:1], FIRST)
        scores: dict[str, float] = dict(self._identifier.rank(_telling(text)))
        known = (code for code in scores if len(code) == ISO_639_1 and code not in UNSPOKEN)
        return max(known, key=lambda code: scores[code] * weights.get(code, 1.0))


def _telling(text: str) -> str:
    """Return the words that tell the language: in the script of most letters, and no names where others are left."""
    words = text.split()
    latin = sum(letter <= LATIN_ENDS for letter in text if letter.isalpha()) * 2 >= sum(map(str.isalpha, text))
    words = [word for word in words if any(letter.isalpha() and (letter <= LATIN_ENDS) == latin for letter in word)]
    plain = words[:1] + [word for word in words[1:] if not word[0].isupper()]
    return " ".join(plain if len(plain) >= ENOUGH_WORDS else words)
