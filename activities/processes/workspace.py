"""Where a worker's tests run: a folder locked as long as the worker lives, and processes that bear its tag.

Both can be told from those of a worker that is dead, however it died, so that the next one deletes and kills them.
"""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import psutil

_log = logging.getLogger(__name__)

TAG = "JUNE_TESTS_MARK"
"""Environment variable of all processes of a test: the worker's folder, ``#``, and the name of the work."""
KILL_PASSES = 20
KILL_SECONDS = 0.5
"""Timeout for killed processes to end, for each pass."""


class Workspace:
    """A worker's folder. ``open`` it once a process."""

    def __init__(self, folder: Path, lock: TextIO, environment: Mapping[str, str]) -> None:
        """Use a folder while its lock is held; ``open`` makes both."""
        self.folder = folder
        self.environment = environment
        """Variables that tests may see."""
        self._lock = lock

    @classmethod
    def open(cls, parent: Path, environment: Mapping[str, str]) -> "Workspace":
        """Create a folder for this worker; delete the folders and kill the processes of those that are dead."""
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (parent / "opening").open("w") as opening:  # one at a time, or a folder not yet locked is deleted
            fcntl.flock(opening, fcntl.LOCK_EX)
            kill_orphans(parent.resolve())
            for folder in parent.glob("worker-*"):
                if not _is_locked(folder):
                    shutil.rmtree(folder, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix="worker-", dir=parent.resolve()))
            lock = (folder / "lock").open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
        return cls(folder, lock, environment)

    def tag(self, work: str) -> str:
        """Return the tag of processes that do this work."""
        return f"{self.folder}#{work}"


def kill_tagged(tag: str) -> None:
    """Kill all processes with this tag; return when none is left.

    A tag is inherited, so it also finds those that left their parent, their group and their session.
    """
    _kill(lambda found: found == tag)


def kill_orphans(parent: Path) -> None:
    """Kill processes of dead workers with folders here; pytest dies with its worker, but not all that it starts.

    Folders elsewhere may be those of living workers in containers, whose locks are not seen from here.
    """

    def orphaned(tag: str) -> bool:
        folder = Path(tag.rpartition("#")[0])
        return folder.parent == parent and not _is_locked(folder)

    _kill(orphaned)


def _kill(matches: Callable[[str], bool]) -> None:
    """Kill the processes whose tag matches; return when none is left."""
    for _ in range(KILL_PASSES):  # as a process may be starting another at this moment
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):  # it has ended, or is another user's
                tag = process.environ().get(TAG)
                if tag and process.pid != os.getpid() and matches(tag):
                    found.append(process)
        if not found:
            return
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=KILL_SECONDS)
    _log.error("processes of a test could not be killed: %s", [process.pid for process in found])


def _is_locked(folder: Path) -> bool:
    """Check whether the worker of this folder lives: the kernel releases its lock when it ends, however it ends."""
    try:
        with (folder / "lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
