"""Text of models and programs as a page may show it: whatever is not seen is spelled out, and what is long is cut."""

import re
import unicodedata
from typing import NamedTuple

from markupsafe import escape

from agent.transcript import cut

_COLOURS = re.compile(r"\x1b\[[0-9;:]{0,40}m")
"""Terminals' colours and weights: left out, as they say nothing that the text does not."""
LINE_BYTES = 32
"""Around a line, where each has its own element."""
LEAST_CHARS = 100


class Shown(NamedTuple):
    """A text for a page."""

    text: str
    whole: bool


def visible(text: str) -> str:
    r"""Return text in which control characters, halves of characters and what turns text round are spelled ``\x00``."""
    plain = _COLOURS.sub("", text).replace("\r\n", "\n")
    if plain.isascii() and plain.replace("\n", "").replace("\t", "").isprintable():
        return plain
    return "".join(sign if _is_seen(sign) else ascii(sign)[1:-1] for sign in plain)


def page_bytes(text: str) -> int:
    """Return how many bytes a text takes in a page, where each line has its own element."""
    return len(escape(visible(text)).encode()) + LINE_BYTES * (text.count("\n") + 1)


def shown(text: str, most_bytes: int) -> Shown:
    """Return a text that takes at most so many bytes of a page, or about a hundred characters: beginning and end."""
    # A text of more characters is not measured: megabytes of it would take seconds.
    if len(text) <= most_bytes and page_bytes(text) <= most_bytes:
        return Shown(text, whole=True)
    limit = min(len(text) - 1, most_bytes)
    while limit > LEAST_CHARS and page_bytes(cut(text, limit)) > most_bytes:
        limit = limit * 3 // 4
    return Shown(cut(text, max(limit, LEAST_CHARS)), whole=False)


def _is_seen(sign: str) -> bool:
    return sign.isprintable() or sign in "\n\t" or unicodedata.category(sign) == "Zs"
