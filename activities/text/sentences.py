"""Split an answer into sentences to speak, while the model still writes it.

The raw Markdown is cut into pieces from left to right, and each piece is made speakable on its own. Every
decision to cut looks at the text before the place and a fixed amount after it, never at what happens to have
arrived, so that any chunking of an answer gives the same sentences.
"""

# ruff: noqa: RUF001 - the marks of many scripts are meant as they are

import copy
import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

import sentencex  # type: ignore[import-untyped]

from activities.text.speakable import speakable, speakable_line, with_stop

MAX_SENTENCE_CHARS = 300
"""Longer sentences are broken at a clause mark or a space; speech engines slow down and stumble on more."""
CLAUSE_CHARS = 30
"""A clause this long is spoken while the rest of its sentence is still being written..."""
REST_CHARS = 25
"""... if that is at least so long; nothing short is left to be said alone. The least that keeps its own melody."""
_MAX_UNDECIDED_CHARS = 400
"""A piece this long is cut at its next stop, whatever brackets are open; bounds the work on hostile text."""

_CLOSERS = "\"'”’»)\\]}*_~`"
_STOPS = ".!?…؟۔।॥"
_WIDE_STOPS = "。！？．｡"
_LATIN_STOP = rf"(?<![{_STOPS}])[{_STOPS}]++[{_CLOSERS}]*+(?=\s)"
_WIDE_STOP = rf"(?<![{_WIDE_STOPS}])(?P<wide>[{_WIDE_STOPS}]++[」』）{_CLOSERS}]*+)"
_CLAUSE_MARK = r"[,;:–—](?=\s)|[、，；：]"
_STOP = re.compile(rf"{_LATIN_STOP}|{_WIDE_STOP}|\n|(?P<clause>{_CLAUSE_MARK})")
_ANOTHER = " Smith "
"""What may begin a sentence, and follows most abbreviations that do not end one."""
_UNFINISHED_STOP = _STOPS + _WIDE_STOPS + "」』）,;:–—" + _CLOSERS.replace("\\", "")
_ENDS = re.compile(rf"[{_STOPS}{_WIDE_STOPS}\n]")
_AT_STOP = re.compile(rf"[^\W\d_][{_CLOSERS}]*[{_STOPS}]+[{_CLOSERS}]*\Z")
_NEAR = 16
"""Characters that a stop with all its quotes and brackets takes."""
_LINE_END = re.compile(r"[ \t]*\n")
_NEXT_TOKEN = re.compile(r"\s*\S+(?=\s)")
_LEAD = re.compile(r"[ \t>]*(?P<marker>#{1,6}[ \t]+|(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)+)?")
_FENCE = re.compile(r"`{3,}(?=[^`]*$)|~{3,}")
_RULE_TOKEN = re.compile(r"[-=_*]+")
_RULE = re.compile(r"[-=_*][-=_* \t]*")
_TABLE_END = re.compile(r"\n(?=[ \t>]*[^ \t>|])")
_QUOTE_MARKS = re.compile(r"^[ \t]*>[ \t>]*", re.MULTILINE)
_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_OPEN = re.compile(r"`|\]\([^)]*$|<[A-Za-z/!][^<>]*$|<(script|style)\b(?!.*</\1)", re.DOTALL | re.IGNORECASE)
_CLAUSE = re.compile(_CLAUSE_MARK)
_PAIRED = '*_"~'


def split(markdown: str, language: str = "en") -> tuple[str, ...]:
    """Give the sentences to speak of a whole answer."""
    stream = SentenceStream(language)
    return (*stream.feed(markdown), *stream.finish())


class SentenceStream:
    """Gives the finished sentences of an answer as it grows.

    A sentence is finished when the next has begun or its paragraph has ended; a long one is given by its clauses.
    Nothing is given out of an open code fence, inline code, link or table. No sentence is without a letter or digit:
    "1." goes with the next.
    """

    def __init__(self, language: str = "en") -> None:
        """Split by the rules of ``language`` (ISO 639-1); unknown ones follow English."""
        self._language = language if language.isascii() else "en"
        self._buffer = ""
        self._looked = 0  # every stop in the buffer before here was looked at, and ends nothing
        self._fence = ""  # the marks that opened the code block in which the buffer begins
        self._inside = False  # the buffer begins within a block of text
        self._first = False  # ... and at its first line, where Markdown's block marks count
        self._closes = False  # ... and the block, a heading or list item, ends like a sentence
        self._fragment = ""  # what was too little to be said alone

    def feed(self, delta: str) -> list[str]:
        """Take more of the answer; give the sentences that are now certain."""
        self._buffer += delta.replace("\r", " ")
        return list(self._advance(last=False))

    def finish(self) -> list[str]:
        """Give what is left, the answer being complete."""
        rest = list(self._advance(last=True))
        fragment, self._fragment = self._fragment, ""
        return [*rest, *_broken(fragment)]

    def ahead(self) -> list[str]:
        """Give the sentences that are certain if another begins here; none unless the text stands at a stop.

        A guess, two words ahead of the certainty: what comes next may go on with the sentence after all.
        """
        if not _AT_STOP.search(self._buffer[-_NEAR:]) or _is_amid(self._buffer):
            return []
        return copy.copy(self).feed(_ANOTHER)

    def _advance(self, *, last: bool) -> Iterator[str]:
        """Work through the buffer until it is empty, or more text is needed to decide."""
        while self._buffer:
            before = len(self._buffer), self._inside
            if self._fence:
                self._skip_code(last=last)
            elif self._inside:
                yield from self._next_piece(last=last)
            else:
                yield from self._begin_block(last=last)
            if before == (len(self._buffer), self._inside):
                return

    def _skip_code(self, *, last: bool) -> None:
        line, newline, rest = self._buffer.partition("\n")
        if newline or last:
            self._buffer = rest
            marks = line.strip(" \t>")
            if marks.startswith(self._fence) and not marks.strip(self._fence[0]):
                self._fence = ""

    def _begin_block(self, *, last: bool) -> Iterator[str]:
        self._buffer = self._buffer.lstrip()
        line = _line(self._buffer, last=last)
        if line.kind is _Kind.TABLE:
            yield from self._table(last=last)
        elif line.kind is _Kind.TEXT:
            self._inside, self._first, self._closes, self._looked = True, True, line.marked, line.lead
        elif line.kind is not _Kind.UNKNOWN:
            self._fence = line.fence
            self._buffer = self._buffer.partition("\n")[2]

    def _table(self, *, last: bool) -> Iterator[str]:
        """Say a table when its end is there; each column's name is needed for every row."""
        end = _TABLE_END.search(self._buffer, self._looked)
        if end or last:
            raw, self._buffer = self._cut(end.start() if end else len(self._buffer))
            yield from self._say(speakable(raw))
        else:
            self._looked = len(self._buffer.rstrip(" \t>\n"))

    def _next_piece(self, *, last: bool) -> Iterator[str]:
        for stop in _STOP.finditer(self._buffer, self._looked):
            decision = self._decide(stop, last=last)
            if decision is _Decision.WAIT:
                self._looked = stop.start()
                return
            if decision is not _Decision.GO_ON:
                ends_block = decision is _Decision.END_BLOCK
                yield from self._piece(stop.start() if ends_block else stop.end(), ends_block=ends_block)
                return
        if last:
            yield from self._piece(len(self._buffer), ends_block=True)
        else:
            self._looked = max(self._looked, len(self._buffer.rstrip(_UNFINISHED_STOP)))

    def _decide(self, stop: re.Match[str], *, last: bool) -> "_Decision":
        """Say whether the text ends at this stop, clause mark or newline."""
        if stop["clause"]:
            return self._decide_clause(stop, last=last)
        line_end = stop if stop[0] == "\n" else _LINE_END.match(self._buffer, stop.end())
        if line_end:
            line = _line(self._buffer[line_end.end() :], last=last)
            if line.kind is _Kind.UNKNOWN:
                return _Decision.WAIT
            if line.kind is not _Kind.TEXT or line.marked:
                return _Decision.END_BLOCK if line_end is stop else _Decision.GO_ON
            if line_end is stop:
                return _Decision.GO_ON
        return self._decide_sentence(stop, last=last)

    def _decide_clause(self, stop: re.Match[str], *, last: bool) -> "_Decision":
        """Say whether a clause ends at this mark that can be said alone, by all before it and a little after."""
        before = self._buffer[: stop.end()]
        rest = self._buffer[stop.end() : stop.end() + REST_CHARS]
        if len(before) < CLAUSE_CHARS or _ENDS.search(rest):
            return _Decision.GO_ON
        if len(rest) < REST_CHARS:
            return _Decision.GO_ON if last else _Decision.WAIT
        return _Decision.GO_ON if _is_open(before) or _is_amid(before) else _Decision.CUT

    def _decide_sentence(self, stop: re.Match[str], *, last: bool) -> "_Decision":
        """Say whether a sentence ends at this stop, by all before it and the one word after it."""
        following = _NEXT_TOKEN.match(self._buffer, stop.end())
        if not following and not last and not (stop["wide"] and stop.end() < len(self._buffer)):
            return _Decision.WAIT
        if stop.end() > _MAX_UNDECIDED_CHARS:
            return _Decision.CUT
        before = self._buffer[: stop.end()]
        if _is_open(before):
            return _Decision.GO_ON
        if stop["wide"]:
            return _Decision.CUT
        after = following[0] if following else self._buffer[stop.end() :]
        return _Decision.CUT if self._is_boundary(speakable_line(before), speakable_line(after)) else _Decision.GO_ON

    def _is_boundary(self, before: str, after: str) -> bool:
        position = 0
        for sentence in sentencex.segment(self._language, f"{before} {after}"):
            position += len(sentence)
            if position >= len(before):
                return position <= len(before) + 1
        return True

    def _piece(self, end: int, *, ends_block: bool) -> Iterator[str]:
        """Say the buffer up to ``end``."""
        raw, self._buffer = self._cut(end)
        raw = _QUOTE_MARKS.sub("", raw)
        text = speakable(raw) if self._first else speakable_line(raw)
        if ends_block and self._closes:
            text = with_stop(text)
        self._inside, self._first = not ends_block, False
        yield from self._say(text)

    def _cut(self, end: int) -> tuple[str, str]:
        self._looked = 0
        return self._buffer[:end], self._buffer[end:].lstrip(" \t")

    def _say(self, text: str) -> Iterator[str]:
        for paragraph in text.split("\n\n"):
            sentence = f"{self._fragment} {paragraph}".strip()
            if any(map(str.isalpha, sentence)):
                self._fragment = ""
                yield from _broken(sentence)
            else:
                self._fragment = sentence


class _Decision(Enum):
    WAIT = auto()
    GO_ON = auto()
    CUT = auto()
    END_BLOCK = auto()


class _Kind(Enum):
    UNKNOWN = auto()
    """More text is needed."""
    BLANK = auto()
    FENCE = auto()
    RULE = auto()
    """A thematic break, or the line under a heading."""
    TABLE = auto()
    TEXT = auto()


class _Line(NamedTuple):
    kind: _Kind
    marked: bool = False
    """Begins a heading or list item."""
    lead: int = 0
    """Length of the marks before the text."""
    fence: str = ""


def _line(text: str, *, last: bool) -> _Line:
    """Say what the first line of a text is, as soon as no further text can change that."""
    line, newline, _ = text.partition("\n")
    complete = bool(newline) or last
    match = _LEAD.match(line)
    lead, marked = (match.end(), bool(match["marker"])) if match else (0, False)
    words = line[lead:].split(maxsplit=1)
    if not words:
        return _Line(_Kind.BLANK if complete else _Kind.UNKNOWN)
    long_marks = _RULE_TOKEN.fullmatch(words[0]) or words[0].startswith(("```", "~~~"))
    if not complete and (long_marks or not line[lead + len(words[0]) :]):
        return _Line(_Kind.UNKNOWN)
    return _kind(line[lead:], marked=marked, lead=lead)


def _kind(text: str, *, marked: bool, lead: int) -> _Line:
    if fence := _FENCE.match(text):
        return _Line(_Kind.FENCE, fence=fence[0])
    if _RULE.fullmatch(text.strip()):
        return _Line(_Kind.RULE)
    if text.startswith("|"):
        return _Line(_Kind.TABLE)
    return _Line(_Kind.TEXT, marked, lead)


def _is_open(raw: str) -> bool:
    """Say whether a text ends within inline code, a link or HTML, so that it cannot be cut here."""
    raw = _CODE.sub("", raw)
    return raw.count("[") > raw.count("]") or bool(_OPEN.search(raw))


def _is_amid(raw: str) -> bool:
    """Say whether a text ends within brackets, quotes or emphasis, which are said in one breath."""
    return raw.count("(") > raw.count(")") or any(raw.count(mark) % 2 for mark in _PAIRED)


def _broken(text: str) -> Iterator[str]:
    """Break a long sentence; what has neither letter nor digit is silent and left out."""
    while text:
        part, text = _first_part(text)
        if any(map(str.isalnum, part)):
            yield part


def _first_part(text: str) -> tuple[str, str]:
    if len(text) <= MAX_SENTENCE_CHARS:
        return text, ""
    clauses = [match.end() for match in _CLAUSE.finditer(text, MAX_SENTENCE_CHARS // 3, MAX_SENTENCE_CHARS)]
    end = clauses[-1] if clauses else text.rfind(" ", 1, MAX_SENTENCE_CHARS)
    end = end if end > 0 else MAX_SENTENCE_CHARS
    return text[:end].strip(), text[end:].strip()
