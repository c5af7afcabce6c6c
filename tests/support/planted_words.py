"""Words that may be found nowhere, and the search for them in all the forms that bytes take."""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import psutil


def forms(word: str) -> set[bytes]:
    """Return a word as it would lie in a file: plain in several encodings, escaped, in hexadecimal, in base64."""
    plain = word.encode()
    found = {plain, word.encode("utf-16-le"), word.encode("utf-16-be"), plain.hex().encode(), quote(word).encode()}
    found |= {json.dumps(word)[1:-1].encode(), plain.lower(), plain.upper()}
    for bytes_before in range(3):  # base64 depends on where in a group of three the word begins
        encoded = base64.b64encode(bytes(bytes_before) + plain)
        first = -(-bytes_before * 8 // 6)
        whole = (bytes_before + len(plain)) * 8 // 6
        found.add(encoded[first:whole])
    return found


def words_in(data: bytes, words: Iterable[str]) -> set[str]:
    """Return those of the words that are in the data, in whatever form."""
    return {word for word in words if any(form in data for form in forms(word))}


def files_of(home: Path, but: Iterable[Path]) -> Iterator[Path]:
    """Yield the files below a home; what is a link, or below one of ``but``, is left out."""
    left_out = tuple(but)
    for path in sorted(home.rglob("*")):
        linked = any(part.is_symlink() for part in (path, *path.parents) if part.is_relative_to(home))
        if path.is_file() and not linked and not any(path.is_relative_to(folder) for folder in left_out):
            yield path


def arguments_below(pid: int) -> bytes:
    """Return the command lines of a process and of all that it started."""
    process = psutil.Process(pid)
    lines = []
    for one in (process, *process.children(recursive=True)):
        try:
            lines.append("\0".join(one.cmdline()))
        except psutil.Error:  # it has ended
            continue
    return "\n".join(lines).encode()
