"""Temporal's SQLite file: what is deleted leaves its bytes, too.

Beside a server in a container, which has no other process of june's: ``python -m workers.local.database FILE``.
"""

import asyncio
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from workers.settings import PRIVATE

_log = logging.getLogger(__name__)

PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    # What is deleted is overwritten. Copies of old pages are left in the log, which is cut by `Database.cut_log`, and
    # by the server itself whenever it begins it afresh.
    "secure_delete": "1",
    "journal_size_limit": "0",
    # Free pages can be given back a few at a time. Holds for files that are made with it, or rewritten: so it tells
    # which files have never held a page that was freed without being overwritten.
    "auto_vacuum": "2",
    # The server waits while june cuts the log.
    "busy_timeout": "5000",
}
"""Of the server's connection."""

EVERY_SECONDS = 5.0
MOMENT_SECONDS = 0.2
"""A server that has written nothing for so long is taken to write nothing in the next milliseconds either."""
WAIT_SECONDS = 2.0
"""Longest wait for such a moment."""
FORCED_AFTER = 4
"""Rounds without such a moment; then the log is cut all the same."""
LATE_SECONDS = 120.0
"""A log that was written to so long ago should have been cut."""
IDLE_ROUNDS = 4
"""Rounds without anything written, after which space is given back."""
FREE_PAGES = 256
"""Fewer (1 MB) are left to what is written next."""
PAGES_AT_ONCE = 32


class Database:
    """The file of a Temporal dev server, that may be running."""

    def __init__(self, path: Path) -> None:
        """Name the file; it need not be there yet."""
        self.path = path
        self.log = path.with_name(f"{path.name}-wal")
        """What was written last, before it is in the file."""

    @property
    def has_log(self) -> bool:
        """Whether something was written since the log was cut."""
        try:
            return self.log.stat().st_size > 0
        except FileNotFoundError:
            return False

    def needs_rewriting(self) -> bool:
        """Check whether pages may have been freed in it without being overwritten, by june 0.1.0.

        Raises:
            sqlite3.Error: it is damaged, or locked.

        """
        with self.opened() as connection:
            return bool(connection.execute("PRAGMA auto_vacuum").fetchone()[0] != int(PRAGMAS["auto_vacuum"]))

    def rewrite(self) -> None:
        """Write the whole file anew, without what was deleted; takes as much space again meanwhile.

        Raises:
            sqlite3.Error: the disk is full, or the file is damaged, or locked; it is as it was.

        """
        # SQLite's own copy lies in the home too, where nobody else reads and there is most space.
        os.environ["SQLITE_TMPDIR"] = str(self.path.parent)
        try:
            with self.opened(timeout=60) as connection:
                connection.execute(f"PRAGMA auto_vacuum={PRAGMAS['auto_vacuum']}")
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            os.environ.pop("SQLITE_TMPDIR")

    def cut_log(self, *, forced: bool = False) -> bool:
        """Copy the log's pages into the file, and make the log empty.

        Copying holds up nobody. To cut the log, SQLite locks the server out for some milliseconds, and what that
        writes just then fails and is tried again: so a moment is chosen in which it writes nothing.

        Args:
            forced: cut also where there is no such moment.

        Returns:
            Whether the log is empty now.

        Raises:
            sqlite3.Error: the file is damaged, or locked for good.

        """
        with self.opened() as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            if not (_is_still(connection) or forced):
                return False
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            return not busy

    def give_back(self) -> None:
        """Give free pages back to the disk, until the server writes.

        Raises:
            sqlite3.Error: the file is damaged, or locked for good.

        """
        with self.opened() as connection:
            if _free_pages(connection) < FREE_PAGES:
                return
            before = _version(connection)
            while _free_pages(connection) and _version(connection) == before:
                connection.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def opened(self, timeout: float = 1.0) -> Iterator[sqlite3.Connection]:
        """Open the file for a block; it is never made here.

        Raises:
            sqlite3.Error: it is not there, damaged, or may not be read.

        """
        uri = f"{self.path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, timeout=timeout, isolation_level=None, uri=True)
        with closing(connection):
            connection.execute(f"PRAGMA secure_delete={PRAGMAS['secure_delete']}")
            yield connection


def _version(connection: sqlite3.Connection) -> int:
    """Return a number that changes when another connection writes."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version


def _free_pages(connection: sqlite3.Connection) -> int:
    count: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return count


def _is_still(connection: sqlite3.Connection) -> bool:
    """Wait for a moment in which nobody writes; tell whether there was one in time."""
    deadline, before = time.monotonic() + WAIT_SECONDS, _version(connection)
    while True:
        time.sleep(MOMENT_SECONDS)
        now = _version(connection)
        if now == before:
            return True
        if time.monotonic() > deadline:
            return False
        before = now


async def keep_clean(path: Path) -> None:
    """Cut the log soon after anything was written, and give back space when nothing is; until cancelled.

    A failure is logged, and tried again.
    """
    database, waited, idle, failing = Database(path), 0, 0, False
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            if database.has_log:
                cut = await asyncio.to_thread(database.cut_log, forced=waited >= FORCED_AFTER)
                waited, idle = 0 if cut else waited + 1, 0
            else:
                idle += 1
                if idle % IDLE_ROUNDS == 0:
                    await asyncio.to_thread(database.give_back)
        except (sqlite3.Error, OSError) as error:
            if not failing:
                _log.warning("what was deleted may still be in %s: %s; this is tried again", path, error)
            failing = True
        else:
            failing = False


def prepare(path: Path) -> None:
    """Leave no byte of what was deleted before; only while no server uses the file, as this may take a while.

    A failure is logged: that the file is damaged, or the disk full, is for others to tell.
    """
    database = Database(path)
    try:
        if not path.exists():
            return
        if database.needs_rewriting():
            megabytes = path.stat().st_size / 1e6
            _log.warning("%s (%.0f MB) is rewritten once, without what was deleted from it", path, megabytes)
            database.rewrite()
        elif database.has_log:
            database.cut_log(forced=True)
    except (sqlite3.Error, OSError) as error:
        _log.warning("what was deleted may still be in %s: %s", path, error)


def is_clean(path: Path) -> bool:
    """Check that the log was cut since anything was written, or will be in time; for a container's health."""
    database = Database(path)
    with suppress(FileNotFoundError):
        return not database.has_log or time.time() - database.log.stat().st_mtime < LATE_SECONDS
    return True


def main(arguments: list[str]) -> int:
    """Keep a file clean until the process ends; or check (``--check``) that another process does."""
    path = Path(arguments[-1])
    if arguments[0] == "--check":
        return 0 if is_clean(path) else 1
    os.umask(PRIVATE)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    prepare(path)
    asyncio.run(keep_clean(path))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
