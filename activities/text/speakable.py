"""Turn an answer's Markdown into prose that can be spoken."""

# ruff: noqa: RUF001 - the marks of many scripts are meant as they are

import re
import unicodedata
from collections.abc import Iterator

import emoji
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from activities.text.latex import without_latex
from activities.text.operators import PRODUCT, with_comparisons, with_products

MAX_CHARS = 12_000
"""Longer Markdown is cut before it is parsed; twice what an answer may have."""

# "code" (indented blocks) is off: models fence their code, and indent prose under list items.
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("code")

_ELEMENTS = (
    "a|abbr|address|article|aside|audio|b|bdi|bdo|big|blockquote|body|br|button|canvas|caption|center|cite|code|col"
    "|colgroup|data|dd|del|details|dfn|dialog|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|h[1-6]"
    "|head|header|hr|html|i|iframe|img|input|ins|kbd|label|legend|li|link|main|mark|meta|nav|object|ol|option|p"
    "|picture|pre|q|rp|rt|ruby|s|samp|script|section|select|small|source|span|strike|strong|style|sub|summary|sup"
    "|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|tt|u|ul|var|video|wbr"
)
"""The elements of HTML; what else stands between angles is compared, a type's parameter, or to be filled in."""
# With words behind its name a tag has an attribute with a value: "a <b and c> d" compares.
_HTML = re.compile(
    rf"<!--.*?(?:-->|$)|<(?:{_ELEMENTS})(?:\s[^<>]*=[^<>]*|\s*)/?>|</[A-Za-z][^<>]*>", re.DOTALL | re.IGNORECASE
)
OPEN_TAG = re.compile(rf"<(?:/[A-Za-z]|!|(?:{_ELEMENTS})(?:\s[^<>]*=|\s*/?\Z))[^<>]*\Z", re.IGNORECASE)
"""A tag at the end of a text that does not end there."""
_HIDDEN_HTML = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.DOTALL | re.IGNORECASE)
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{0,20}://|www\.)\S*", re.IGNORECASE)
_AFTER_URL = ".,;:!?…)]}'\"»”’"
# [text][label], footnotes and citations, check boxes
_REFERENCE = re.compile(r"\[([^\[\]]*)\]\[[^\[\]]*\]|\[(?:\^?\d+|[ xX])\]")
_ANGLE = re.compile(r"(?<! )[<>]|[<>](?! )")
_TILDE = re.compile(r"~(?![\d$€£/])|(?<=[\w~])~")  # "~50" is about fifty
_PRODUCTS = re.compile(rf"[*{PRODUCT}]*{PRODUCT}[*{PRODUCT}]*")
_STARS = re.compile(r"\*{2,}")
_STAR = re.compile(r"(?<!\w)\*(?=\w)|(?<=[\w.,;:!?])\*(?!\w)")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\"\s*\"|“\s*”")
_SPACE_BEFORE_MARK = re.compile(r" ([.,;:!?…]+)(?=\s|$)")
_NOT_IN_CODE_WORDS = re.compile(rf"[^\w\s.,'+#%=/:@^<>{PRODUCT}-]+|_")
_EMOJI_PARTS = re.compile("[\ufe0e\ufe0f\u20e3\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_CLOSING = "\"'”’»)]"
_STOPS = ".!?…:;,。！？；：，、؟۔।"


def speakable(markdown: str) -> str:
    """Return Markdown as plain prose: a paragraph for each block, joined by blank lines.

    Headings, list items and table rows become sentences; of a link its text stays. Code blocks, URLs,
    images, HTML and emoji are dropped. Never raises, whatever the text.
    """
    tree = SyntaxTreeNode(_MARKDOWN.parse(with_products(without_latex(well_formed(markdown[:MAX_CHARS])))))
    return "\n\n".join(filter(None, _blocks(tree)))


def speakable_line(markdown: str) -> str:
    """Return the middle of a paragraph as plain prose: only inline Markdown counts, so "- 3" is not a list."""
    tree = SyntaxTreeNode(_MARKDOWN.parseInline(with_products(without_latex(well_formed(markdown[:MAX_CHARS])))))
    return " ".join(map(_said, tree.children)).strip()


def with_stop(text: str) -> str:
    """End a text with a period, unless it is empty or ends with a mark of its own."""
    if not text or text.rstrip(_CLOSING)[-1:] in _STOPS:
        return text
    return text + "."


def well_formed(text: str) -> str:
    """Join halves of characters that a server sent apart as two surrogates; replace those left alone."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _blocks(node: SyntaxTreeNode, *, closes: bool = False) -> Iterator[str]:
    """Yield what each block below a node says.

    Args:
        node: document, or block that holds others.
        closes: its texts end like sentences, as those of headings and list items do.

    """
    for block in node.children:
        if block.type == "inline":
            yield with_stop(_said(block)) if closes else _said(block)
        elif block.type == "html_block":
            yield _clean(block.content)
        elif block.type == "table":
            yield from _rows(block)
        elif block.type == "list_item":
            yield from _item(block)
        else:
            yield from _blocks(block, closes=closes or block.type == "heading")


def _item(item: SyntaxTreeNode) -> Iterator[str]:
    """Yield what a list item says, with its number, as people refer to steps by number.

    A number by itself is said (the answer "42." is one), but not for a picture that is not.
    """
    number = f"{item.info}." if item.info else ""
    texts = [text for text in _blocks(item, closes=True) if text]
    if texts:
        yield f"{number} {texts[0]}".strip()
        yield from texts[1:]
    elif not any(node.type == "inline" for node in item.walk()):
        yield number


def _rows(table: SyntaxTreeNode) -> Iterator[str]:
    """Yield a sentence for each row of a table, each cell after its column's name."""
    header, *rows = [
        [_said(cell.children[0]) for cell in row.children] for part in table.children for row in part.children
    ]
    for row in rows:
        cells = (f"{name} {cell}".strip() for name, cell in zip(header, row, strict=False) if cell)
        yield with_stop(", ".join(cells))


def _said(inline: SyntaxTreeNode) -> str:
    """Return what a run of inline Markdown says."""
    return _clean("".join(map(_word, inline.children)))


def _word(node: SyntaxTreeNode) -> str:
    if node.type in {"text", "html_inline"}:
        return node.content  # tags are dropped by _clean, which also sees those that cross nodes
    if node.type == "code_inline":
        return _NOT_IN_CODE_WORDS.sub(" ", node.content)
    if node.type in {"softbreak", "hardbreak"}:
        return " "
    return "" if node.type == "image" else "".join(map(_word, node.children))


def _clean(text: str) -> str:
    """Drop what cannot be said. The order matters: no step may bring back what an earlier one dropped."""
    text = _HTML.sub(" ", _HIDDEN_HTML.sub(" ", text))
    text = emoji.replace_emoji(text, " ")
    text = _EMOJI_PARTS.sub("", text)
    text = _REFERENCE.sub(lambda match: match[1] or "", text)
    text = _ANGLE.sub(" ", with_comparisons(_TILDE.sub(" ", text).translate(_DROPPED)))
    text = _PRODUCTS.sub("*", _STAR.sub("", _STARS.sub(" ", text)))
    # Of a URL the sentence's own marks stay, which follow it.
    text = " ".join(_URL.sub(lambda match: " " + match[0][len(match[0].rstrip(_AFTER_URL)) :], text).split())
    text = " ".join(_EMPTY_BRACKETS.sub(" ", text).split())
    return _SPACE_BEFORE_MARK.sub(r"\1", text).strip()


_DROPPED = {
    **dict.fromkeys(range(0x20), " "),
    **{ord(mark): " " for mark in "`_|\\"},
    **{ord(mark): "" for mark in "[]"},
    **{code: "" for code in range(0x200B, 0x2070) if unicodedata.category(chr(code)) == "Cf" and code != 0x200D},
    0x7F: " ",
    0xFEFF: "",
}
"""Marks that voices stumble over, and invisible characters (direction marks and the like)."""
