"""Split a long text into messages, where a platform takes only so many characters in one."""

SEPARATORS = ("\n\n", "\n", ". ", " ")
"""Where a text is split best, the best first: between paragraphs, lines, sentences, words."""


def split_text(text: str, limit: int) -> list[str]:
    """Split a text into parts of at most ``limit`` UTF-16 code units, which is how Telegram counts.

    Nothing but white space at the splits is lost. A text of white space alone has no parts.
    """
    parts, rest = [], text.strip()
    while units(rest) > limit:
        head = _longest(rest, limit)
        at = _best_split(head)
        parts.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*parts, rest] if rest else parts


def units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)


def _longest(text: str, limit: int) -> str:
    """Take as many characters as fit, one at least."""
    head = text[:limit]
    while len(head) > 1 and units(head) > limit:
        head = head[: -((units(head) - limit + 1) // 2)]  # a character takes two units at most: never one too many
    return head or text[:1]


def _best_split(head: str) -> int:
    """Find where to split: at the best separator in the second half, or at the very end."""
    for separator in SEPARATORS:
        at = head.rfind(separator, len(head) // 2)
        if at > 0:
            return at + len(separator)
    return len(head)
