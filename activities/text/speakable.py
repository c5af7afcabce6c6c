"""Turn an answer's Markdown into prose that can be spoken."""

# ruff: noqa: RUF001 - the marks of many scripts are meant as they are

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import emoji
from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_CHARS = 12_000
"""Longer Markdown is cut before it is parsed; twice what an answer may have."""

# "code" (indented blocks) is off: models fence their code, and indent prose under list items.
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("code")

_HTML = re.compile(r"<!--.*?(?:-->|$)|</?[A-Za-z][^<>]*>", re.DOTALL)
_HIDDEN_HTML = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.DOTALL | re.IGNORECASE)
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{0,20}://|www\.)\S*", re.IGNORECASE)
_AFTER_URL = ".,;:!?…)]}'\"»”’"
# [text][label], footnotes and citations, check boxes
_REFERENCE = re.compile(r"\[([^\[\]]*)\]\[[^\[\]]*\]|\[(?:\^?\d+|[ xX])\]")
_ANGLE = re.compile(r"(?<! )[<>]|[<>](?! )")
_STARS = re.compile(r"\*{2,}")
_STAR = re.compile(r"(?<!\w)\*(?=\w)|(?<=[\w.,;:!?])\*(?!\w)")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\"\s*\"|“\s*”")
_SPACE_BEFORE_MARK = re.compile(r" ([.,;:!?…]+)(?=\s|$)")
_NOT_IN_CODE_WORDS = re.compile(r"[^\w\s.,'+#%=/:@-]+|_")
_EMOJI_PARTS = re.compile("[\ufe0e\ufe0f\u20e3\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_CLOSING = "\"'”’»)]"
_STOPS = ".!?…:;,。！？；：，、؟۔।"


def speakable(markdown: str) -> str:
    """Say in plain prose what the Markdown says: a paragraph a block, joined by blank lines.

    Headings, list items and table rows become sentences; of a link its text stays. Code blocks, URLs,
    images, HTML and emoji are dropped. Never raises, whatever the text.
    """
    tokens = _MARKDOWN.parse(well_formed(markdown[:MAX_CHARS]))
    return "\n\n".join(text for text in _blocks(tokens) if text)


def speakable_line(markdown: str) -> str:
    """Say what the middle of a paragraph says: only inline Markdown counts, so "- 3" is not a list."""
    text = well_formed(markdown[:MAX_CHARS])
    return " ".join(_clean(_words(token.children or ())) for token in _MARKDOWN.parseInline(text)).strip()


def with_stop(text: str) -> str:
    """End a text with a period, unless it is empty or ends with a mark of its own."""
    if not text or text.rstrip(_CLOSING)[-1:] in _STOPS:
        return text
    return text + "."


def well_formed(text: str) -> str:
    """Join halves of characters that a server sent apart as two surrogates; replace those left alone."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    """Speak each block once; a list item's number stays, as people refer to steps by number."""
    rows = _Table()
    number, items, closes = "", 0, False
    for token in tokens:
        if token.type == "list_item_open":
            number, items = f"{token.info}. " if token.info else "", items + 1
        elif token.type == "list_item_close":
            yield number.strip()  # of an empty item: the answer "42." is one
            number, items = "", items - 1
        elif token.type == "heading_open":
            closes = True
        elif token.type == "inline":
            text = _clean(_words(token.children or ()))
            if rows.takes(text):
                continue
            yield with_stop(number + text) if text and (items or closes) else text
            number, closes = "", False
        elif token.type == "html_block":
            yield _clean(token.content)
        else:
            yield from rows.after(token.type)


class _Table:
    """Speaks a table row by row, each cell after its column's name."""

    def __init__(self) -> None:
        self._open = False
        self._header: list[str] = []
        self._row: list[str] = []

    def takes(self, cell: str) -> bool:
        if self._open:
            self._row.append(cell)
        return self._open

    def after(self, kind: str) -> Iterator[str]:
        if kind == "table_open":
            self._open = True
        elif kind == "thead_close":
            self._header, self._row = self._row, []
        elif kind == "tr_close" and self._header:
            yield self._sentence()
            self._row = []
        elif kind == "table_close":
            self._open, self._header = False, []

    def _sentence(self) -> str:
        cells = (f"{name} {cell}".strip() for name, cell in zip(self._header, self._row, strict=False) if cell)
        return with_stop(", ".join(cells))


def _words(tokens: Iterable[Token]) -> str:
    return "".join(_word(token) for token in tokens)


def _word(token: Token) -> str:
    if token.type == "code_inline":
        return _NOT_IN_CODE_WORDS.sub(" ", token.content)
    if token.type in {"softbreak", "hardbreak"}:
        return " "
    if token.type == "html_inline":
        return token.content  # dropped by _clean, which also sees tags that cross tokens
    return token.content if token.type == "text" else ""


def _clean(text: str) -> str:
    """Drop what cannot be said. The order matters: no step may bring back what an earlier one dropped."""
    text = _HTML.sub(" ", _HIDDEN_HTML.sub(" ", text))
    text = emoji.replace_emoji(text, " ")
    text = _EMOJI_PARTS.sub("", text)
    text = _REFERENCE.sub(lambda match: match[1] or "", text)
    text = _ANGLE.sub(" ", text.translate(_DROPPED))
    text = _STAR.sub("", _STARS.sub(" ", text))
    text = " ".join(_URL.sub(_after_url, text).split())
    text = " ".join(_EMPTY_BRACKETS.sub(" ", text).split())
    return _SPACE_BEFORE_MARK.sub(r"\1", text).strip()


def _after_url(match: re.Match[str]) -> str:
    """Keep the sentence's own marks that follow a URL."""
    url = match[0]
    return " " + url[len(url.rstrip(_AFTER_URL)) :]


_DROPPED = {
    **dict.fromkeys(range(0x20), " "),
    **{ord(mark): " " for mark in "`_~|\\"},
    **{ord(mark): "" for mark in "[]"},
    **{code: "" for code in range(0x200B, 0x2070) if unicodedata.category(chr(code)) == "Cf" and code != 0x200D},
    0x7F: " ",
    0xFEFF: "",
}
"""Marks that voices stumble over, and invisible characters (direction marks and the like)."""
