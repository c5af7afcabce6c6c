"""The first stage of speaking an answer while it is written: Markdown into blocks of text.

What is not said (code, rules, blank lines) is left out here. The text of a block is passed on as soon as it is certain
to belong to it, which a new line is once it is known how the next line begins. Decisions look at a fixed amount of
text, never at what happens to have arrived, so that any chunking of an answer gives the same blocks.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

_LEAD = re.compile(r"[ \t>]*(?P<marker>#{1,6}[ \t]+|(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)+)?")
_FENCE = re.compile(r"`{3,}(?=[^`]*$)|~{3,}")
_RULE_TOKEN = re.compile(r"[-=_*]+")
_RULE = re.compile(r"[-=_*][-=_* \t]*")
_TABLE_END = re.compile(r"\n(?=[ \t>]*[^ \t>|])")


class Begin(NamedTuple):
    """A block of text begins."""

    lead: int
    """Characters of its Markdown marks, before the text."""
    closes: bool
    """It ends like a sentence, being a heading or a list item."""


class Text(NamedTuple):
    """Some more of the block that has begun, in Markdown."""

    markdown: str
    ends_line: bool = False
    """The line ends here; whether the block does depends on how the next begins."""


class End(NamedTuple):
    """The block ends."""


class Table(NamedTuple):
    """A whole table: each column's name is needed for every row."""

    markdown: str


Event = Begin | Text | End | Table


class BlockStream:
    """Turns Markdown that arrives in pieces into blocks."""

    def __init__(self) -> None:
        """Begin between blocks."""
        self.pending = ""
        """What has arrived and is not passed on yet."""
        self._fence = ""  # the marks that opened the code block in which `pending` begins
        self._inside = False  # `pending` goes on with a block of text
        self._line_ended = False  # ... and whoever reads the block knows that its line has ended
        self._looked = 0  # no table ends in `pending` before here

    def feed(self, delta: str) -> Iterator[Event]:
        """Add more of the answer; yield what is certain now."""
        self.pending += delta.replace("\r", " ")
        yield from self._advance(last=False)

    def finish(self) -> Iterator[Event]:
        """Yield what is left, the answer being complete."""
        yield from self._advance(last=True)

    def _advance(self, *, last: bool) -> Iterator[Event]:
        """Work through what is pending until nothing is, or more text is needed to decide."""
        while self.pending:
            before = len(self.pending), self._inside
            if self._fence:
                self._skip_code(last=last)
            elif self._inside:
                yield from self._go_on(last=last)
            else:
                yield from self._begin(last=last)
            if before == (len(self.pending), self._inside):
                break
        if last and self._inside:
            self._inside = False
            yield End()

    def _skip_code(self, *, last: bool) -> None:
        line, newline, rest = self.pending.partition("\n")
        if newline or last:
            self.pending = rest
            marks = line.strip(" \t>")
            if marks.startswith(self._fence) and not marks.strip(self._fence[0]):
                self._fence = ""

    def _go_on(self, *, last: bool) -> Iterator[Event]:
        """Pass on the line, and then the end of it, unless the block ends with it."""
        text, newline, rest = self.pending.partition("\n")
        if text:
            self.pending, self._line_ended = newline + rest, bool(newline)
            yield Text(text, ends_line=bool(newline))
            return
        following = line_of(rest, last=last)
        if following.kind is Kind.UNKNOWN:
            if not self._line_ended:
                self._line_ended = True
                yield Text("", ends_line=True)
        elif following.kind is Kind.TEXT and not following.marked:
            self.pending, self._line_ended = rest, False
            yield Text("\n")
        else:
            self._inside = False
            yield End()

    def _begin(self, *, last: bool) -> Iterator[Event]:
        self.pending = self.pending.lstrip()
        line = line_of(self.pending, last=last)
        if line.kind is Kind.TEXT:
            self._inside = True
            yield Begin(line.lead, line.marked)
        elif line.kind is Kind.TABLE:
            end = _TABLE_END.search(self.pending, self._looked)
            if end or last:
                cut = end.start() if end else len(self.pending)
                table, self.pending, self._looked = self.pending[:cut], self.pending[cut:], 0
                yield Table(table)
            else:
                self._looked = len(self.pending.rstrip(" \t>\n"))
        elif line.kind is not Kind.UNKNOWN:
            self._fence = line.fence
            self.pending = self.pending.partition("\n")[2]


class Kind(Enum):
    """What a line is."""

    UNKNOWN = auto()
    """More text is needed."""
    BLANK = auto()
    FENCE = auto()
    RULE = auto()
    """A thematic break, or the line under a heading."""
    TABLE = auto()
    TEXT = auto()


class Line(NamedTuple):
    """The first line of a text."""

    kind: Kind
    marked: bool = False
    """It begins a heading or list item."""
    lead: int = 0
    """Length of the marks before the text."""
    fence: str = ""


def line_of(text: str, *, last: bool) -> Line:
    """Return what the first line of a text is, as soon as no further text can change that."""
    line, newline, _ = text.partition("\n")
    complete = bool(newline) or last
    match = _LEAD.match(line)
    lead, marked = (match.end(), bool(match["marker"])) if match else (0, False)
    content = line[lead:]
    words = content.split(maxsplit=1)
    if not words:
        return Line(Kind.BLANK if complete else Kind.UNKNOWN)
    long_marks = _RULE_TOKEN.fullmatch(words[0]) or words[0].startswith(("```", "~~~"))
    if not complete and (long_marks or not content[len(words[0]) :]):
        return Line(Kind.UNKNOWN)
    if fence := _FENCE.match(content):
        return Line(Kind.FENCE, fence=fence[0])
    if _RULE.fullmatch(content.strip()):
        return Line(Kind.RULE)
    return Line(Kind.TABLE) if content.startswith("|") else Line(Kind.TEXT, marked, lead)
