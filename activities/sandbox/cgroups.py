"""Cgroups of versions 1 and 2: how much memory and how many processes a command has, with all that it starts."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from activities.sandbox.owner import is_dead, this_worker

PREFIX = "june-sandbox-"
REMOVE_PASSES = 250
REMOVE_SECONDS = 0.02
_numbers = count()


class Mount(NamedTuple):
    """Where a hierarchy of cgroups is seen."""

    path: Path
    version: int
    root: str
    """The cgroup that is seen at the path."""
    controllers: tuple[str, ...]
    """Of version 1; version 2 says it in files."""


def mounts(mountinfo: str) -> Iterator[Mount]:
    """Find the hierarchies in the text of ``/proc/self/mountinfo``."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        (*_, root, path), (kind, _, *options) = before.split()[:5], after.split()[:3] or ("", "")
        if kind in ("cgroup", "cgroup2"):
            names = tuple(options[0].split(",")) if options else ()
            yield Mount(Path(path), 2 if kind == "cgroup2" else 1, root, names)


def own_path(cgroups: str, controller: str) -> str:
    """Return this process's cgroup from the text of ``/proc/self/cgroup``; an empty controller is version 2."""
    for line in cgroups.splitlines():
        _, names, path = line.split(":", 2)
        if (controller in names.split(",")) if controller else not names:
            return path
    return "/"


class Cgroup:
    """A cgroup, or one in each of version 1's hierarchies, for one command."""

    def __init__(self, folders: tuple[Path, ...], version: int) -> None:
        """Use folders that have been created."""
        self.folders = folders
        self._version = version

    def limit(self, memory_bytes: int, processes: int) -> None:
        """Set the limits.

        Raises:
            OSError: the kernel takes them not.

        """
        values = (
            [("memory.max", memory_bytes), ("pids.max", processes), ("memory.swap.max", 0)]
            if self._version == 2
            else [
                ("memory.limit_in_bytes", memory_bytes),
                ("pids.max", processes),
                ("memory.memsw.limit_in_bytes", memory_bytes),
            ]
        )
        for folder in self.folders:
            for name, value in values:
                if (folder / name).exists():  # the last is there only where the kernel counts swap
                    (folder / name).write_text(str(value))

    def add(self, pid: int) -> None:
        """Put a process in; what it starts from now on is in it too."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def oom_kills(self) -> int:
        """Count the processes that the kernel has killed for memory."""
        return sum(
            int(line.split()[1])
            for folder in self.folders
            for name in ("memory.events", "memory.oom_control")
            if (folder / name).exists()
            for line in (folder / name).read_text().splitlines()
            if line.startswith("oom_kill ")
        )

    async def remove(self) -> None:
        """Kill what is still in it, and remove it.

        Raises:
            OSError: it cannot be removed.

        """
        for attempt in range(REMOVE_PASSES):
            if self.try_to_remove(last=attempt == REMOVE_PASSES - 1):
                return
            await asyncio.sleep(REMOVE_SECONDS)  # a process that was killed is in it until the kernel is done with it

    def try_to_remove(self, *, last: bool = True) -> bool:
        """Kill what is in it and remove what can be; return whether nothing is left."""
        for folder in self.folders:
            with suppress(FileNotFoundError):
                for pid in map(int, (folder / "cgroup.procs").read_text().split()):
                    if pid:  # 0 is one of another PID namespace
                        with suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                try:
                    folder.rmdir()
                except OSError:
                    if last:
                        raise
                    return False
        return True


class Parent(NamedTuple):
    """Where cgroups can be created: one folder, or one in each of version 1's hierarchies."""

    folders: tuple[Path, ...]
    version: int

    def create(self) -> Cgroup:
        """Create a cgroup of this worker.

        Raises:
            OSError: it cannot be.

        """
        name = f"{PREFIX}{this_worker()}.{next(_numbers)}"
        made: list[Path] = []
        try:
            for folder in self.folders:
                (folder / name).mkdir()
                made.append(folder / name)
        except OSError:
            for path in made:
                path.rmdir()
            raise
        return Cgroup(tuple(made), self.version)

    def reap(self) -> int:
        """Remove those of dead workers; return how many there were."""
        names = {path.name for folder in self.folders for path in folder.glob(f"{PREFIX}*")}
        dead = [name for name in names if is_dead(name.removeprefix(PREFIX).split(".")[0])]
        for name in dead:
            with suppress(OSError):  # a process is still on its way out: the next reap gets it
                Cgroup(tuple(folder / name for folder in self.folders), self.version).try_to_remove()
        return len(dead)


def find_parent() -> Parent | None:
    """Find where this process may create cgroups that bound memory and processes: below its own, else above.

    Version 2 wants the controllers handed down, and no processes where that is done: a unit of systemd with
    ``Delegate=yes``, or root. Whether it works is tried, with this process left where it is.
    """
    found = tuple(mounts(Path("/proc/self/mountinfo").read_text()))
    cgroups = Path("/proc/self/cgroup").read_text()
    for candidate in (*_version_2(found, cgroups), *_version_1(found, cgroups)):
        if _works(candidate):
            return candidate
    return None


def _version_2(found: tuple[Mount, ...], cgroups: str) -> Iterator[Parent]:
    for mount in found:
        if mount.version == 2:
            own = mount.path / os.path.relpath(own_path(cgroups, ""), mount.root)
            for folder in (own, *own.parents):
                if folder.is_relative_to(mount.path):
                    with suppress(OSError):  # it is not ours, or holds processes
                        (folder / "cgroup.subtree_control").write_text("+memory +pids")
                    yield Parent((folder,), 2)


def _version_1(found: tuple[Mount, ...], cgroups: str) -> Iterator[Parent]:
    folders = []
    for controller in ("memory", "pids"):
        for mount in found:
            if mount.version == 1 and controller in mount.controllers:
                folders.append(mount.path / os.path.relpath(own_path(cgroups, controller), mount.root))
                break
    if len(folders) == 2:
        yield Parent(tuple(dict.fromkeys(folders)), 1)


def _works(parent: Parent) -> bool:
    """Try to bound a cgroup; the files of its limits say whether it has the controllers."""
    try:
        cgroup = parent.create()
    except OSError:
        return False
    try:
        cgroup.limit(1 << 30, 64)
        files = {path.name for folder in cgroup.folders for path in folder.iterdir()}
        return "pids.max" in files and bool({"memory.max", "memory.limit_in_bytes"} & files)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            cgroup.try_to_remove()
