"""Languages of texts: their codes, and that of each sentence of an answer, which decides the voice that speaks it."""

from collections.abc import Callable, Sequence
from functools import lru_cache

DetectLanguage = Callable[[str, Sequence[str]], str | None]
"""Return the language of a text (ISO 639-1), given the likely ones; None when it has no letters."""
LATIN_ENDS = "\u024f"
"""Last letter of Unicode's Latin blocks; those of other scripts come after it."""
MAX_CONTEXT_CHARS = 400
"""Of the answer so far; its beginning tells the language that it is in."""
CACHED_TEXTS = 256
"""Sentences of a long answer, and its beginnings."""


def language_code(tag: str) -> str:
    """Return the language of a tag: ``en`` of ``en_US`` or ``EN-gb``."""
    return tag.lower().replace("_", "-").split("-")[0]


def likeliest(language: str | None, likely: Sequence[str]) -> tuple[str, ...]:
    """Put a language, if there is one, before those that are likely."""
    return tuple(dict.fromkeys((language, *likely) if language else likely))


class AnswerLanguages:
    """Tells languages of sentences by what is said in them, by the answer before them, and by what is likely.

    A function of the answer alone, however it arrives, so that a sentence spoken ahead is the same when it is certain.
    """

    def __init__(self, detect: DetectLanguage, likely: Sequence[str]) -> None:
        """Expect languages (ISO 639-1), the likeliest first."""
        self._detect = lru_cache(maxsize=CACHED_TEXTS)(detect)  # sentences are asked about as they come, and at the end
        self._likely = tuple(likely)

    def of(self, sentence: str, before: Sequence[str]) -> str | None:
        """Return the language of a sentence, given those before it in the answer; None when it has no letters."""
        context = self._detect(_beginning(before), self._likely) if before else None
        return self._detect(sentence, likeliest(context, self._likely)) or context

    def of_all(self, sentences: Sequence[str]) -> tuple[str | None, ...]:
        """Return the language of each sentence of an answer."""
        return tuple(self.of(sentence, sentences[:index]) for index, sentence in enumerate(sentences))


def _beginning(sentences: Sequence[str]) -> str:
    text = ""
    for sentence in sentences:
        if len(text) >= MAX_CONTEXT_CHARS:
            break
        text = f"{text} {sentence}"
    return text[:MAX_CONTEXT_CHARS]
