"""Files of a workspace: reading, writing and editing them, in memory, as the agent asks for it."""

import difflib
import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol

from agent.actions import Edit, Read, Write
from agent.modules import defined, holds_more, merged, parsed
from agent.transcript import cut

WORKSPACE = "/workspace"
"""Where commands find the workspace; paths may begin with it."""
MAX_FILE_BYTES = 1_000_000
"""A larger file is neither read nor edited: commands can."""
MAX_NEAR = 5
"""Paths that are named where one was not found."""
OVERVIEW_FILE_CHARS = 4_000
"""Longest file whose contents are told before the first step."""


UNCHANGED = "has held exactly that already: nothing changed."
_WORD = re.compile(r"\w+")


class Files(Protocol):
    """A workspace's regular files."""

    def paths(self) -> list[str]:
        """List the files' paths, sorted."""

    def read(self, path: str) -> bytes:
        """Return a file's contents.

        Raises:
            KeyError: there is no such file.

        """

    def write(self, path: str, data: bytes) -> None:
        """Write a file, with the folders above it.

        Raises:
            ValueError: it cannot be there; the message says why.

        """


class FileError(ValueError):
    """What cannot be done with a file; the message says it to the model."""


class Applied(NamedTuple):
    """What came of an action."""

    text: str
    """For the model; begins with ``Error:`` where it could not be done."""
    changed: bool = False
    """Whether a file has changed."""


def apply(action: Read | Write | Edit, files: Files) -> Applied:
    """Read, write or edit a file; what cannot be done is told to the model, too."""
    if isinstance(action, Write):
        wanted = [(action.path, action.content), *((file.path, file.content) for file in action.also)]
        written = [_written(path, content, files) for path, content in wanted]
        return Applied("\n".join(one.text for one in written), any(one.changed for one in written))
    try:
        path = normalised(action.path)
        return _read(path, action, files) if isinstance(action, Read) else _edit(path, action, files)
    except ValueError as error:
        return Applied(f"Error: {error}")


def _written(path: str, content: str, files: Files) -> Applied:
    try:
        return _write(normalised(path), content, files)
    except ValueError as error:
        return Applied(f"Error: {error}")


def normalised(path: str) -> str:
    """Return a path relative to the workspace, without ``.`` and ``..``.

    Raises:
        FileError: it names nothing within the workspace.

    """
    inside = path.strip().removeprefix(f"{WORKSPACE}/")
    parts: list[str] = []
    for part in inside.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part == "..":
            raise FileError(f"{path!r} is outside the workspace")
        elif part not in {"", "."}:
            parts.append(part)
    if inside.startswith("/"):
        raise FileError(f"{path!r} is outside the workspace: paths are relative to it")
    if not parts or "\0" in inside:
        raise FileError(f"{path!r} is no file")
    return "/".join(parts)


def overview(files: Files, max_chars: int) -> str:
    """Return the contents of small text files, for the model to begin with; empty where there are none.

    Args:
        files: the workspace.
        max_chars: of the contents, all together.

    """
    shown, left = [], max_chars
    for path in sorted(files.paths(), key=lambda path: (path.count("/"), path)):
        try:
            text = _text(path, files)
        except FileError:
            continue
        if text.strip() and len(text) <= min(OVERVIEW_FILE_CHARS, left):
            shown.append(f"{path}:\n```\n{text.rstrip()}\n```")
            left -= len(text)
    return "\n\n".join(shown)


def listing(paths: Iterable[str], max_chars: int = 2000) -> str:
    """Return the paths, a line each, as many as fit."""
    every, lines = list(paths), ["All files:"]
    for number, path in enumerate(every):
        if sum(map(len, lines)) + len(path) > max_chars:
            return "\n".join([*lines, f"[{len(every) - number:,} more]"])
        lines.append(path)
    return "\n".join(lines)


def _read(path: str, action: Read, files: Files) -> Applied:
    lines = _text(path, files).splitlines(keepends=True)
    if not lines:
        return Applied(f"{path} is empty.")
    first, last = action.first_line, min(len(lines), action.first_line + action.lines - 1)
    if first > len(lines):
        raise FileError(f"{path} has {_lines(len(lines))} only")
    part = "" if last - first + 1 == len(lines) else f"lines {first} to {last} of "
    return Applied(cut(f"{path}, {part}{_lines(len(lines))}:\n{''.join(lines[first - 1 : last])}"))


def _write(path: str, content: str, files: Files) -> Applied:
    before = _bytes(path, files)
    data = content.encode()
    if before == data:
        return Applied(f"{path} {UNCHANGED}")
    if path.endswith(".py"):
        whole = _module(path, content, (before or b"").decode(errors="replace"), files)
        if whole.encode() == before:
            return Applied(f"{path} {UNCHANGED}")
        if whole != content:
            files.write(path, whole.encode())
            return Applied(f"Wrote what you gave of {path}; the rest of it is as it was.", changed=True)
    files.write(path, data)
    had = "" if before is None else f" (it had {len(before.splitlines()):,})"
    return Applied(f"Wrote {path}: {_lines(len(content.splitlines()))}{had}.", changed=True)


def _module(path: str, content: str, before: str, files: Files) -> str:
    """Return the module to write: the content, or the module before with what the content gives of it.

    Raises:
        FileError: it cannot be read, or lacks what other modules need.

    """
    try:
        new = parsed(content)
    except SyntaxError as error:
        raise FileError(f"{path} is not written, its syntax is wrong: line {error.lineno}: {error.msg}") from None
    try:
        old = parsed(before)
    except SyntaxError:  # anything is better
        return content
    had, gives = defined(old), defined(new)
    used = {
        name: other
        for other in files.paths()
        if other != path and other.endswith(".py")
        for name in (had - gives).intersection(_WORD.findall((_bytes(other, files) or b"").decode(errors="replace")))
    }
    gives_others = bool(had and gives and had.isdisjoint(gives))
    if gives_others:
        _refuse_what_is_elsewhere(path, gives, files)
    is_part = used or gives_others or (holds_more(old) and not holds_more(new))
    whole = merged(before, content) if is_part else content
    if whole is None and used:
        raise FileError(
            f"{path} is not written: {', '.join(sorted(used))} is missing, which {min(used.values())} uses. "
            f"Give all lines of the file, also those that stay as they are"
        )
    return whole or content


def _refuse_what_is_elsewhere(path: str, names: set[str], files: Files) -> None:
    """Refuse a part of another module: models mistake the file."""
    for other in files.paths():
        found = re.findall(
            r"^(?:async )?(?:def|class) (\w+)", (_bytes(other, files) or b"").decode(errors="replace"), re.MULTILINE
        )
        if other != path and (same := names.intersection(found)):
            raise FileError(
                f"{path} is not written: {', '.join(sorted(same))} is in {other}. "
                f"Is it right there? Then look at what it calls"
            )


def _edit(path: str, action: Edit, files: Files) -> Applied:
    text = _text(path, files)
    if action.old == action.new:
        raise FileError("old and new are the same")
    count = text.count(action.old)
    if count > 1:
        raise FileError(f"old occurs {count:,} times in {path}: give more of the lines around it")
    if count == 0:
        raise FileError(f"old is not in {path}, character by character. {_near(text, action.old)}")
    files.write(path, text.replace(action.old, action.new).encode())
    line = text[: text.index(action.old)].count("\n") + 1
    return Applied(f"Edited {path}, line {line}.", changed=True)


def _near(text: str, old: str) -> str:
    """Return the lines of a text that are likest to what was looked for."""
    lines, wanted = text.splitlines(), old.strip().splitlines()
    first = difflib.get_close_matches(wanted[0] if wanted else "", lines[:5000], n=1, cutoff=0.5)
    if not first:
        return "Read the file, or write the whole of it."
    start = lines.index(first[0])
    return "There it says:\n" + cut("\n".join(lines[start : start + len(wanted)]), 1000)


def _text(path: str, files: Files) -> str:
    data = _bytes(path, files)
    if data is None:
        raise FileError(f"there is no {path}. {_others(path, files.paths())}")
    if len(data) > MAX_FILE_BYTES:
        raise FileError(f"{path} is too large ({len(data):,} bytes): look at parts of it by commands")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise FileError(f"{path} is no text") from None
    if "\0" in text:
        raise FileError(f"{path} is no text")
    return text


def _bytes(path: str, files: Files) -> bytes | None:
    try:
        return files.read(path)
    except KeyError:
        return None


def _others(path: str, paths: Collection[str]) -> str:
    """Name the files that may be meant: of the same name elsewhere, or of a similar one."""
    below = [other for other in paths if other.startswith(f"{path}/")]
    name = PurePosixPath(path).name
    near = below or [other for other in paths if PurePosixPath(other).name == name]
    near = near or difflib.get_close_matches(path, list(paths)[:5000], n=MAX_NEAR, cutoff=0.5) or list(paths)
    if not near:
        return "The workspace is empty."
    more = f", and {len(near) - MAX_NEAR} more" if len(near) > MAX_NEAR else ""
    return f"There are: {', '.join(near[:MAX_NEAR])}{more}."


def _lines(count: int) -> str:
    return f"{count:,} line" + ("" if count == 1 else "s")
