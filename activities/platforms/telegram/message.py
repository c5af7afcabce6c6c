"""What a message says, and what the model has written so far, as Telegram shows them."""

import re

from telegram import MessageEntity

from activities.platforms.platform import MessageText
from activities.platforms.telegram.formatted import Formatted, Span, joined
from activities.platforms.telegram.markdown import formatted
from activities.text.speakable import well_formed

LONG_TRANSCRIPT_CHARS = 300
"""A longer one is folded, so that the answer is in sight."""
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
_ROW = re.compile(r"\s*\|")
_DELIMITERS = re.compile(r"\s*\|(?:\s*:?-+:?\s*\|)+\s*")
_MARKER = re.compile(r"\s*(?:[-=+*#>_~`|]+|\d{1,9}[.)]?)[ \t]*")
"""What may become a heading, a list, a quote or code, once there are words behind it."""
_HALF_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\Z")
_LAST_MARKS = re.compile(r"(?<!\S)[*_~`\[]+\Z")
_CODE = re.compile(r"`[^`\n]*`")
_NO_STYLE = re.compile(rf"{_CODE.pattern}|(?<!\S)\*(?!\S)|(?<=\w)\*(?=\w)")
"""Code, bullets and products: stars that begin no style."""


def composed(text: MessageText) -> Formatted:
    """Return a message's parts: what was heard as a quote, the answer's Markdown, june's own sentence as it stands."""
    answer = formatted(text.answer)
    if not answer.text:  # nothing but marks: better seen than lost
        answer = Formatted(well_formed(text.answer).strip())
    return joined((_heard(well_formed(text.transcript)), answer, Formatted(well_formed(text.notice))), "\n\n")


def _heard(transcript: str) -> Formatted:
    if not transcript.strip():
        return Formatted("")
    text = f"🎤 {transcript.strip()}"
    long = len(text) > LONG_TRANSCRIPT_CHARS
    kind = MessageEntity.EXPANDABLE_BLOCKQUOTE if long else MessageEntity.BLOCKQUOTE
    return Formatted(text, (Span(0, len(text), kind),))


def so_far(markdown: str) -> Formatted:
    """Return what the model has written so far: what it has only begun is shown as it will be, or left out."""
    return formatted(completed(well_formed(markdown)))


def completed(markdown: str) -> str:
    """End what unfinished Markdown has only begun: a style, a link, a table, a fence."""
    lines, fence, behind = markdown.split("\n"), "", 0
    for number, line in enumerate(lines[:-1], 1):
        found = _FENCE.match(line)
        if found and not fence:
            fence = found["fence"]
        elif found and found["fence"].startswith(fence) and not found["info"].strip():
            fence, behind = "", number
    if _MARKER.fullmatch(lines[-1]) or (not fence and _FENCE.match(lines[-1])):
        lines.pop()
    if fence:
        return "\n".join(lines).rstrip()
    lines = _without_half_table(lines)
    start = next((number for number in range(len(lines), behind, -1) if not lines[number - 1].strip()), behind)
    paragraph = _ended("\n".join(lines[start:]))
    return "\n".join([*lines[:start], paragraph]).rstrip()


def _without_half_table(lines: list[str]) -> list[str]:
    """Leave out rows at the end that are no table yet, as what stands below the first row is still to come."""
    lines = lines[:-1] if lines and not lines[-1] else lines
    start = len(lines)
    while start and _ROW.match(lines[start - 1]):
        start -= 1
    rows = lines[start:]
    begun = len(rows) == 1 or (len(rows) == 2 and not _DELIMITERS.fullmatch(rows[1]))
    return lines[:start] if begun else lines


def _ended(paragraph: str) -> str:
    """End the styles that are open at the end of a paragraph; marks at its very end are not shown yet."""
    paragraph = _LAST_MARKS.sub("", _HALF_LINK.sub(r"\1", paragraph).rstrip()).rstrip()
    if "`" in _CODE.sub("", paragraph):
        before, _, code = paragraph.rpartition("`")
        paragraph = f"{paragraph}`" if code.strip() else before.rstrip()
    for mark, single in (("*", True), ("**", False), ("~~", False)):
        outside = _NO_STYLE.sub("", paragraph)
        count = outside.count("*") - 2 * outside.count("**") if single else outside.count(mark)
        if count % 2:
            paragraph = paragraph.removesuffix(mark) if paragraph.endswith(mark) else paragraph + mark
    return paragraph
