"""A model's Markdown as Telegram shows it: bold, lists, links, code, quotes, and tables that a telephone can show.

What Telegram has no formatting for is readable as text, and nothing that can be read is lost: HTML stands as it was
written, and stars between figures are stars.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import pyromark
from telegram import MessageEntity

from activities.platforms.telegram.formatted import CODE, LITERAL, QUOTES, Formatted, Span
from activities.text.speakable import well_formed

_OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_FOOTNOTES
)
MAX_TABLE_COLUMNS = 36
"""Characters in a row of code that a telephone shows without breaking it; a wider table becomes lines."""
BULLETS = "•◦▪"
INDENT, DEEPEST = "   ", 6
RULE = "———"
STYLES = {
    "Emphasis": MessageEntity.ITALIC,
    "Strong": MessageEntity.BOLD,
    "Strikethrough": MessageEntity.STRIKETHROUGH,
}
MAX_LANGUAGE_CHARS = 40
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def formatted(markdown: str) -> Formatted:
    """Return Markdown as formatted text. Never raises, whatever the text."""
    return _Page(well_formed(markdown)).read()


class _Text:
    """Formatted text under construction."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.spans: list[Span] = []
        self._open: list[Span | None] = []
        """Begun, and not ended; None for one that changes nothing."""

    def write(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)

    def begin(self, kind: str | None, detail: str = "") -> None:
        """Begin a span; one within another of its kind changes nothing."""
        nested = kind is None or any(span and span.kind == kind for span in self._open)
        self._open.append(None if nested or kind is None else Span(self.length, self.length, kind, detail))

    def end(self) -> Span | None:
        """End the span that was begun last, and return it; None where it changes nothing."""
        span = self._open.pop() if self._open else None
        if span:
            self._add(span)
        return span

    def write_literally(self, text: str, kind: str, detail: str = "") -> None:
        """Write code, which only a quote may be around: what else is open ends, and begins anew."""
        for number, span in enumerate(self._open):
            if span and span.kind not in QUOTES:
                self._add(span)
                self._open[number] = span._replace(start=self.length + len(text))
        self.spans.append(Span(self.length, self.length + len(text), kind, detail))
        self.write(text)

    def extend(self, other: Formatted) -> None:
        self.spans += [
            span._replace(start=span.start + self.length, end=span.end + self.length) for span in other.spans
        ]
        self.write(other.text)

    def take(self) -> Formatted:
        spans = sorted(span for span in self.spans if span.start < span.end)
        return Formatted("".join(self.parts), tuple(spans))

    def _add(self, span: Span) -> None:
        self.spans.append(span._replace(end=self.length))


class _Page:
    """Reads one document, event by event."""

    def __init__(self, markdown: str) -> None:
        self._source = markdown.encode()
        self._events = pyromark.events_with_range(markdown, options=_OPTIONS)
        self._text = _Text()
        self._gap = 0
        """Line breaks before what is written next."""
        self._begun = True
        """Nothing was written yet in the document, a quote or a note: no line breaks are due."""
        self._lists: list[int | None] = []
        """Lists that are open: the next number, None for bullets."""
        self._mark: str | None = None
        """Of the list item whose first words are still to come."""
        self._quotes = 0
        self._marks: list[str] = []
        """What ends the open styles in the text: a mark of Markdown that is meant as it stands, or nothing."""
        self._links: list[str] = []
        self._code: list[str] | None = None
        self._language = ""
        self._rows: list[list[Formatted]] = []

    def read(self) -> Formatted:
        for event, place in self._events:
            self._handle(event, place["start"], place["end"])
        whole = self._text.take()
        return whole.between(0, len(whole.text))

    def _handle(self, event: Any, start: int, end: int) -> None:  # noqa: ANN401 - dictionaries of many shapes
        match event:
            case {"Start": Mapping() as opened}:
                ((name, data),) = opened.items()
                self._begin(name, data, start, end)
            case {"Start": name}:
                self._begin(name, None, start, end)
            case {"End": Mapping() as closed}:
                self._end(next(iter(closed)))
            case {"End": name}:
                self._end(name)
            case {"Text": text} if self._code is not None:
                self._code.append(text)
            case {"Text": text}:
                self._write(text)
            case {"Html": text}:
                self._write(text.removesuffix("\n"))
                self._need(1)
            case {"InlineHtml": text}:
                self._write("\n" if _BREAK.fullmatch(text) else text)
            case {"Code": text}:
                self._flush()
                self._text.write_literally(text, MessageEntity.CODE)
            case {"FootnoteReference": name}:
                self._write(f"[{name}]")
            case {"TaskListMarker": done}:
                self._mark = f"{self._indent(-1)}{'☑' if done else '☐'} "
            case "SoftBreak" | "HardBreak":
                self._write("\n")
            case "Rule":
                self._need(2)
                self._write(RULE)
                self._need(2)

    def _begin(self, name: str, data: Any, start: int, end: int) -> None:  # noqa: ANN401 - as above
        match name:
            case "Emphasis" | "Strong" | "Strikethrough":
                self._begin_style(name, start, end)
            case "Paragraph" | "HtmlBlock":
                self._need(1 if self._lists else 2)
            case "Heading":
                self._need(2)
                self._flush()
                self._text.begin(MessageEntity.BOLD)
            case "BlockQuote":
                self._begin_quote()
            case "CodeBlock":
                self._need(1 if self._lists else 2)
                info = data.get("Fenced", "") if isinstance(data, Mapping) else ""
                self._code, self._language = [], next(iter(re.split(r"[\s,{]", info.strip())), "")
            case "List":
                self._need(1 if self._lists else 2)
                self._lists.append(data)
            case "Item":
                self._begin_item()
            case "FootnoteDefinition":
                self._need(2)
                self._write(f"[{data}] ")
                self._begun = True
            case "Link" | "Image":
                self._begin_link(name, data["dest_url"])
            case "Table":
                self._need(1 if self._lists else 2)
                self._flush(block=True)
                self._rows, self._around = [], self._text
            case "TableHead" | "TableRow":
                self._rows.append([])
            case "TableCell":
                self._text = _Text()

    def _end(self, name: str) -> None:
        match name:
            case "Emphasis" | "Strong" | "Strikethrough":
                if mark := self._marks.pop():
                    self._write(mark)
                self._text.end()
            case "Heading":
                self._text.end()
                self._need(2)
            case "Paragraph" | "HtmlBlock":
                self._need(1 if self._lists else 2)
            case "BlockQuote":
                self._end_quote()
            case "CodeBlock":
                self._end_code()
            case "List":
                self._lists.pop()
                self._need(1 if self._lists else 2)
            case "Item":
                if self._mark is not None:
                    self._flush()
                self._need(1)
            case "Link" | "Image":
                self._end_link()
            case "TableCell":
                cell = self._text.take()
                self._rows[-1].append(cell.between(0, len(cell.text)))
            case "Table":
                self._text = self._around
                self._text.extend(laid_out(self._rows))
                self._need(1 if self._lists else 2)

    # Blocks

    def _need(self, breaks: int) -> None:
        if not self._begun:
            self._gap = max(self._gap, breaks)

    def _indent(self, more: int = 0) -> str:
        return INDENT * min(len(self._lists) + more, DEEPEST)

    def _flush(self, *, block: bool = False) -> None:
        """Write the line breaks that are due, and a list item's mark; a block begins on a line below that."""
        self._text.write("\n" * self._gap)
        if self._mark is not None:
            self._text.write(self._mark.rstrip() + "\n" if block else self._mark)
        elif self._gap and not block:
            self._text.write(self._indent())
        self._gap, self._mark, self._begun = 0, None, False

    def _write(self, text: str) -> None:
        self._flush()
        self._text.write(text)

    def _begin_item(self) -> None:
        if self._mark is not None:  # the one around it has no words of its own
            self._flush()
        self._need(1)
        number, depth = self._lists[-1], len(self._lists)
        mark = BULLETS[min(depth, len(BULLETS)) - 1] if number is None else f"{number}."
        if number is not None:
            self._lists[-1] = number + 1
        self._mark = f"{self._indent(-1)}{mark} "

    def _begin_quote(self) -> None:
        self._need(1 if self._lists else 2)
        self._quotes += 1
        if self._quotes == 1:
            self._flush(block=True)
            self._begun = True
            self._text.begin(MessageEntity.BLOCKQUOTE)

    def _end_quote(self) -> None:
        self._quotes -= 1
        if not self._quotes:
            self._text.end()
        self._begun = False
        self._need(1 if self._lists else 2)

    def _end_code(self) -> None:
        code, self._code = "".join(self._code or []).removesuffix("\n"), None
        if code:
            self._flush(block=True)
            self._text.write_literally(code, CODE, self._language[:MAX_LANGUAGE_CHARS])
        self._need(1 if self._lists else 2)

    # Within a line

    def _begin_style(self, name: str, start: int, end: int) -> None:
        """Begin a style, unless its marks are meant as they stand: "2*3*4", "~5 to ~7"."""
        source, size = self._source, 1 if name == "Emphasis" else 2
        single = name == "Strikethrough" and source[start : start + 2] != b"~~"
        within = (
            source[start : start + 1] == b"*"
            and _is_wordlike(source[:start][-4:], -1)
            and (_is_wordlike(source[end : end + 4], 0))
        )
        mark = source[start : start + (1 if single else size)].decode() if single or within else ""
        if mark:
            self._write(mark)
        self._flush()
        self._marks.append(mark)
        self._text.begin(None if mark else STYLES[name])

    def _begin_link(self, name: str, url: str) -> None:
        self._flush()
        self._links.append(url)
        self._text.begin(MessageEntity.TEXT_LINK if is_linkable(url) else None, url)
        if name == "Image":
            self._text.write("🖼 ")

    def _end_link(self) -> None:
        """End a link; an address that Telegram would not open is written out."""
        url = self._links.pop()
        span = self._text.end()
        if url and span is None and not is_linkable(url):
            self._text.write(f" ({url})")


def is_linkable(url: str) -> bool:
    """Check whether Telegram opens an address behind a text."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme in {"mailto", "tel", "tg"}:
        return bool(parts.path or parts.netloc)
    return parts.scheme in {"http", "https"} and "." in (parts.hostname or "") and not re.search(r"\s", url)


def _is_wordlike(text: bytes, place: int) -> bool:
    """Check whether the character at one end of some bytes is a letter or a figure."""
    return text.decode(errors="ignore")[place:][:1].isalnum()


# Tables


def laid_out(rows: Sequence[Sequence[Formatted]]) -> Formatted:
    """Lay a table out: in columns of code, or where that is too wide or would lose links, a few lines for each row."""
    columns = max((len(row) for row in rows), default=0)
    full = [[*row, *[Formatted("")] * (columns - len(row))] for row in rows]
    if not columns:
        return Formatted("")
    widths = [max(_width(row[column].text) for row in full) for column in range(columns)]
    links = any(span.kind == MessageEntity.TEXT_LINK for row in full for cell in row for span in cell.spans)
    broken = any("\n" in cell.text for row in full for cell in row)
    if links or broken or (sum(widths) + 3 * (columns - 1) > MAX_TABLE_COLUMNS and len(rows) > 1):
        return _in_lines(full)
    lines = [" | ".join(_padded(cell.text, width) for cell, width in zip(row, widths, strict=True)) for row in full]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    text = "\n".join(line.rstrip() for line in lines)
    return Formatted(text, (Span(0, len(text), CODE),))


def _in_lines(rows: Sequence[Sequence[Formatted]]) -> Formatted:
    """Write a row's first cell in bold, and each further one on a line of its own, after its column's name."""
    header, text = rows[0], _Text()
    for row in rows[1:] or [header]:
        for column, (name, cell) in enumerate(zip(header, row, strict=True)):
            if not cell.text:
                continue
            if text.length:
                text.write("\n" if column else "\n\n")
            literal = any(span.kind in LITERAL for span in cell.spans)
            text.begin(None if column or literal else MessageEntity.BOLD)
            text.extend(Formatted(f"{name.text}: ") if name.text and row is not header else Formatted(""))
            text.extend(cell if column or literal else _without_bold(cell))
            text.end()
    return text.take()


def _without_bold(cell: Formatted) -> Formatted:
    return cell._replace(spans=tuple(span for span in cell.spans if span.kind != MessageEntity.BOLD))


def _width(text: str) -> int:
    """Return how many columns of code a text takes; the characters of East Asia take two."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
