"""Tar archives whose sender nobody trusts, read from memory; and the members that june itself writes.

Only single header blocks are left to ``tarfile`` (``TarInfo.frombuf``, ``tobuf``). Its way through an archive and its
extraction filters are not used: links led out of the folder past the filters (CVE-2025-4517, CVE-2025-4330,
CVE-2025-4138), a size below zero made it read for ever (CVE-2025-8194), pax records took it quadratic time
(CVE-2024-6232), rows of long names end its stack, and june runs on Pythons from before some of the repairs.
"""

import re
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
"""What an archive ends with."""
_PAX, _PAX_GLOBAL = b"x", b"g"
_NAMES = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_MAX_RECORDS = 64 << 10
"""Bytes of one member's pax records, or of its long name."""
_MAX_TIME = 0o77777777777
_PAX_RECORD = re.compile(rb"(\d{1,9}) ([^=\n]+)=")


class Member(NamedTuple):
    """A member of an archive, as it names itself: nothing about it is checked but that it fits into the archive."""

    name: str
    """Bytes that are not UTF-8 are surrogates in it (``surrogateescape``)."""
    type: bytes
    """A type flag, such as ``tarfile.REGTYPE``."""
    target: str = ""
    """Of a link."""
    executable: bool = False
    mtime: int = 0
    """Seconds since 1970, never below."""
    data: bytes = b""
    """Empty for all but regular files."""


def members(data: bytes) -> Iterator[Member]:
    """Yield the members of an archive (ustar, GNU or pax, not compressed), in time that grows with its size alone.

    Raises:
        tarfile.TarError: the archive is damaged or cut, has sparse files, or members with sizes that they cannot have.

    """
    offset = 0
    records: dict[str, str] = {}
    while (block := data[offset : offset + BLOCK]) != END[:BLOCK]:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        described = header.type in _NAMES or header.type in {_PAX, _PAX_GLOBAL}
        size = header.size if described else _size(records.get("size"), header.size)
        start = offset + BLOCK
        if not 0 <= size <= len(data) - start:
            raise tarfile.ReadError(f"a member of {size} bytes does not fit into the archive")
        body = data[start : start + size]
        offset = start + size + -size % BLOCK
        if described:
            found = _records(header.type, body)
            if found.keys() & records.keys():
                raise tarfile.ReadError("a member is described twice")
            records |= found
            continue
        if body and header.type not in {tarfile.REGTYPE, tarfile.AREGTYPE}:
            raise tarfile.ReadError("a member that is no regular file has contents")
        name = records.get("path", header.name)
        is_link = header.type in {tarfile.SYMTYPE, tarfile.LNKTYPE}
        if "\0" in name:
            raise tarfile.ReadError("a name has a zero byte")
        yield Member(
            name=name.rstrip("/") if header.type == tarfile.DIRTYPE else name,
            type=tarfile.REGTYPE if header.type == tarfile.AREGTYPE else header.type,
            target=records.get("linkpath", header.linkname) if is_link else "",
            executable=bool(header.mode & 0o100),
            mtime=min(max(int(header.mtime), 0), _MAX_TIME),
            data=body,
        )
        records = {}
    if records:
        raise tarfile.ReadError("the archive ends where a member should follow")


def _records(kind: bytes, body: bytes) -> dict[str, str]:
    """Read the records that precede a member, which override what its header says: path, linkpath and size."""
    if len(body) > _MAX_RECORDS:
        raise tarfile.ReadError(f"a member is described by more than {_MAX_RECORDS} bytes")
    if kind in _NAMES:
        return {_NAMES[kind]: body.rstrip(b"\0").decode(errors="surrogateescape")}
    found = {}
    offset = 0
    while offset < len(body):
        record = _PAX_RECORD.match(body, offset)
        end = offset + int(record[1]) if record else 0
        if record is None or not record.end() < end <= len(body) or body[end - 1 : end] != b"\n":
            raise tarfile.ReadError("a pax record is damaged")
        key = record[2].decode(errors="surrogateescape")
        if key.startswith("GNU.sparse."):
            raise tarfile.ReadError("a file is sparse")
        if key in {"path", "linkpath", "size"}:
            if key in found or kind == _PAX_GLOBAL:
                raise tarfile.ReadError(f"a pax record gives {key} twice, or to all members")
            found[key] = body[record.end() : end - 1].decode(errors="surrogateescape")
        offset = end
    return found


def _size(record: str | None, size: int) -> int:
    if record is None:
        return size
    if not re.fullmatch("[0-9]{1,15}", record):
        raise tarfile.ReadError("a pax record gives a size that is no number")
    return int(record)


def encode(member: Member) -> Iterator[bytes]:
    """Yield the bytes of a member, of user 0 and without names of users; its data are yielded as they are."""
    info = tarfile.TarInfo(member.name)
    info.type, info.linkname, info.size = member.type, member.target, len(member.data)
    info.mtime = min(member.mtime, _MAX_TIME)
    info.mode = 0o755 if member.executable or member.type != tarfile.REGTYPE else 0o644
    yield info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    yield member.data
    yield bytes(-len(member.data) % BLOCK)
