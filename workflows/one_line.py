"""A text on one line, as the Temporal Web UI's summaries and lists have room for."""

SUMMARY_CHARS = 90
"""The server takes 400 bytes of summary; a line of the UI shows about this much."""


CELL_CHARS = 100
"""The server takes 20,000 bytes of details."""
GAP = "\u2003"
"""An em space: the Web UI sets a table's columns without any between them."""


def shortened(text: str, chars: int = SUMMARY_CHARS) -> str:
    """Put a text on one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= chars else line[: chars - 1] + "…"


def cell(text: str, chars: int = CELL_CHARS) -> str:
    """Put a text into a table's cell or into code, at most so many characters: without what would break either."""
    return shortened(text, chars).replace("|", "¦").replace("`", "'")
