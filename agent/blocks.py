"""Actions as models write them by themselves: a file as its path and a code block, a command as a block of a shell."""

import re
from typing import Any, NamedTuple

from agent.modules import defined, parsed

SHELLS = frozenset({"bash", "sh", "shell", "console"})
DONE = re.compile(r"\bDONE\b[.:!]?\s*")
_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
_PATH = re.compile(r"(?:[\w.-]+/)*[\w-]+(?:\.[\w-]+)+|(?:[\w.-]+/)+[\w-]+|Makefile|Dockerfile")
_MODULE = re.compile(r"(?<![\w./-])(?:[\w-]+/)*\w+\.py\b")
_NUMBER = re.compile(r"^\s*\d+[.)]\s+")
_MARKS = "*_`#:>-\"'()[] \t"
"""Around a path on a line of its own: emphasis, headings, lists, quotes."""


class Block(NamedTuple):
    """A code block, and what names it."""

    language: str
    path: str
    """Empty where nothing names one."""
    content: str
    whole: bool
    """Whether it is closed."""
    mentioned: str = ""
    """The Python file that the text names last before the block; empty where it names none."""


def blocks(text: str) -> list[Block]:
    """Return the code blocks of a Markdown text, each with the path that stands before it, or in its first line."""
    found: list[Block] = []
    lines, before, mentioned, at = text.splitlines(), "", "", 0
    while at < len(lines):
        opened = _FENCE.match(lines[at])
        at += 1
        if not opened:
            before = lines[at - 1] if lines[at - 1].strip() else before
            mentioned = next(reversed(_MODULE.findall(lines[at - 1])), mentioned)
            continue
        content: list[str] = []
        while at < len(lines) and not _closes(lines[at], opened["fence"]):
            content.append(lines[at])
            at += 1
        language, _, named = opened["info"].strip().partition(" ")
        language, _, after_colon = language.partition(":")
        path = _path_of(named) or _path_of(after_colon) or _path_of(before) or _path_of_comment(content)
        found.append(Block(language.lower(), path, "\n".join([*content, ""]), at < len(lines), mentioned))
        at += 1
        before = ""
    return found


def actions(text: str, *, whole: bool) -> list[dict[str, Any]]:
    """Return what a text asks for: its files written, else its first command, else that the task is done.

    Where no block has a path, one with functions or classes belongs to the Python file that the text has named last:
    small models speak of a file in a sentence, and then give what they would change in it.

    Args:
        text: Markdown.
        whole: False where the answer was cut: a block that is not closed is none then.

    """
    told = [block for block in blocks(text) if block.whole or whole]
    written = [block for block in told if block.language not in SHELLS]
    files = [block for block in written if block.path]
    if not files:
        files = [block._replace(path=block.mentioned) for block in written if block.mentioned and _defines(block)]
    if files:
        first, *others = files
        also = [{"path": block.path, "content": block.content} for block in others]
        return [{"tool": "write", "path": first.path, "content": first.content, "also": also}]
    commands = [block.content.strip() for block in told if block.language in SHELLS and block.content.strip()]
    if commands:
        return [{"tool": "run", "command": command.removeprefix("$ ")} for command in commands]
    if not told and DONE.search(text):
        return [{"tool": "finish", "summary": DONE.sub("", text).strip()}]
    return []


def _defines(block: Block) -> bool:
    try:
        return bool(defined(parsed(block.content)))
    except SyntaxError:
        return False


def _closes(line: str, fence: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= len(fence) and not stripped.strip(fence[0])


def _path_of(line: str) -> str:
    """Return the path that a line is, or that it ends with; empty where it is another text."""
    stripped = _NUMBER.sub("", line).strip(_MARKS)
    if _PATH.fullmatch(stripped):
        return stripped
    last = re.split(r"[\s`*\"']+", stripped)[-1] if line.rstrip().endswith((":", "`", "**")) else ""
    return last if _PATH.fullmatch(last) else ""


def _path_of_comment(content: list[str]) -> str:
    first = content[0].strip() if content else ""
    return _path_of(first.lstrip("#/ ")) if first.startswith(("# ", "// ")) else ""
