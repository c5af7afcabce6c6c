"""Which worker has made a folder, a cgroup or a container, and whether it is dead: by a name that only it can have."""

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

STARTED = 21
"""Position of the start time in ``/proc/PID/stat``, counted from 0; in clock ticks since the machine has started."""


@cache
def _machine() -> str:
    """Name this start of this machine, and the PID namespace."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().split("-")[0]
    return f"{boot}-{Path('/proc/self/ns/pid').stat().st_ino}"


def this_worker() -> str:
    """Return the name of this process, which no other has: ``BOOT-NAMESPACE-PID-STARTED``."""
    return f"{_machine()}-{os.getpid()}-{_start_time(os.getpid())}"


def is_dead(worker: str) -> bool:
    """Check whether the process of this name has ended; one of another PID namespace may live, as far as is seen."""
    machine, _, process = worker.partition("-")
    namespace, _, process = process.partition("-")
    pid, _, started = process.partition("-")
    if not (pid.isdigit() and started.isdigit()):
        return False
    boot, _, here = _machine().partition("-")
    if machine != boot:
        return True
    return namespace == here and _start_time(int(pid)) != int(started)


def _start_time(pid: int) -> int:
    """Return when a process has started; 0 if there is none, or one that only waits to be collected."""
    with suppress(OSError):
        # The name of the program, in parentheses, may hold anything.
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        if words[0] not in (b"Z", b"X"):
            return int(words[STARTED - 2])
    return 0
