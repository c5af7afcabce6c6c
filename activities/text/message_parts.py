"""Split a long text into messages, where a platform takes only so many characters in one."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

MIN_LIMIT = 64
"""Fewer characters do not hold what closes and opens markup at a split."""
MAX_LANGUAGE_CHARS = 16
"""Of the word after a fence that names the code's language; a longer one is no language."""
LOOK_AHEAD = 2000
"""Characters behind a split in which markup may close that was opened before it."""
MARKER_ROOM = 16
"""Characters that close all markup which can be open at once."""

_FENCE = re.compile(r"((?:[ \t]*>){0,2}[ \t]{0,12})(`{3,}|~{3,})[ \t]*([^\n`]*)")
_HEADING = re.compile(r"#{1,6}\s[^\n]*|\*\*[^\n*]+\*\*:?")
_LINE_PREFIX = re.compile(r"(?:>[ ]?|-# ){1,2}")
_SENTENCE_OR_WORD = (re.compile(r"\n"), re.compile(r"[.!?…]\s|[。！？]"), re.compile(r"\s"))  # noqa: RUF001
_LOOKS_LIKE_A_BLOCK = re.compile(r"#{1,6}\s|[-*+]\s|>|-#\s|\d{1,9}[.)]\s|```|~~~|={2,}|-{2,}|\|")
"""What a line must not begin with only because it was split there."""
_ATOM = re.compile(
    r"\\[!-/:-@\[-`{-~]"  # an escaped sign
    r"|(?P<code>`+)(?!`)"
    r"|!?\[[^\[\]\n]{0,500}\]\((?:[^()\s]|\([^()\s]{0,200}\)){1,1000}(?:[ ]\"[^\"\n]{0,200}\")?\)"  # a link
    r"|<[a-z][a-z0-9+.-]{1,20}:[^<>\s]{1,1000}>"
    r"|[a-z][a-z0-9+.-]{1,20}://[^\s<>]{1,1000}"
    r"|(?P<marker>\*\*|\*|__|_|~~|\|\|)",
    re.IGNORECASE,
)


def units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)


def split_markdown(text: str, limit: int, length: Callable[[str], int] = units) -> list[str]:
    """Split Markdown into parts that are Markdown each, between paragraphs where that is possible.

    A code block is split only where it alone is over the limit; then each piece is a block of the same language. One
    without an end gets one. Links stay whole; emphasis does too, or is closed and opened again. Lines of a quote and of
    a small print begin anew as such.

    Args:
        text: what to split; nothing of it is lost but white space between blocks and at the splits.
        limit: of each part, at least ``MIN_LIMIT``.
        length: how the platform counts.

    Raises:
        ValueError: the limit is too small.

    """
    if limit < MIN_LIMIT:
        message = f"A part of Markdown takes at least {MIN_LIMIT} characters, not {limit}."
        raise ValueError(message)
    packing = _Packing(limit, length)
    for block in _blocks(text):
        packing.add(block)
    return packing.finish()


class _Block(NamedTuple):
    """A code block, or lines without an empty one between them."""

    lines: list[str]
    gap: str
    """What is between it and the block before."""
    opening: str = ""
    """The fence before the code, with its language; empty of what is no code."""
    closing: str = ""

    @property
    def text(self) -> str:
        return "\n".join([self.opening, *self.lines, self.closing] if self.opening else self.lines)


def _blocks(text: str) -> Iterator[_Block]:
    """Yield the blocks of a text; a code block that has no end ends with the text."""
    lines, gap = iter(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")), "\n"
    paragraph: list[str] = []
    for line in lines:
        fence = _FENCE.fullmatch(line)
        if paragraph and (fence or not line.strip()):
            yield _Block(paragraph, gap)
            paragraph, gap = [], "\n"
        if fence:
            yield _code(fence, lines, gap)
            gap = "\n"
        elif line.strip():
            paragraph.append(line)
        else:
            gap = "\n\n"
    if paragraph:
        yield _Block(paragraph, gap)


def _code(fence: "re.Match[str]", lines: Iterator[str], gap: str) -> _Block:
    """Read a code block to its end."""
    prefix, marks, language = fence[1], fence[2][:MAX_LANGUAGE_CHARS], fence[3].split()[:1]
    named = "".join(language) if len("".join(language)) <= MAX_LANGUAGE_CHARS else ""
    code: list[str] = []
    for line in lines:
        end = _FENCE.fullmatch(line)
        if end and end[2].startswith(fence[2]) and not end[3].strip():
            break
        code.append(line)
    return _Block(code, gap, f"{prefix}{marks}{named}", f"{prefix}{marks}")


class _Packing:
    """Puts blocks into parts, one after the other."""

    def __init__(self, limit: int, length: Callable[[str], int]) -> None:
        self._limit = limit
        self._length = length
        self._parts: list[str] = []
        self._current = ""
        self._heading = ""
        """The current part's last block, if that is a heading: it goes with what it is above."""

    def finish(self) -> list[str]:
        """Return all parts."""
        self._close()
        return self._parts

    def add(self, block: _Block) -> None:
        """Put a block into the current part, into the next, or into several."""
        if self._take(block.gap, block.text):
            self._heading = block.text if _HEADING.fullmatch(block.text) else ""
            return
        half_full = self._length(self._current) >= self._limit // 2
        if half_full or (block.opening and self._length(block.text) <= self._limit):
            self._close_before(block)
        if self._take(block.gap, block.text):
            return
        if block.opening:
            self._split_code(block)
        else:
            self._split_prose(block)

    def _take(self, gap: str, text: str) -> bool:
        joined = f"{self._current}{gap}{text}" if self._current else text
        if self._length(joined) > self._limit:
            return False
        self._current = joined
        return True

    def _close(self) -> None:
        if self._current.strip():
            self._parts.append(_stripped(self._current))
        self._current = ""

    def _close_before(self, block: _Block) -> None:
        """Begin a part for a block, together with its heading."""
        heading, self._heading = self._heading, ""
        if heading and self._length(f"{heading}{block.gap}{block.text}") <= self._limit:
            self._current = self._current.removesuffix(heading)
            self._close()
            self._current = heading
        else:
            self._close()

    def _split_code(self, block: _Block) -> None:
        """Fill parts with lines of code, each piece with its own fences."""
        held: list[str] = []
        waiting = list(reversed(block.lines))
        gap = block.gap
        while waiting:
            piece = _Block([*held, waiting[-1]], gap, block.opening, block.closing).text
            if self._length(f"{self._current}{gap}{piece}") <= self._limit:
                held.append(waiting.pop())
                continue
            if not held and not self._current:
                room = self._limit - self._length(f"{block.opening}\n\n{block.closing}")
                at = _longest(waiting[-1], room, self._length)
                line = waiting.pop()
                waiting += [line[at:], line[:at]]
                continue
            if held:
                self._take(gap, _Block(held, gap, block.opening, block.closing).text)
            self._close()
            held = []
        self._take(gap, _Block(held, gap, block.opening, block.closing).text)

    def _split_prose(self, block: _Block) -> None:
        """Fill parts with sentences and words."""
        rest, gap = block.text, block.gap
        while not self._take(gap, rest):
            room = self._limit - self._length(f"{self._current}{gap}" if self._current else "")
            head, rest = _cut(rest, room, self._length) if room >= MIN_LIMIT else ("", rest)
            if head:
                self._take(gap, head)
            self._close()


def _cut(text: str, room: int, length: Callable[[str], int]) -> tuple[str, str]:
    """Cut a paragraph that is over ``room``: at a line, a sentence, a word; return its head, and what is left."""
    most = _longest(text, room, length)
    atoms, wraps = _spans(text[: most + LOOK_AHEAD])
    whole = [*atoms, *((start, end) for start, end, _ in wraps)]
    at = _best(text, most, whole)
    if at is None:
        most = _longest(text, room - MARKER_ROOM, length)
        at = _best(text, most, atoms) or most
    open_markers = [marker for start, end, marker in wraps if start + len(marker) <= at <= end - len(marker)]
    head, tail = text[:at].rstrip(), text[at:].lstrip()
    line = head.rpartition("\n")[2]
    prefix = _LINE_PREFIX.match(line) if "\n" not in text[len(head) : len(text) - len(tail)] else None
    again = (prefix[0] if prefix else "") + "".join(open_markers)
    return head + "".join(reversed(open_markers)), (again + tail if tail else "")


def _best(text: str, most: int, spans: list[tuple[int, int]]) -> int | None:
    """Find the best place to cut in the second half of the first ``most`` characters, outside of spans."""
    for separator in _SENTENCE_OR_WORD:
        for found in reversed(list(separator.finditer(text, most // 2, most))):
            at = found.end()
            inside = any(start < at < end for start, end in spans)
            if not inside and ("\n" in found[0] or not _LOOKS_LIKE_A_BLOCK.match(text, at)):
                return at
    return None


def _spans(text: str) -> tuple[list[tuple[int, int]], list[tuple[int, int, str]]]:
    """Find what should not be cut: atoms (links, escaped signs), and what is between markers, the outer first."""
    atoms: list[tuple[int, int]] = []
    wraps: list[tuple[int, int, str]] = []
    opened: list[tuple[int, str]] = []
    at = 0
    while found := _ATOM.search(text, at):
        at = found.end()
        if found["code"]:
            end = re.compile(rf"(?<!`){found['code']}(?!`)").search(text, at)
            if end:
                wraps.append((found.start(), end.end(), found["code"]))
                at = end.end()
        elif found["marker"]:
            _mark(text, found, opened, wraps)
        else:
            atoms.append(found.span())
    return atoms, sorted(wraps)


def _mark(text: str, found: "re.Match[str]", opened: list[tuple[int, str]], wraps: list[tuple[int, int, str]]) -> None:
    """Open or close emphasis at a marker."""
    marker, before, after = found[0], text[: found.start()][-1:], text[found.end() : found.end() + 1]
    known = [index for index, (_, other) in enumerate(opened) if other == marker]
    if known and before.strip():
        wraps.append((opened[known[-1]][0], found.end(), marker))
        del opened[known[-1] :]
    elif not known and after.strip() and not (marker in {"_", "__"} and before.isalnum()):
        opened.append((found.start(), marker))


def _longest(text: str, room: int, length: Callable[[str], int]) -> int:
    """Return how many characters fit, at least one."""
    low, high = 1, min(len(text), max(room, 1))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if length(text[:middle]) <= room else (low, middle - 1)
    return low


def _stripped(part: str) -> str:
    """Take white space off a part; its first lines, where they are indented, keep their places below each other."""
    lines = part.strip("\n").split("\n")
    indent = len(lines[0]) - len(lines[0].lstrip())
    for index, line in enumerate(lines):
        if _FENCE.fullmatch(line) or len(line) - len(line.lstrip()) < indent:
            break
        lines[index] = line[indent:]
    return "\n".join(lines).strip()
