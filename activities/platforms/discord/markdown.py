"""Markdown as Discord shows it: what its dialect lacks is said by what it has.

Discord has no tables, rules, images, HTML, references, small headings and nested quotes; ``__`` is an underline to it,
``||`` hides text, and a link needs an address of the web. Lists, quotes, code and emphasis it has.
"""

import re
import unicodedata
from collections.abc import Sequence

import discord
from markdown_it import MarkdownIt
from markdown_it.token import Token

from activities.platforms.platform import MessageText
from activities.text.message_parts import split_markdown

CONTENT_LIMIT = 2000
"""Characters of one message; UTF-16 code units are at least as many."""
MAX_CHARS = 20_000
"""Longer Markdown is sent as it is; three times what an answer may have."""
MAX_TABLE_CHARS = 48
"""Width of a table that a telephone shows in one line; a wider one is written as lists."""
RULE = "———"
CODE = "```"
ZERO_WIDTH_SPACE = "\u200b"

_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable(["code", "inline"])
# Only blocks are parsed; lines are written by what stands in them.
_BEFORE_FENCE = re.compile(r"(.*?)(?:`{3,}|~{3,})")
_HEADING = re.compile(r"((?:[\s>*+-]|\d{1,9}[.)])*)(#{1,6})\s+(.*?)(?:\s+#+)?\s*")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]{1,16}")
_DEFINITION = re.compile(r"[ ]{0,3}\[([^\[\]\n]{1,200})\]:\s*\S+.*")
_INLINE = re.compile(
    r"\\[!-/:-@\[-`{-~]"
    r"|(?P<ticks>`+)(?!`)(?:.|\n(?!\n)){1,2000}?(?<!`)(?P=ticks)(?!`)"
    r"|!?\[(?P<text>(?:\\.|[^\[\]\\\n]){0,500})\](?:\((?P<target><[^<>\n]{0,1000}>|(?:[^()\s<>]|\([^()\s]{0,200}\)){0,1000})"
    r"(?P<title>\s\"[^\"\n]{0,200}\")?\)|\[(?P<label>[^\[\]\n]{0,200})\])?"
    r"|[a-z][a-z0-9+.-]{1,20}://[^\s<>|]{1,1000}"
    r"|(?P<strong>(?<!\w)__(?=\S))(?P<inner>[^\n]{1,1000}?)(?<=\S)__(?!\w)"
    r"|(?P<bars>\|\|)"
    r"|</?(?P<tag>b|strong|i|em|s|del|strike|u|code|kbd|sub|sup|br|hr|p|div|span|details|summary)\s*/?>",
    re.IGNORECASE,
)
_TAGS = {
    **dict.fromkeys(("b", "strong"), "**"),
    **dict.fromkeys(("i", "em"), "*"),
    **dict.fromkeys(("s", "del", "strike"), "~~"),
    **dict.fromkeys(("code", "kbd"), "`"),
    **dict.fromkeys(("br", "hr", "p", "div", "details"), "\n"),
    "u": "__",
}
_WEB = ("http://", "https://")
_URL = re.compile(r"https?://\S+")
_LINE_START = re.compile(r"^(\s*)(?=[-+#])|^(\s*\d{1,9})(?=[.)])", re.MULTILINE)

Lines = list[str]


def parts_of(text: MessageText) -> list[str]:
    """Return the messages that hold a text: the transcript as a quote, the answer, june's own words small beside it."""
    heard = [f"🎤 {as_written(text.transcript)}"] if text.transcript else []
    quote = "\n".join(f"> {line}".rstrip() for line in "\n".join(heard).splitlines())
    answer = for_discord(text.answer)
    notice = as_written(text.notice)
    if quote or answer:
        notice = "\n".join(f"-# {line}" for line in notice.splitlines() if line.strip())
    whole = "\n\n".join(part for part in (answer, notice) if part.strip())
    return split_markdown("\n".join(filter(None, (quote, whole))), CONTENT_LIMIT)


def as_written(text: str) -> str:
    """Return a text that is shown as it stands, whatever marks it has; addresses of the web stay links."""
    escaped, at = [], 0
    for url in _URL.finditer(text):
        escaped += [_escaped(text[at : url.start()]), url[0]]
        at = url.end()
    return _LINE_START.sub(lambda found: found[0] + "\\", "".join([*escaped, _escaped(text[at:])]).strip())


def _escaped(text: str) -> str:
    return re.sub(r"([\\*_~`|<>\[\]])", r"\\\1", text)


def for_discord(markdown: str) -> str:
    """Return Markdown in the dialect of Discord; never raises, whatever the text."""
    text = markdown.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").strip("\n")
    if len(text) > MAX_CHARS:
        return text
    return _with_blocks(_with_flat_quotes(text))


def _with_flat_quotes(text: str) -> str:
    """Give each line of a quote one mark and a space, as Discord knows one level and no lazy lines."""
    lines = text.split("\n")
    depths = [0] * len(lines)
    for token in _MARKDOWN.parse(text):
        if token.type == "blockquote_open" and token.map and (token.level == 0 or depths[token.map[0]]):
            for number in range(token.map[0], min(token.map[1], len(lines))):
                depths[number] += 1
    quoted = (
        re.sub(rf"^(?:[ ]{{0,3}}>[ ]?){{0,{depth}}}", "> ", line) for line, depth in zip(lines, depths, strict=True)
    )
    return "\n".join(new.rstrip() if depth else line for line, new, depth in zip(lines, quoted, depths, strict=True))


def _with_blocks(text: str) -> str:
    """Replace the blocks that Discord lacks, and write the lines between them in its dialect."""
    lines, environment = text.split("\n"), dict[str, dict[str, dict[str, str]]]()
    tokens = _MARKDOWN.parse(text, environment)
    references = {label: str(link["href"]) for label, link in environment.get("references", {}).items()}
    replaced: dict[int, tuple[int, Lines, bool]] = {}
    numbers: list[int] = []
    for index, token in enumerate(tokens):
        if token.type.endswith("_list_open"):
            start = token.attrGet("start")
            numbers.append(1 if start is None else int(start))
        elif token.type.endswith("_list_close"):
            numbers.pop()
        elif token.type == "list_item_open" and token.map:
            lines[token.map[0]] = _item(token, lines[token.map[0]], numbers[-1])
            numbers[-1] += 1
        elif token.map and token.map[0] not in replaced:
            _replace(tokens, index, lines, replaced)
    written: Lines = []
    prose: Lines = []
    number = 0
    while number < len(lines):
        end, instead, final = replaced.get(number, (number + 1, [lines[number]], False))
        if final:
            written += [*_prose(prose, references), *instead]
            prose = []
        else:
            prose += instead
        number = max(end, number + 1)
    return "\n".join([*written, *_prose(prose, references)]).strip("\n")


def _replace(tokens: Sequence[Token], index: int, lines: Lines, replaced: dict[int, tuple[int, Lines, bool]]) -> None:
    """Note what is written instead of a block: up to which line, what, and whether that is final."""
    token = tokens[index]
    start, end = token.map or [0, 0]
    first = lines[start] if start < len(lines) else ""
    quote = "> " if first.startswith("> ") else ""
    if token.type == "fence":
        lead = (_BEFORE_FENCE.match(first) or [first, ""])[1].removeprefix(quote).rstrip()
        code = _code(token.content, token.info)
        replaced[start] = end, [quote + line for line in ([lead] if lead else []) + code], True
    elif token.type == "table_open":
        table = _table(tokens[index:])
        replaced[start] = end, [quote + line for line in table], table[:1] == [CODE]
    elif token.type == "heading_open":
        replaced[start] = end, _heading(token, lines[start:end], quote), False
    elif token.type == "hr" and first.strip(" >") and not re.match(r"\s*[*+]\s+\S|\s*-\s+[^-\s]", first):
        replaced[start] = end, [quote + RULE], True


def _code(content: str, info: str) -> Lines:
    """Write a code block; without code there is none."""
    if not content.strip():
        return []
    language = _LANGUAGE.fullmatch("".join(info.split()[:1]).strip("{}."))
    code = content.rstrip("\n").replace(CODE, ZERO_WIDTH_SPACE.join(CODE)).split("\n")
    return [CODE + (language[0].lower() if language else ""), *code, CODE]


def _heading(token: Token, lines: Lines, quote: str) -> Lines:
    """Write a heading: small ones as bold lines. A line above dashes is a paragraph above a rule, as models mean it."""
    if token.markup in {"=", "-"}:
        above = [line.removeprefix(quote).strip() for line in lines[:-1]]
        return (
            [f"{quote}# {' '.join(above)}"]
            if token.markup == "="
            else [*(quote + line for line in above), quote + RULE]
        )
    written = _HEADING.fullmatch(lines[0])
    if written is None or not written[3]:
        return lines
    lead, marks, title = written.groups()
    return [f"{lead}{marks} {title}" if len(marks) <= 3 else f"{lead}**{title.replace('**', '').strip()}**"]


def _item(token: Token, line: str, number: int) -> str:
    """Write the first line of a list's item: with a bullet or number that Discord knows, and a box that it shows."""
    if token.markup == "+":
        line = line.replace("+", "-", 1)
    elif token.info.isdigit():  # all may be written as 1
        line = re.sub(r"\d{1,9}[.)]", f"{number}.", line, count=1)
    return re.sub(r"^([\s>]*(?:[-*]|\d{1,9}\.)\s+)\[([ xX])\](?=\s)", _box, line, count=1)


def _box(found: "re.Match[str]") -> str:
    return f"{found[1]}{'☐' if found[2] == ' ' else '☑'}"


# Tables


def _table(tokens: Sequence[Token]) -> Lines:
    """Write a table as aligned columns in a code block, or as lists where it is too wide for that, or has links."""
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token.content.strip())
    plain = [[_plain(cell) for cell in row] for row in rows]
    widths = [max(_width(row[column]) if column < len(row) else 0 for row in plain) for column in range(len(plain[0]))]
    if sum(widths) + 2 * (len(widths) - 1) > MAX_TABLE_CHARS or any("](" in cell for row in rows for cell in row):
        return _list(rows)
    ruled = [plain[0], ["─" * width for width in widths], *plain[1:]]
    return [CODE, *("  ".join(map(_padded, row, widths)).rstrip() for row in ruled), CODE]


def _list(rows: Sequence[Sequence[str]]) -> Lines:
    """Write each row as its first cell, and a list of the others with their columns' names."""
    names, *records = rows
    lines: Lines = []
    for first, *others in records:
        lines.append(f"**{first.replace('**', '')}**" if first.strip() else RULE)
        named = zip(names[1:], others, strict=False)
        lines += [f"- {name}: {cell}" if name else f"- {cell}" for name, cell in named if cell]
    return lines or [" · ".join(names)]


def _plain(cell: str) -> str:
    """Return a cell without marks, which code would show."""
    text = re.sub(r"<br\s*/?>", " ", cell, flags=re.IGNORECASE).replace("\\|", "|")
    return re.sub(r"(\*\*|__|~~|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|`)", "", text).replace(CODE, "'''")


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    """Return how many columns a text takes where letters have the same width."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


# Lines


def _prose(lines: Sequence[str], references: dict[str, str]) -> Lines:
    """Write lines without blocks in Discord's dialect."""
    kept = [line for line in lines if not _is_definition(line, references)]

    def write(found: "re.Match[str]") -> str:
        if found["text"] is not None:
            return _link(found, references)
        if found["strong"]:
            inner = found["inner"]
            return f"\\_\\_{inner}\\_\\_" if re.fullmatch(r"\w+", inner) and "_" in inner else f"**{inner}**"
        if found["bars"]:
            return "\\|\\|"
        return _TAGS.get(found["tag"].lower(), "") if found["tag"] else found[0]

    return _INLINE.sub(write, "\n".join(kept)).split("\n") if kept else []


def _is_definition(line: str, references: dict[str, str]) -> bool:
    found = _DEFINITION.fullmatch(line)
    return bool(found) and _label(found[1]) in references  # type: ignore[index] # it was found


def _label(text: str) -> str:
    return " ".join(text.split()).upper()


def _link(found: "re.Match[str]", references: dict[str, str]) -> str:
    """Write a link: of the web by its name, any other by its name and address, an image as a link."""
    text, target = found["text"], found["target"]
    if target is None:
        target = references.get(_label(found["label"] or text))
        if target is None:
            return found[0]
    target = target.strip("<>")
    if not target.startswith(_WEB):
        return f"{text} ({target})" if text and target and target != text else text or target
    if not text.strip() or text.startswith(_WEB) or text == target:  # Discord shows no other address for an address
        return target
    return f"[{text}]({target}{found['title'] or ''})"


def suppresses_embeds(part: str) -> int:
    """Return the flag that keeps links from being unfolded below a message; 0 where it has none."""
    return discord.MessageFlags(suppress_embeds=True).value if any(start in part for start in _WEB) else 0
