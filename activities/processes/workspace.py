"""Where a worker's tests run: a folder that it holds as long as it lives, and processes that bear its mark.

Both can be told from those of a worker that is dead, however it died, so that the next one clears up after it.
"""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import psutil

_log = logging.getLogger(__name__)

TAG = "JUNE_TESTS_MARK"
"""Environment variable of all processes of a test: the worker's folder, ``#``, and the piece of work."""
KILL_PASSES = 20
KILL_SECONDS = 0.5
"""Timeout for killed processes, for each pass."""


class Workspace:
    """A worker's folder. ``open`` it once a process."""

    def __init__(self, folder: Path, lock: TextIO, environment: Mapping[str, str], tether: tuple[str, ...]) -> None:
        """Hold a folder by its lock; ``open`` makes both."""
        self.folder = folder
        self.environment = environment
        """What tests may know of the environment."""
        self.tether = tether
        """Command that runs another, which then dies with this process."""
        self._lock = lock

    @classmethod
    def open(cls, parent: Path, environment: Mapping[str, str], tether: tuple[str, ...]) -> "Workspace":
        """Make a folder for this worker, and clear up after those that are dead."""
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (parent / "opening").open("w") as opening:  # one at a time, or a folder not yet held is cleared away
            fcntl.flock(opening, fcntl.LOCK_EX)
            kill_orphans(parent.resolve())
            for folder in parent.glob("worker-*"):
                if not _is_held(folder):
                    shutil.rmtree(folder, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix="worker-", dir=parent.resolve()))
            lock = (folder / "lock").open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
        return cls(folder, lock, environment, tether)

    def tag(self, work: str) -> str:
        """Make the mark of a piece of work."""
        return f"{self.folder}#{work}"


def kill_tagged(tag: str) -> None:
    """Kill all processes with this mark, and return when none is left.

    A mark is inherited, so it also finds those that left their parent, their group and their session.
    """
    _kill_all(lambda theirs: theirs == tag)


def kill_orphans(parent: Path) -> None:
    """Kill what dead workers of this home left behind (the tests' own process dies with its worker, not all it starts).

    Folders elsewhere may be those of living workers in containers, whose locks are not seen from here.
    """

    def orphaned(tag: str) -> bool:
        folder = Path(tag.rpartition("#")[0])
        return folder.parent == parent and not _is_held(folder)

    _kill_all(orphaned)


def _kill_all(condemned: Callable[[str], bool]) -> None:
    for _ in range(KILL_PASSES):  # as a process may be starting another at this moment
        found = list(_tagged(condemned))
        if not found:
            return
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=KILL_SECONDS)
    _log.error("processes of a test could not be killed: %s", [process.pid for process in found])


def _tagged(condemned: Callable[[str], bool]) -> Iterator[psutil.Process]:
    """Find living processes by their mark; those of other users, which cannot be looked into, have none."""
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with suppress(psutil.Error):  # gone, a zombie, or somebody else's
            tag = process.environ().get(TAG)
            if tag and condemned(tag):
                yield process


def _is_held(folder: Path) -> bool:
    """Tell whether the worker of this folder lives: the kernel lets go of its lock when it ends, however it ends."""
    try:
        with (folder / "lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
