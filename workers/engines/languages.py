"""Which language a recording is in: what the model hears, weighed with what the chat speaks."""

from collections.abc import Collection, Sequence

Ranking = Sequence[tuple[str, float]]
"""Languages (ISO 639-1) with their probabilities, the likeliest first."""

LIKELY = 4.0
"""Weight of an expected language. Of 103 clips of one to three words (real ones in four languages, Piper's in English)
93 are right without it, 98 with a right expectation. A wrong one spoils two of 0.3 s in which no language had more
than 0.25; from a weight of 4.5 on it spoils words."""
CERTAIN = 0.8
"""Probability of a language that no expectation changes."""


def choose(ranking: Ranking, likely: Collection[str]) -> tuple[str, float]:
    """Return the likeliest language, and how likely it is (0 to 1), when these languages are expected."""
    best, probability = ranking[0]
    if probability >= CERTAIN or not likely:
        return best, probability
    weighted = {code: part * (LIKELY if code in likely else 1) for code, part in ranking}
    best = max(weighted, key=weighted.__getitem__)
    return best, weighted[best] / sum(weighted.values())


def carried_over(languages: Sequence[str | None], otherwise: str) -> list[str]:
    """Give pieces without a language that of the piece before, or else of the first that has one.

    ``otherwise``: the language where none of them has any.
    """
    current = next(filter(None, languages), otherwise)
    carried = []
    for language in languages:
        current = language or current
        carried.append(current)
    return carried
