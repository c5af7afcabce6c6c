"""Find where a model has begun to say the same over and over, as small ones and quantised ones do."""

from collections.abc import Sequence
from typing import NamedTuple

KEPT = 3
"""Times that the same is shown and spoken."""
MAX_TIMES = 20
"""The same so many times in a row is a loop; fewer may be meant."""
MIN_CHARS = 400
"""A shorter loop may be a line of dashes or a row of zeros."""
MAX_PERIOD = 300
"""Characters of what is repeated."""
MAX_CYCLE = 4
"""Sentences of what is repeated."""


class Loop(NamedTuple):
    """A loop at the end of a text."""

    start: int
    """Index of its first character."""
    period: int
    """Characters of what is repeated."""


def find_loop(text: str) -> Loop | None:
    """Return the loop that a text ends in; None when it ends in none."""
    for period in range(1, min(MAX_PERIOD, len(text) // MAX_TIMES) + 1):
        if text[-period:] != text[-2 * period : -period]:
            continue
        length = max(MAX_TIMES * period, MIN_CHARS)
        if length <= len(text) and text[-length:-period] == text[period - length :]:
            start = len(text) - length
            while start > 0 and text[start - 1] == text[start - 1 + period]:
                start -= 1
            return Loop(start, period)
    return None


def is_repeated(said: Sequence[str], sentence: str) -> bool:
    """Return whether a sentence goes on with what was said ``KEPT`` times already, alone or in a cycle of a few."""
    for cycle in range(1, MAX_CYCLE + 1):
        last = said[-KEPT * cycle :]
        if len(last) == KEPT * cycle and sentence == last[-cycle] and last[cycle:] == last[:-cycle]:
            return True
    return False
