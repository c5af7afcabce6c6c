"""Text with Telegram's formatting: its parts within the limits of a message, and the entities that mark them."""

from collections.abc import Iterable
from typing import NamedTuple

from telegram import MessageEntity

from activities.text.message_parts import units

SEPARATORS = ("\n\n", "\n", ". ", " ")
"""Where a text is split best, the best first: between paragraphs, lines, sentences, words."""
MOST_ENTITIES = 100
"""In one message; Telegram leaves out those beyond."""
CODE, QUOTES = MessageEntity.PRE, frozenset({MessageEntity.BLOCKQUOTE, MessageEntity.EXPANDABLE_BLOCKQUOTE})
LITERAL = frozenset({CODE, MessageEntity.CODE})
"""Where white space is meant as it stands."""


class Span(NamedTuple):
    """A stretch of text that is shown in some way."""

    start: int
    """In characters of the text."""
    end: int
    kind: str
    """A ``MessageEntity``'s type."""
    detail: str = ""
    """The address of a link, the language of code."""


class Formatted(NamedTuple):
    """A text and how it is shown."""

    text: str
    spans: tuple[Span, ...] = ()
    """By their starts."""

    @property
    def entities(self) -> list[MessageEntity]:
        """The spans as Telegram takes them: in UTF-16 code units."""
        places = sorted({place for span in self.spans for place in span[:2]})
        offsets, offset, before = dict[int, int](), 0, 0
        for place in places:
            offset, before = offset + units(self.text[before:place]), place
            offsets[place] = offset
        return [_entity(span, offsets[span.start], offsets[span.end]) for span in self.spans]

    @property
    def plain(self) -> str:
        """The text for a server that refuses its formatting: links are written out, where a message holds them."""
        whole = self.text
        for span in sorted(self.spans, key=lambda span: -span.end):
            if span.kind == MessageEntity.TEXT_LINK:
                whole = f"{whole[: span.end]} ({span.detail}){whole[span.end :]}"
        return whole

    def between(self, start: int, end: int) -> "Formatted":
        """Return a part of it, without white space around it, except that code keeps its indentation."""
        inside = [span for span in self.spans if span.start < end and span.end > start]
        literal = min((max(start, span.start) for span in inside if span.kind in LITERAL), default=end)
        if literal == start:
            literal += len(self.text[start:end]) - len(self.text[start:end].lstrip("\n"))
        while start < literal and self.text[start].isspace():
            start += 1
        end = start + len(self.text[start:end].rstrip())
        clipped = (
            Span(max(span.start, start) - start, min(span.end, end) - start, span.kind, span.detail) for span in inside
        )
        return Formatted(self.text[start:end], tuple(span for span in clipped if span.start < span.end))


def joined(parts: Iterable[Formatted], separator: str) -> Formatted:
    """Join texts; those without any are left out."""
    text, spans = "", list[Span]()
    for part in parts:
        if part.text:
            text += separator if text else ""
            spans += (span._replace(start=span.start + len(text), end=span.end + len(text)) for span in part.spans)
            text += part.text
    return Formatted(text, tuple(spans))


def split_formatted(whole: Formatted, limit: int) -> list[Formatted]:
    """Split a text into parts of at most ``limit`` UTF-16 code units and ``MOST_ENTITIES`` entities.

    Nothing but white space at the splits is lost. Code that a part can hold is not split. A text of white space alone
    has no parts.
    """
    parts, at, rest = [], 0, whole
    while at < len(whole.text):
        cut = _cut(rest, at, limit)
        parts.append(rest.between(at, cut))
        at = cut
        rest = Formatted(whole.text, tuple(span for span in rest.spans if span.end > at))
    return [part for part in parts if part.text]


def _cut(whole: Formatted, start: int, limit: int) -> int:
    """Return where the part that begins at ``start`` ends: the last good place in its second half.

    Args:
        whole: all of the text, with the spans that end behind ``start``.
        start: in characters.
        limit: UTF-16 code units of a part.

    """
    window = whole.text[start : start + limit].encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
    most = start + max(1, len(window))
    if len(whole.spans) > MOST_ENTITIES:
        most = min(most, max(start + 1, whole.spans[MOST_ENTITIES].start))
    if most >= len(whole.text):
        return len(whole.text)
    half = (start + most) // 2
    near = [span for span in whole.spans[:MOST_ENTITIES] if span.start < most]
    code = next((span for span in near if span.kind == CODE and span.start < most < span.end), None)
    if code is not None:
        if code.start > start and units(whole.text[code.start : code.end]) <= limit:
            return code.start
        line = whole.text.rfind("\n", max(code.start, half), most)
        return line + 1 if line > 0 else most
    text = whole.text[:most]
    for span in near:
        if span.kind in LITERAL:  # no place for a split is looked for in there
            text = text[: span.start] + "x" * (min(span.end, most) - span.start) + text[span.end :]
    found = ((text.rfind(mark, half), mark) for mark in SEPARATORS)
    return next((place + len(mark) for place, mark in found if place > start), most)


def _entity(span: Span, start: int, end: int) -> MessageEntity:
    url = span.detail if span.kind == MessageEntity.TEXT_LINK else None
    language = span.detail or None if span.kind == CODE else None
    return MessageEntity(span.kind, start, end - start, url=url, language=language)
