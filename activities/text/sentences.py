"""Split an answer into sentences to speak, while the model still writes it.

``activities.text.blocks`` turns the Markdown into blocks; here the text of a block is cut from left to right, and each
piece is made speakable on its own. Every decision to cut looks at the text before the place and a fixed amount after
it, never at what happens to have arrived, so that any chunking of an answer gives the same sentences.
"""

# ruff: noqa: RUF001 - the marks of many scripts are meant as they are

import copy
import re
from collections.abc import Iterator
from enum import Enum, auto

import sentencex  # type: ignore[import-untyped]

from activities.text.blocks import Begin, BlockStream, End, Event, Table, Text
from activities.text.operators import with_products
from activities.text.speakable import OPEN_TAG, speakable, speakable_line, with_stop
from activities.text.verbalization.abbreviations import is_unfinished

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
_STOP = re.compile(rf"{_LATIN_STOP}|{_WIDE_STOP}|(?P<clause>{_CLAUSE_MARK})")
_ANOTHER = " Smith "
"""What may begin a sentence, and follows most abbreviations that do not end one."""
_UNFINISHED_STOP = _STOPS + _WIDE_STOPS + "」』）,;:–—" + _CLOSERS.replace("\\", "")
_ENDS = re.compile(rf"[{_STOPS}{_WIDE_STOPS}\n]")
_AT_STOP = re.compile(rf"[^\W\d_][{_CLOSERS}]*[{_STOPS}]+[{_CLOSERS}]*\Z")
_NEAR = 16
"""Characters that a stop with all its quotes and brackets takes."""
_NEXT_TOKEN = re.compile(r"\s*\S+(?=\s)")
_LAST_TOKEN = re.compile(r"\s*\S+(?=\s|\Z)")
_QUOTE_MARKS = re.compile(r"^[ \t]*>[ \t>]*", re.MULTILINE)
_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_OPEN = re.compile(r"`|\]\([^)]*$|<(script|style)\b(?!.*</\1)", re.DOTALL | re.IGNORECASE)
_CLAUSE = re.compile(_CLAUSE_MARK)
_PAIRED = '*_"~'


def split(markdown: str, language: str = "en") -> tuple[str, ...]:
    """Return the sentences to speak of a whole answer."""
    stream = SentenceStream(language)
    return (*stream.feed(markdown), *stream.finish())


class SentenceStream:
    """Returns the finished sentences of an answer as it grows.

    A sentence is finished when the next has begun or its paragraph has ended; a long one is said by its clauses.
    Nothing is said out of an open code fence, inline code, link or table. No sentence is without a letter or digit:
    "1." goes with the next.
    """

    def __init__(self, language: str = "en") -> None:
        """Split by the rules of ``language`` (ISO 639-1); unknown ones follow English."""
        self._blocks = BlockStream()
        self._block = _Block(language if language.isascii() else "en")
        self._fragment = ""  # what was too little to be said alone

    def feed(self, delta: str) -> list[str]:
        """Add more of the answer; return the sentences that are now certain."""
        return [sentence for event in self._blocks.feed(delta) for sentence in self._said(event)]

    def finish(self) -> list[str]:
        """Return what is left, the answer being complete."""
        rest = [sentence for event in self._blocks.finish() for sentence in self._said(event)]
        fragment, self._fragment = self._fragment, ""
        return [*rest, *_broken(fragment)]

    def ahead(self) -> list[str]:
        """Return the sentences that are certain if another begins here; none unless the text stands at a stop.

        A guess, two words ahead of the certainty: what comes next may go on with the sentence after all.
        """
        pending = self._block.pending + self._blocks.pending
        if not _AT_STOP.search(pending[-_NEAR:]) or _is_amid(pending):
            return []
        return copy.deepcopy(self).feed(_ANOTHER)

    def _said(self, event: Event) -> Iterator[str]:
        """Yield what an event completes: sentences, long ones broken, and little ones together with the next."""
        texts = [speakable(event.markdown)] if isinstance(event, Table) else self._block.take(event)
        for paragraph in (paragraph for text in texts for paragraph in text.split("\n\n")):
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


class _Block:
    """The second stage: the text of one block after the other, cut into what is said in one breath."""

    def __init__(self, language: str) -> None:
        self.pending = ""
        self._language = language
        self._looked = 0  # every stop in `pending` before here was looked at, and ends nothing
        self._first = False  # `pending` begins with the block's Markdown marks
        self._closes = False
        self._line_ended = False

    def take(self, event: Begin | Text | End) -> Iterator[str]:
        """Yield the texts that an event completes."""
        if isinstance(event, Begin):
            self._first, self._closes, self._looked = True, event.closes, event.lead
            return
        if isinstance(event, Text):
            self.pending, self._line_ended = self.pending + event.markdown, event.ends_line
        last = isinstance(event, End)
        while cut := self._next_cut(last=last):
            yield self._piece(cut)
        if last:
            text = self._piece(len(self.pending))
            yield with_stop(text) if self._closes else text

    def _next_cut(self, *, last: bool) -> int | None:
        """Return where the text may be cut next; None while more of it is needed, or when there is no other place."""
        for stop in _STOP.finditer(self.pending, self._looked):
            decision = self._decide_clause(stop, last=last) if stop["clause"] else self._decide_stop(stop, last=last)
            if decision is _Decision.CUT:
                return stop.end()
            if decision is _Decision.WAIT:
                self._looked = stop.start()
                return None
        self._looked = max(self._looked, len(self.pending.rstrip(_UNFINISHED_STOP)))
        return None

    def _decide_clause(self, stop: re.Match[str], *, last: bool) -> _Decision:
        """Decide whether a clause ends at this mark that can be said alone, by all before it and a little after."""
        before = self.pending[: stop.end()]
        rest = self.pending[stop.end() : stop.end() + REST_CHARS]
        if len(before) < CLAUSE_CHARS or _ENDS.search(rest):
            return _Decision.GO_ON
        if len(rest) < REST_CHARS:
            return _Decision.GO_ON if last or self._line_ended else _Decision.WAIT
        return _Decision.GO_ON if _is_open(before) or _is_amid(before) else _Decision.CUT

    def _decide_stop(self, stop: re.Match[str], *, last: bool) -> _Decision:
        """Decide whether a sentence ends at this stop, by all before it and the one word after it."""
        following = (_LAST_TOKEN if self._line_ended else _NEXT_TOKEN).match(self.pending, stop.end())
        if not following and not last and not (stop["wide"] and stop.end() < len(self.pending)):
            return _Decision.WAIT
        if stop.end() > _MAX_UNDECIDED_CHARS:
            return _Decision.CUT
        before = self.pending[: stop.end()]
        if _is_open(before):
            return _Decision.GO_ON
        if stop["wide"]:
            return _Decision.CUT
        after = following[0] if following else self.pending[stop.end() :]
        before, after = speakable_line(before), speakable_line(after)
        if is_unfinished(before, after, self._language):
            return _Decision.GO_ON
        return _Decision.CUT if self._is_boundary(before, after) else _Decision.GO_ON

    def _is_boundary(self, before: str, after: str) -> bool:
        position = 0
        for sentence in sentencex.segment(self._language, f"{before} {after}"):
            position += len(sentence)
            if position >= len(before):
                return position <= len(before) + 1
        return True

    def _piece(self, end: int) -> str:
        """Cut the text, and return what is said of the first part."""
        raw, self.pending = _QUOTE_MARKS.sub("", self.pending[:end]), self.pending[end:].lstrip(" \t")
        text = speakable(raw) if self._first else speakable_line(raw)
        self._first, self._looked = False, 0
        return text


def _is_open(raw: str) -> bool:
    """Return whether a text ends within inline code, a link or HTML, so that it cannot be cut here."""
    raw = _CODE.sub("", raw)
    return raw.count("[") > raw.count("]") or bool(_OPEN.search(raw) or OPEN_TAG.search(raw))


def _is_amid(raw: str) -> bool:
    """Return whether a text ends within brackets, quotes or emphasis, which are said in one breath."""
    raw = with_products(raw)
    return raw.count("(") > raw.count(")") or any(raw.count(mark) % 2 for mark in _PAIRED)


def _broken(text: str) -> Iterator[str]:
    """Break a long sentence; what has neither letter nor digit is silent and left out."""
    while text:
        end = len(text)
        if end > MAX_SENTENCE_CHARS:
            clauses = [match.end() for match in _CLAUSE.finditer(text, MAX_SENTENCE_CHARS // 3, MAX_SENTENCE_CHARS)]
            end = clauses[-1] if clauses else text.rfind(" ", 1, MAX_SENTENCE_CHARS)
            end = end if end > 0 else MAX_SENTENCE_CHARS
        part, text = text[:end].strip(), text[end:].strip()
        if any(map(str.isalnum, part)):
            yield part
