"""What a coding task has changed: for people and ``git apply`` as a patch, and written into the folder it came from."""

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Container, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

from activities.sandbox.archive import (
    APPLYING,
    Archive,
    Entry,
    File,
    Folder,
    Link,
    Other,
    last_name,
    open_folder,
    read_entry,
    shown,
)
from activities.sandbox.patch import section


class FileChange(NamedTuple):
    """A file, or link, that is not as it was."""

    path: str
    kind: Literal["added", "changed", "deleted", "link", "mode"]
    """``link``: it is a link, or was one; ``mode``: nothing but whether it is executable."""
    added: int
    """Lines; none of binary files."""
    removed: int


class Changes(NamedTuple):
    """All that differs between two workspaces, but for empty folders."""

    patch: str
    """``git apply`` makes the later of the earlier; empty where nothing differs."""
    files: tuple[FileChange, ...]
    """By path."""


class Applied(NamedTuple):
    """What was done to a folder: paths of files and links, sorted, without those that were as they should be."""

    written: tuple[str, ...]
    removed: tuple[str, ...]


class ConflictError(Exception):
    """The folder is no longer what the task began with, at paths that the task has changed."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        """Keep the paths, at least one."""
        named = ", ".join(shown(path) for path in paths[:5])
        more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
        super().__init__(f"Changed meanwhile, so that nothing was written: {named}{more}.")
        self.paths = paths


def changes(before: Archive, after: Archive) -> Changes:
    """Compare two workspaces."""
    sections = []
    files = []
    for path, (old, new) in _differences(before, after).items():
        was, now = (None if isinstance(entry, Folder) else entry for entry in (old, new))
        if was != now:
            text, added, removed = section(path, was, now)
            sections.append(text)
            files.append(FileChange(path, _kind(was, now), added, removed))
    return Changes("".join(sections), tuple(files))


def apply_changes(folder: Path, before: Archive, after: Archive) -> Applied:
    """Write into a folder what a task has changed, or nothing at all; blocks.

    Where the folder is not what ``before`` holds, at a path that differs between the archives, nothing is written.
    A path that is already as in ``after`` is no conflict, nor is whatever is at any other path. Files keep their
    permissions, and links in the folder are never followed. What others write while this runs is a conflict, too,
    but for the moment of a rename. If writing fails, what was done is undone, so that the folder is as it was.

    A process that is killed (``kill -9``) undoes nothing: some paths are as in ``before``, some as in ``after``, each
    file a whole one; where a file becomes a folder, or a folder a file, neither may be there; and ``.june-apply``
    stays. Calling this again with the same archives does the rest and removes it. (Where the file system has no hard
    links, a file that was being replaced may be in ``.june-apply`` alone.) Nothing is done against a loss of power.

    Raises:
        ConflictError: the folder is not what ``before`` holds; it says where.
        OSError: the folder, or something in it, cannot be read or written, or another process does this there.

    """
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(root)
        differences = _differences(before, after)
        steps = _steps(root, differences, max(before.max_bytes, after.max_bytes))
        with _staging(root) as staging, ExitStack() as undo:
            _Writing(root, staging, undo).write(steps)
            undo.pop_all()
    finally:
        os.close(root)
    removed = [step for step in steps if isinstance(step.found, File | Link) and not isinstance(step.new, File | Link)]
    written = [step for step in steps if isinstance(step.new, File | Link)]
    return Applied(tuple(step.path for step in written), tuple(step.path for step in removed))


class _Step(NamedTuple):
    """A path of a folder that is to be changed."""

    path: str
    found: Entry | None
    status: os.stat_result | None
    """Of what was found."""
    new: Entry | None

    @property
    def clears(self) -> bool:
        """Whether what is there goes before anything new comes."""
        return self.found is not None and (self.new is None or _changes_kind(self.found, self.new))


class _Writing:
    """Changes a folder step by step, and notes how each is undone."""

    def __init__(self, root: int, staging: int, undo: ExitStack) -> None:
        self._root = root
        self._staging = staging
        self._undo = undo

    def write(self, steps: list[_Step]) -> None:
        """Change the folder: what needs space on the disk first, in the staging folder, then what needs none."""
        for number, step in enumerate(steps):
            self._stage(f"new-{number}", step)
        for number, step in reversed([*enumerate(steps)]):
            if step.clears:
                self._clear(f"old-{number}", step)
        for number, step in enumerate(steps):
            if isinstance(step.new, Folder):
                with _parent(self._root, step.path) as parent:
                    os.mkdir(last_name(step.path), dir_fd=parent)
                self._undo.callback(self._remove_folder, step.path)
            elif step.new is not None:
                self._put(number, step)

    def _stage(self, name: str, step: _Step) -> None:
        match step.new:
            case Link(target):
                os.symlink(target, name, dir_fd=self._staging)
            case File(data, executable):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                descriptor = os.open(name, flags, 0o777 if executable else 0o666, dir_fd=self._staging)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    if isinstance(step.found, File) and step.status:
                        with suppress(PermissionError):  # another user's file becomes that of who replaces it
                            os.fchown(file.fileno(), step.status.st_uid, step.status.st_gid)
                        os.fchmod(file.fileno(), _permissions(step.status.st_mode, executable))

    def _clear(self, kept: str, step: _Step) -> None:
        with _parent(self._root, step.path) as parent:
            if not isinstance(step.found, Folder):
                os.rename(last_name(step.path), kept, src_dir_fd=parent, dst_dir_fd=self._staging)
                self._undo.callback(self._put_back, kept, step.path)
                self._require_same(kept, step)
                return
            try:
                os.rmdir(last_name(step.path), dir_fd=parent)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
                if step.new is not None:
                    raise ConflictError((step.path,)) from error
                return  # it has what is in no workspace, such as caches
            self._undo.callback(self._make_folder, step)

    def _put(self, number: int, step: _Step) -> None:
        name = last_name(step.path)
        with _parent(self._root, step.path) as parent:
            if step.found is not None and not step.clears:
                kept = f"old-{number}"
                try:
                    os.link(name, kept, src_dir_fd=parent, dst_dir_fd=self._staging, follow_symlinks=False)
                except OSError:  # a file system without hard links, or another user's file
                    os.rename(name, kept, src_dir_fd=parent, dst_dir_fd=self._staging)
                self._undo.callback(self._put_back, kept, step.path)
                self._require_same(kept, step)
            else:
                with suppress(FileNotFoundError):  # as it should be
                    os.stat(name, dir_fd=parent, follow_symlinks=False)
                    raise ConflictError((step.path,))
            os.rename(f"new-{number}", name, src_dir_fd=self._staging, dst_dir_fd=parent)
        if step.found is None or step.clears:
            self._undo.callback(self._remove_file, step.path)

    def _require_same(self, kept: str, step: _Step) -> None:
        """Check that what was kept is what was compared, not written meanwhile."""
        now = os.stat(kept, dir_fd=self._staging, follow_symlinks=False)
        if step.status is None or _identity(now) != _identity(step.status):
            raise ConflictError((step.path,))

    def _put_back(self, kept: str, path: str) -> None:
        with _parent(self._root, path) as parent:
            os.rename(kept, last_name(path), src_dir_fd=self._staging, dst_dir_fd=parent)
        with suppress(FileNotFoundError):
            os.unlink(kept, dir_fd=self._staging)  # a rename of a file to itself does nothing

    def _remove_file(self, path: str) -> None:
        with _parent(self._root, path) as parent, suppress(FileNotFoundError):
            os.unlink(last_name(path), dir_fd=parent)

    def _remove_folder(self, path: str) -> None:
        with _parent(self._root, path) as parent:
            os.rmdir(last_name(path), dir_fd=parent)

    def _make_folder(self, step: _Step) -> None:
        with _parent(self._root, step.path) as parent:
            os.mkdir(last_name(step.path), dir_fd=parent)
            inside = open_folder(parent, step.path)
            try:
                if step.status:
                    os.fchmod(inside, stat.S_IMODE(step.status.st_mode))
            finally:
                os.close(inside)


def _differences(before: Archive, after: Archive) -> dict[str, tuple[Entry | None, Entry | None]]:
    """Return what differs, by path, sorted: what it was and what it is."""
    old, new = before.entries(), after.entries()
    return {path: (old.get(path), new.get(path)) for path in sorted({*old, *new}) if old.get(path) != new.get(path)}


def _changes_kind(old: Entry | None, new: Entry | None) -> bool:
    """Check whether a folder becomes a file, or a file a folder."""
    return old is not None and new is not None and isinstance(old, Folder) != isinstance(new, Folder)


def _kind(old: File | Link | None, new: File | Link | None) -> Literal["added", "changed", "deleted", "link", "mode"]:
    if isinstance(old, Link) or isinstance(new, Link):
        return "link"
    if old is None:
        return "added"
    if new is None:
        return "deleted"
    return "mode" if old.data == new.data else "changed"


def _steps(root: int, differences: Mapping[str, tuple[Entry | None, Entry | None]], max_bytes: int) -> list[_Step]:
    """Compare the folder with what the task began with; return what is to be done, sorted by path.

    Raises:
        ConflictError: it is neither as it was nor as it is to be.
        OSError: something cannot be read.

    """
    steps, conflicts = [], []
    for path, (old, new) in differences.items():
        found, status = _found(root, path, differences, max_bytes)
        cleared = found is None and _changes_kind(old, new)  # by a process that was killed
        if isinstance(found, Other) or not (cleared or found in (old, new)):
            conflicts.append(path)
        elif found != new:
            steps.append(_Step(path, found, status, new))
    if conflicts:
        raise ConflictError(tuple(conflicts))
    return steps


def _found(
    root: int, path: str, differences: Container[str], max_bytes: int
) -> tuple[Entry | Other | None, os.stat_result | None]:
    """Read what is in the folder at a path; a folder above it may be missing only if that differs itself."""
    try:
        with _parent(root, path) as parent:
            try:
                status = os.stat(last_name(path), dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:
                return None, None
            return read_entry(parent, path, max_bytes), status
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            raise
        return (None if any(above in differences for above in _above(path)) else Other("in no folder")), None


@contextmanager
def _parent(root: int, path: str) -> Iterator[int]:
    """Open the folder that a path is in, going through no link.

    Raises:
        OSError: it is not there, or is no folder, or one above it.

    """
    with ExitStack() as opened:
        directory = root
        for above in _above(path):
            directory = open_folder(directory, above)
            opened.callback(os.close, directory)
        yield directory


@contextmanager
def _staging(root: int) -> Iterator[int]:
    """Make a folder for what is new and what was there before; one that a killed process has left is removed."""
    with suppress(FileNotFoundError):
        shutil.rmtree(APPLYING, dir_fd=root)
    os.mkdir(APPLYING, 0o700, dir_fd=root)
    staging = open_folder(root, APPLYING)
    try:
        yield staging
    except BaseException:
        with os.scandir(staging) as entries:
            for name in [entry.name for entry in entries if entry.name.startswith("new-")]:
                os.unlink(name, dir_fd=staging)
        with suppress(OSError):  # what could not be put back stays there
            os.rmdir(APPLYING, dir_fd=root)
        raise
    else:
        shutil.rmtree(APPLYING, ignore_errors=True, dir_fd=root)  # what stays is removed the next time
    finally:
        os.close(staging)


def _lock(directory: int) -> None:
    """Keep other processes from applying to an open folder until it is closed.

    Raises:
        BlockingIOError: one does.

    """
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in {errno.EBADF, errno.ENOLCK, errno.ENOTSUP}:  # NFS locks no folders
            raise


def _above(path: str) -> list[str]:
    """List the paths of the folders that a path is in, the outermost first."""
    return [path[:at] for at, letter in enumerate(path) if letter == "/"]


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _permissions(mode: int, executable: bool) -> int:
    """Return a file's permissions, with those who may read it also allowed to execute it, or nobody."""
    kept = mode & 0o777
    return kept | (kept & 0o444) >> 2 if executable else kept & ~0o111
