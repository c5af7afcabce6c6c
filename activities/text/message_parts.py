"""Split a long text into messages, where a platform takes only so many characters in one."""

SEPARATORS = ("\n\n", "\n", ". ", " ")
"""Where a text is split best, the best first: between paragraphs, lines, sentences, words."""


def split_text(text: str, limit: int) -> list[str]:
    """Split a text into parts of at most ``limit`` UTF-16 code units, which is how Telegram counts.

    Nothing but white space at the splits is lost. A text of white space alone has no parts.
    """
    parts, rest = [], text.strip()
    while units(rest) > limit:
        head = rest[:limit]
        while len(head) > 1 and units(head) > limit:  # a character takes two units at most: never one too many
            head = head[: -((units(head) - limit + 1) // 2)]
        head = head or rest[:1]
        found = ((head.rfind(mark, len(head) // 2), mark) for mark in SEPARATORS)  # in the second half
        at = next((start + len(mark) for start, mark in found if start > 0), len(head))
        parts.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*parts, rest] if rest else parts


def units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)
