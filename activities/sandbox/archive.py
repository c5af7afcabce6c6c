"""A coding task's workspace as a value: packed from a folder, held in memory, written as the bytes of a tar archive.

It holds regular files, folders, and symbolic links that cannot lead out of it. Links are values: nothing here follows
one. Standard library only, so that it also runs within a sandbox.
"""

import os
import re
import stat
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from activities.sandbox import tar

TOO_LARGE = "workspace-too-large"
UNREADABLE = "workspace-unreadable"
DAMAGED = "archive-damaged"
APPLYING = ".june-apply"
"""Folder that ``activities.sandbox.changes`` uses while it writes."""
LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".pytest_cache", ".mypy_cache"}
    | {".ruff_cache", ".hypothesis", ".tox", ".nox", APPLYING}
)
"""Names, in lower case, that no workspace holds: caches can be made again, and what belongs to the version control
has hooks and settings that are commands, which would run outside any sandbox."""
MAX_DEPTH = 64
"""Names in a path."""
MAX_PATH_BYTES = 1000
MAX_NAME_BYTES = 255
_UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")
_MAX_SHOWN = 200
_BYTES_PER_MEMBER = 4096
"""Of an archive, beside contents: headers, long names, padding, other programs' pax records."""
_CHUNK = 256 << 10
_LINK_OUT = "a link out of the workspace"
_SPECIAL = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY


class PathError(ValueError):
    """Nothing of that kind can be at a path; the message says why."""


class ArchiveError(ValueError):
    """A workspace that cannot be packed, or an archive that is none."""

    def __init__(self, code: str, message: str) -> None:
        """Keep a code (``workspace-too-large``, ``workspace-unreadable``, ``archive-damaged``) and a sentence."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class File:
    """A regular file; two are equal whenever they were written."""

    data: bytes
    executable: bool = False
    mtime: int = field(default=0, compare=False)
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link that stays within the workspace."""

    target: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder."""


Entry: TypeAlias = File | Link | Folder


class Other(NamedTuple):
    """What no workspace holds, in words: ``a FIFO``, ``a link out of the workspace``."""

    what: str


class Packed(NamedTuple):
    """A folder as an archive."""

    data: bytes
    """What ``Archive.load`` reads."""
    files: int
    """Regular files and links."""
    bytes: int
    """Of their contents."""
    skipped: tuple[str, ...]
    """What was not taken, each with the reason: ``.git: left out``, ``out: a link out of the workspace``."""


class Archive:
    """A workspace in memory. Paths are relative and normal: ``a/b.py``, never ``./a``, ``a/../b`` or ``/a``."""

    def __init__(self, max_bytes: int, max_files: int) -> None:
        """Begin with an empty workspace.

        Args:
            max_bytes: of all contents.
            max_files: files, folders and links.

        """
        self.max_bytes = max_bytes
        self.max_files = max_files
        self.size = 0
        """Bytes of all contents."""
        self.skipped: tuple[str, ...] = ()
        """What ``load`` has left out, each with the reason."""
        self._entries: dict[str, Entry] = {}

    @classmethod
    def load(cls, data: bytes, max_bytes: int, max_files: int) -> "Archive":
        """Read an archive, whoever made it.

        What a program may well leave behind though no workspace holds it (links out, FIFOs, caches, names that are not
        UTF-8) is left out and named in ``skipped``; what only an attack or damage brings is refused.

        Args:
            data: a tar archive, not compressed: ustar, GNU or pax.
            max_bytes: of all contents.
            max_files: members, taken or not, and the folders that their paths imply.

        Raises:
            ArchiveError: ``workspace-too-large``, or ``archive-damaged``: cut, absolute names or ``..``, devices, two
                members of one name, members below a file or a link, hard links to what is not there, sparse files.

        """
        archive = cls(max_bytes, max_files)
        if len(data) > max_bytes + max_files * _BYTES_PER_MEMBER + tarfile.RECORDSIZE:
            raise _too_large(max_bytes, max_files)
        skipped: dict[str, str] = {}
        try:
            for count, member in enumerate(tar.members(data)):
                if count > max_files:  # one more, as the workspace itself may be a member
                    raise _too_large(max_bytes, max_files)
                path = _normal(member.name)
                if not path and member.type == tarfile.DIRTYPE:
                    continue
                if found := obstacle(path):
                    skipped.setdefault(*found)
                    continue
                entry = _entry(path, member, archive, skipped)
                if isinstance(entry, Other):
                    skipped[path] = entry.what
                else:
                    archive.add(path, entry)
        except (tarfile.TarError, PathError) as error:
            raise ArchiveError(DAMAGED, f"The archive of the workspace is damaged: {error}.") from error
        archive.skipped = tuple(f"{shown(path)}: {reason}" for path, reason in skipped.items())
        return archive

    def paths(self) -> list[str]:
        """List the regular files, sorted."""
        return sorted(path for path, entry in self._entries.items() if isinstance(entry, File))

    def entries(self) -> Mapping[str, Entry]:
        """Return all by path, in no order: as they are now and will be."""
        return MappingProxyType(self._entries)

    def read(self, path: str) -> bytes:
        """Return a regular file's contents.

        Raises:
            KeyError: there is nothing at this path, or a folder.
            PathError: there is a link; the message says where to.

        """
        match self._entries[path]:
            case File(data):
                return data
            case Link(target):
                raise PathError(f"{path} is a link to {target}: links are not followed")
            case Folder():
                raise KeyError(path)

    def write(self, path: str, data: bytes) -> None:
        """Write a regular file, with the folders above it; one that is executable stays so, a link is replaced.

        Its time is a second after that of all others, so that what builds by times builds again: no clock is read.

        Raises:
            PathError: it cannot be there; the message says why.
            ArchiveError: ``workspace-too-large``; nothing has changed.

        """
        old = self._entries.get(path)
        latest = max((entry.mtime for entry in self._entries.values() if isinstance(entry, File)), default=0)
        self.add(path, File(data, isinstance(old, File) and old.executable, latest + 1))

    def add(self, path: str, entry: Entry) -> None:
        """Put an entry at a path, with the folders above it; a file or a link there is replaced.

        Raises:
            PathError: it cannot be there; the message says why.
            ArchiveError: ``workspace-too-large``; nothing has changed.

        """
        if not path or path != _normal(path):
            raise PathError(f"{shown(path)} is no path of a file")
        if found := obstacle(path):
            raise PathError(f"{shown(found[0])} is in no workspace ({found[1]})")
        old = self._entries.get(path)
        if old is not None and isinstance(old, Folder) != isinstance(entry, Folder):
            raise PathError(f"{path} is {'a folder' if isinstance(old, Folder) else 'no folder'}")
        folders = self.missing_folders(path)
        for above in folders:
            if above in self._entries:
                raise PathError(f"{above} is no folder, so that nothing can be below it")
        size = self.size + _size(entry) - (_size(old) if old else 0)
        if size > self.max_bytes or len(self._entries) + len(folders) + (old is None) > self.max_files:
            raise _too_large(self.max_bytes, self.max_files)
        self.size = size
        self._entries.update(dict.fromkeys(folders, Folder()))
        self._entries[path] = entry

    def missing_folders(self, path: str) -> list[str]:
        """List the paths above a path, from the innermost, at which no folder is."""
        missing = []
        above = path.rpartition("/")[0]
        while above and not isinstance(self._entries.get(above), Folder):
            missing.append(above)
            above = above.rpartition("/")[0]
        return missing

    def remove(self, path: str) -> None:
        """Remove a regular file or a link; the folder that it was in stays.

        Raises:
            KeyError: there is none at this path.

        """
        if isinstance(self._entries[path], Folder):
            raise KeyError(path)
        self.size -= _size(self._entries.pop(path))

    def dump(self) -> bytes:
        """Return the workspace as a tar archive: the same bytes for the same workspace."""
        parts: list[bytes] = []
        for path in sorted(self._entries):
            match self._entries[path]:
                case File(data, executable, mtime):
                    parts += tar.encode(tar.Member(path, tarfile.REGTYPE, "", executable, mtime, data))
                case Link(target):
                    parts += tar.encode(tar.Member(path, tarfile.SYMTYPE, target))
                case Folder():
                    parts += tar.encode(tar.Member(path, tarfile.DIRTYPE))
        return b"".join([*parts, tar.END])


def pack(folder: Path, max_bytes: int, max_files: int) -> Packed:
    """Pack a folder, following no link in it, whatever is done to it meanwhile; nothing in it makes this wait.

    Args:
        folder: the folder, or a link to it.
        max_bytes: of all contents.
        max_files: files, folders, links, and what is skipped.

    Raises:
        ArchiveError: ``workspace-too-large``; ``workspace-unreadable``, it is no folder, or cannot be read.

    """
    archive = Archive(max_bytes, max_files)
    skipped: list[str] = []
    try:
        directory = os.open(folder, _OPEN_FOLDER)
        try:
            _pack(directory, "", archive, skipped)
        finally:
            os.close(directory)
    except OSError as error:
        raise ArchiveError(UNREADABLE, f"The folder {shown(str(folder))} cannot be read: {error.strerror}.") from error
    files = [entry for entry in archive.entries().values() if not isinstance(entry, Folder)]
    return Packed(archive.dump(), len(files), archive.size, tuple(skipped))


def _pack(directory: int, prefix: str, archive: Archive, skipped: list[str]) -> None:
    """Add what is in an open folder to an archive; what cannot be read is skipped, with the system's reason."""
    with os.scandir(directory) as found:
        names = sorted(entry.name for entry in islice(found, archive.max_files + 1))
    if len(names) + len(archive.entries()) + len(skipped) > archive.max_files:
        raise _too_large(archive.max_bytes, archive.max_files)
    for path in [f"{prefix}{name}" for name in names]:
        if reason := obstacle(path):
            skipped.append(f"{shown(path)}: {reason[1]}")
            continue
        try:
            entry = read_entry(directory, path, archive.max_bytes)
            if isinstance(entry, Folder):
                inside = open_folder(directory, path)
                try:
                    archive.add(path, entry)
                    _pack(inside, f"{path}/", archive, skipped)
                finally:
                    os.close(inside)
            elif isinstance(entry, Other):
                skipped.append(f"{shown(path)}: {entry.what}")
            else:
                archive.add(path, entry)
        except OSError as error:
            skipped.append(f"{shown(path)}: {error.strerror}")


def open_folder(directory: int, path: str) -> int:
    """Open the folder in an open folder that a path ends with; not if it is a link.

    Raises:
        OSError: it is no folder, or cannot be opened.

    """
    return os.open(last_name(path), _OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=directory)


def read_entry(directory: int, path: str, max_bytes: int) -> Entry | Other:
    """Read what a path ends with, in the folder that is open; no link is followed, and nothing makes this wait.

    Args:
        directory: the open folder that it is in.
        path: from the workspace's folder.
        max_bytes: one more is read of a file that has more.

    Raises:
        OSError: it is not there, cannot be read, or was replaced while it was read.

    """
    mode = os.stat(last_name(path), dir_fd=directory, follow_symlinks=False).st_mode
    if stat.S_ISDIR(mode):
        return Folder()
    if stat.S_ISLNK(mode):
        target = os.readlink(last_name(path), dir_fd=directory)
        return Other(_LINK_OUT) if _leads_out(path, target) else Link(target)
    if not stat.S_ISREG(mode):
        return Other(_SPECIAL.get(stat.S_IFMT(mode), "no regular file"))
    file = os.open(last_name(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return Other("replaced while it was read")
        chunks, left = [], max_bytes + 1
        while left > 0 and (chunk := os.read(file, min(left, _CHUNK))):
            chunks.append(chunk)
            left -= len(chunk)
        return File(b"".join(chunks), bool(status.st_mode & stat.S_IXUSR), max(0, int(status.st_mtime)))
    finally:
        os.close(file)


def obstacle(path: str) -> tuple[str, str] | None:
    """Find what keeps a path out of all workspaces: the path to it and the reason; None if nothing does."""
    parts = path.split("/")
    for count, name in enumerate(parts, 1):
        if name.casefold() in LEFT_OUT:
            return "/".join(parts[:count]), "left out"
        if _UNPRINTABLE.search(name):
            return "/".join(parts[:count]), "a name that is not UTF-8, or has control characters"
        if count > MAX_DEPTH or len(name.encode()) > MAX_NAME_BYTES:
            return "/".join(parts[:count]), "too deep, or its name too long"
    return (path, "its path is too long") if len(path.encode()) > MAX_PATH_BYTES else None


def last_name(path: str) -> str:
    """Return the name that a path ends with."""
    return path.rpartition("/")[2]


def shown(path: str) -> str:
    """Return a path as a line can show it: quoted if it has unprintable characters, its end alone if it is long."""
    cut = path if len(path) <= _MAX_SHOWN else f"...{path[-_MAX_SHOWN:]}"
    return repr(cut) if _UNPRINTABLE.search(cut) else cut


def _entry(path: str, member: tar.Member, archive: Archive, skipped: Mapping[str, str]) -> Entry | Other:
    """Return what a member of an archive is; a hard link is another file with the same contents.

    Raises:
        PathError: no workspace can hold it, or another member is there already, or is a file above it.

    """
    again = path in archive.entries() and member.type != tarfile.DIRTYPE
    if again or not skipped.keys().isdisjoint([path, *archive.missing_folders(path)]):
        raise PathError(f"two members are at {shown(path)}, or above it")
    match member.type:
        case tarfile.REGTYPE:
            return File(member.data, member.executable, member.mtime)
        case tarfile.DIRTYPE:
            return Folder()
        case tarfile.SYMTYPE:
            return Other(_LINK_OUT) if _leads_out(path, member.target) else Link(member.target)
        case tarfile.FIFOTYPE:
            return Other(_SPECIAL[stat.S_IFIFO])
        case tarfile.LNKTYPE:
            target = _normal(member.target)
            same = archive.entries().get(target)
            if same is None and (target in skipped or obstacle(target)):
                return Other("a hard link to what is left out")
            if isinstance(same, File):
                return same
            raise PathError(f"{shown(path)} is a hard link to what is no file")
    raise PathError(f"{shown(path)} is a device, or what june does not know")


def _leads_out(path: str, target: str) -> bool:
    """Check whether a link could lead out of the workspace.

    Only the beginning of the target may have ``..``, each for one of the folders that the link is in. These are no
    links, so that such a target stays within whatever other links are on its way: of ``folder/..`` that isn't known.
    """
    parts = [part for part in target.split("/") if part not in {"", "."}]
    ups = next((count for count, part in enumerate(parts) if part != ".."), len(parts))
    bad = not target or target.startswith("/") or _UNPRINTABLE.search(target) or len(target) > MAX_PATH_BYTES
    return bool(bad) or ups > path.count("/") or ".." in parts[ups:]


def _normal(name: str) -> str:
    """Return a member's name as a path, empty for the workspace itself.

    Raises:
        PathError: it is not within the workspace.

    """
    parts = name.split("/")
    if name.startswith("/") or ".." in parts:
        raise PathError(f"{shown(name)} is not within the workspace")
    return "/".join(part for part in parts if part not in {"", "."})


def _size(entry: Entry) -> int:
    match entry:
        case File(data):
            return len(data)
        case Link(target):
            return len(target.encode())
        case Folder():
            return 0


def _too_large(max_bytes: int, max_files: int) -> ArchiveError:
    message = f"The workspace has more than {max_bytes:,} bytes, or more than {max_files:,} files and folders."
    return ArchiveError(TOO_LARGE, message)
