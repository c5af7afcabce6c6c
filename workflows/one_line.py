"""A text on one line, as the Temporal Web UI's summaries and lists have room for."""

SUMMARY_CHARS = 90
"""The server takes 400 bytes of summary; a line of the UI shows about this much."""


def shortened(text: str, chars: int = SUMMARY_CHARS) -> str:
    """Put a text on one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= chars else line[: chars - 1] + "…"
