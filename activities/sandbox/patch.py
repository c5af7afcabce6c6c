"""Git-style patches, which ``git apply`` takes: text in hunks, all else as ``GIT binary patch``, links and modes."""

import hashlib
import string
import zlib
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from activities.sandbox.archive import File, Link

CONTEXT_LINES = 3
MAX_COMPARED = 4_000_000
"""Lines of the one side times lines of the other, between what both begin and end with. Where there are more, all of
them are replaced: comparing takes a time that grows with this."""
_BINARY_LINE = 52
"""Bytes a line of a binary patch."""
_COUNTS = string.ascii_uppercase + string.ascii_lowercase
"""What such a line begins with: the number of its bytes, from one."""
_DIGITS = np.frombuffer(f"{string.digits}{_COUNTS}!#$%&()*+-;<=>?@^_`{{|}}~".encode(), np.uint8)
_Tag: TypeAlias = Literal["replace", "delete", "insert", "equal"]


class Section(NamedTuple):
    """A patch of one file, with the lines that it adds and removes; a binary file has none."""

    text: str
    added: int = 0
    removed: int = 0


def section(path: str, old: File | Link | None, new: File | Link | None) -> Section:
    """Return the patch that makes ``new`` of ``old``; None is no file."""
    if old is not None and new is not None and type(old) is not type(new):
        gone, come = section(path, old, None), section(path, None, new)
        return Section(gone.text + come.text, come.added, gone.removed)
    a, b = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    old_mode, new_mode = old and _mode(old), new and _mode(new)
    lines = [f"diff --git {a} {b}\n"]
    if old_mode is None:
        lines.append(f"new file mode {new_mode}\n")
    elif new_mode is None:
        lines.append(f"deleted file mode {old_mode}\n")
    elif old_mode != new_mode:
        lines += [f"old mode {old_mode}\n", f"new mode {new_mode}\n"]
    old_data, new_data = _contents(old), _contents(new)
    if old is not None and new is not None and old_data == new_data:
        return Section("".join(lines))
    mode = f" {new_mode}" if old_mode == new_mode else ""
    old_text, new_text = _text(old_data), _text(new_data)
    if old_text is None or new_text is None:
        lines.append(f"index {_blob_name(old)}..{_blob_name(new)}{mode}\nGIT binary patch\n")
        return Section("".join([*lines, *_binary(new_data), *_binary(old_data)]))
    lines.append(f"index {_blob_name(old)[:10]}..{_blob_name(new)[:10]}{mode}\n")
    hunks = list(_hunks(_lines(old_text), _lines(new_text)))
    if hunks:
        lines += [f"--- {_ended(a) if old else '/dev/null'}\n", f"+++ {_ended(b) if new else '/dev/null'}\n"]
    added, removed = (sum(line.startswith(sign) for line in hunks) for sign in "+-")
    return Section("".join([*lines, *hunks]), added, removed)


def _hunks(old: list[str], new: list[str]) -> Iterator[str]:
    """Yield the lines of a unified diff, without its head."""
    for group in _Matcher(old, new).get_grouped_opcodes(CONTEXT_LINES):
        (_, old_from, _, new_from, _), (_, _, old_to, _, new_to) = group[0], group[-1]
        yield f"@@ -{_range(old_from, old_to)} +{_range(new_from, new_to)} @@\n"
        for tag, i, j, k, m in group:
            if tag == "equal":
                yield from (_line(" ", line) for line in old[i:j])
            else:
                yield from (_line("-", line) for line in old[i:j])
                yield from (_line("+", line) for line in new[k:m])


class _Matcher(SequenceMatcher[str]):
    """Compares only what is between the lines that both begin and end with, in a bounded time."""

    def __init__(self, old: list[str], new: list[str]) -> None:
        super().__init__()
        self._old, self._new = old, new

    def get_opcodes(self) -> list[tuple[_Tag, int, int, int, int]]:
        old, new = self._old, self._new
        shorter = min(len(old), len(new))
        head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
        shorter -= head
        tail = next((n for n in range(shorter) if old[-1 - n] != new[-1 - n]), shorter)
        old_end, new_end = len(old) - tail, len(new) - tail
        found: list[tuple[_Tag, int, int, int, int]] = [("equal", 0, head, 0, head)] if head else []
        if (old_end - head) * (new_end - head) > MAX_COMPARED:
            found.append(("replace", head, old_end, head, new_end))
        else:
            middle = SequenceMatcher(None, old[head:old_end], new[head:new_end]).get_opcodes()
            found += [(tag, head + i, head + j, head + k, head + m) for tag, i, j, k, m in middle]
        if tail:
            found.append(("equal", old_end, len(old), new_end, len(new)))
        return found


def _range(start: int, end: int) -> str:
    """Return a hunk's range of lines: those of an empty one begin before the line that follows."""
    count = end - start
    return f"{start + 1}" if count == 1 else f"{start + 1 if count else start},{count}"


def _line(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """Split at newlines alone, as git does, and keep them; ``splitlines`` also splits at others."""
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])


def _binary(data: bytes) -> Iterator[str]:
    """Yield the lines of a binary patch that makes these bytes of any others."""
    yield f"literal {len(data)}\n"
    packed = zlib.compress(data)
    text = _base85(packed)
    for start in range(0, len(packed), _BINARY_LINE):
        count = min(_BINARY_LINE, len(packed) - start)
        yield f"{_COUNTS[count - 1]}{text[start // 4 * 5 : (start + _BINARY_LINE) // 4 * 5]}\n"
    yield "\n"


def _base85(data: bytes) -> str:
    """Encode as git does, which is ``base64.b85encode`` of whole groups of four bytes, at thirty times its speed."""
    rest = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
    digits = np.empty((len(rest), 5), np.uint8)
    for place in (4, 3, 2, 1, 0):
        rest, digits[:, place] = np.divmod(rest, 85)
    return _DIGITS[digits].tobytes().decode()


def _mode(entry: File | Link) -> str:
    if isinstance(entry, Link):
        return "120000"
    return "100755" if entry.executable else "100644"


def _contents(entry: File | Link | None) -> bytes:
    match entry:
        case File(data):
            return data
        case Link(target):
            return target.encode()
    return b""


def _text(data: bytes) -> str | None:
    """Return the text that the bytes are; None if they are no text."""
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


def _blob_name(entry: File | Link | None) -> str:
    """Return git's name of the contents."""
    if entry is None:
        return "0" * 40
    data = _contents(entry)
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()


def _quoted(name: str) -> str:
    """Return a file's name as git writes it; those of a workspace have no control characters."""
    if '"' not in name and "\\" not in name:
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _ended(name: str) -> str:
    """Return a quoted name with the tab that ends it where it has spaces."""
    return f"{name}\t" if " " in name and not name.startswith('"') else name
