"""The home folder: what is wrong with it, told in a sentence before anything starts and while june runs."""

import asyncio
import errno
import logging
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from workers.errors import HomeFault, JuneError
from workers.local.database import Database

_log = logging.getLogger(__name__)

DATABASE = "temporal.db"
"""File of the embedded Temporal server in the home."""
LEAST_BYTES = 30_000_000
"""With less space june does not start: what it is told would not be kept."""
CHECKED_BYTES = 100_000_000
"""A larger database is read from end to end by `june doctor` alone, as that takes more than a second."""
WATCH_SECONDS = 5.0
SHARED = ("models",)
"""Folders in the home that others may read: they hold nothing of anybody's."""


def find_fault(home: Path) -> JuneError | None:
    """Return what keeps june from writing into its home; None when nothing does."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as probe:
            probe.write(b"june")
        free = shutil.disk_usage(home).free
        if free < LEAST_BYTES:
            return disk_full(home, free)
        for path in (home / "june.lock", home / "state.json"):
            if path.is_dir() or path.is_symlink():
                return JuneError(f"{path} is a folder or a link: move it away.", HomeFault.NOT_WRITABLE)
            if path.exists() and not os.access(path, os.R_OK | os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    except OSError as error:
        return explain_os_error(error, home)
    return None


def explain_os_error(error: OSError, home: Path) -> JuneError:
    """Say why something in the home cannot be written, and what to do."""
    named = Path(error.filename) if isinstance(error.filename, str) else home
    where = named if named.is_relative_to(home) and os.path.lexists(named) else home
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(home, 0)
    if error.errno == errno.EROFS:
        sentence = f"The disk of {home} is read-only: mount it for writing, or set JUNE_HOME to another folder."
        return JuneError(sentence, HomeFault.READ_ONLY)
    if error.errno in {errno.EACCES, errno.EPERM}:
        sentence = f"{where} belongs to another user, or may not be written: give it to this one, or set JUNE_HOME."
        return JuneError(sentence, HomeFault.NOT_WRITABLE)
    reason = os.strerror(error.errno) if error.errno else str(error)
    return JuneError(f"{where} cannot be used ({reason}): set JUNE_HOME to another folder.", HomeFault.NOT_WRITABLE)


def disk_full(home: Path, free: int) -> JuneError:
    """Say that there is no space."""
    sentence = (
        f"The disk of {home} is full ({free / 1e6:.0f} MB are free): make room, or set JUNE_HOME to another disk."
    )
    return JuneError(sentence, HomeFault.DISK_FULL)


def find_database_fault(path: Path, *, thorough: bool = False, in_use: bool = False) -> JuneError | None:
    """Return what is wrong with Temporal's database; None when nothing is, or there is none yet.

    Args:
        path: the file.
        thorough: read it to its end however large it is.
        in_use: a june runs that uses it, and so may lock it.

    """
    if not (path.exists() or path.is_symlink()):
        return None
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return damaged(path, "it is no file")
        with Database(path).opened(timeout=1) as connection:
            if not in_use:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
            if not (thorough or path.stat().st_size < CHECKED_BYTES):
                return None
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            return None if found == "ok" else damaged(path, found)
    except OSError as error:
        return explain_os_error(error, path.parent)
    except sqlite3.DatabaseError as error:
        return _explain(error, path)


def _explain(error: sqlite3.DatabaseError, path: Path) -> JuneError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # none of the extended codes
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        holders = ", ".join(f"process {process.pid} ({process.name()})" for process in _holders(path))
        sentence = f"{path} is locked by {holders or 'another process'}: stop that first."
        return JuneError(sentence, HomeFault.DATABASE_LOCKED)
    if code == sqlite3.SQLITE_FULL:
        return disk_full(path.parent, 0)
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        sentence = f"{path} may not be written: give it and its folder to this user."
        return JuneError(sentence, HomeFault.NOT_WRITABLE)
    if code == sqlite3.SQLITE_IOERR:
        return JuneError(f"{path} cannot be read or written: the disk fails, or is full.", HomeFault.DATABASE_DAMAGED)
    return damaged(path, str(error))


def damaged(path: Path, reason: str) -> JuneError:
    """Say that the database is damaged, what is left to do, and what is lost by that; june itself changes nothing."""
    sentence = (
        f"{path} is damaged ({' '.join(reason.split())[:120]}), and june leaves it as it is. Put a copy from before in "
        f"its place, or start afresh: move {path.name}, {path.name}-wal and {path.name}-shm to another folder. "
        "Conversations with their memory and settings, whom owners let in, and messages that wait are then gone; "
        "models and replies stay."
    )
    return JuneError(sentence, HomeFault.DATABASE_DAMAGED)


def _holders(path: Path) -> list[psutil.Process]:
    """List the other processes that have a file open, of those that this user may look into."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and any(file.path == str(path.resolve()) for file in process.open_files()):
                found.append(process)
    return found


async def watch(home: Path) -> None:
    """Log when the home can be written no longer, and when it can again; until cancelled.

    Nothing is lost meanwhile: the server refuses what it cannot keep, and whoever sent it tries again.
    """
    known: str | None = None
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        fault = await asyncio.to_thread(find_fault, home)
        code = fault.fault if fault else None
        if fault and code != known:
            _log.error("%s What cannot be kept waits until then. (%s)", fault, code)
        elif known and not fault:
            _log.warning("%s can be written again, and june goes on", home)
        known = code


def keep_private(home: Path) -> tuple[list[Path], list[Path]]:
    """Take from others what they may do with june's files: read, write, or enter folders.

    Links are not followed. Models may be shared: of them, only what others may write is taken.

    Returns:
        What was changed, and what could not be, as it is another user's.

    """
    changed, others = [], []
    for path in _walk(home):
        with suppress(FileNotFoundError):  # deleted meanwhile
            found = path.lstat()
            if stat.S_ISLNK(found.st_mode):
                continue
            shared = path != home and path.relative_to(home).parts[0] in SHARED
            too_much = found.st_mode & (0o022 if shared else 0o077)
            if found.st_uid != os.getuid():
                others.append(path)
            elif too_much:
                # Not opened for reading: closing a file lets go of the locks that this process has on it.
                descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    Path(f"/proc/self/fd/{descriptor}").chmod(stat.S_IMODE(found.st_mode) & ~too_much)
                finally:
                    os.close(descriptor)
                changed.append(path)
    return changed, others


def _walk(home: Path) -> Iterator[Path]:
    """Yield a folder and all below it, no link followed."""
    yield home
    for folder, folders, files in os.walk(home):
        yield from (Path(folder, name) for name in (*folders, *files))
