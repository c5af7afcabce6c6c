"""What a run is done on, and by which june."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
GIT_SECONDS = 10


@cache
def machine() -> str:
    """Return processor, cores and memory in a line."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{_processor()}, {cores} core{'s' * (cores > 1)}, {memory:.0f} GiB"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (names or [platform.processor() or platform.machine()])[0]


@cache
def code_version() -> str:
    """Return june's version, and of a checkout its commit, and whether files differ from it."""
    try:
        released = version("june")
    except PackageNotFoundError:
        released = "unknown"
    commit = _git("rev-parse", "--short=12", "HEAD") if (CHECKOUT / ".git").exists() else ""
    if not commit:
        return released
    return f"{released}, commit {commit}{', changed' if _git('status', '--porcelain', '--untracked-files=no') else ''}"


def _git(*arguments: str) -> str:
    command = ("git", "-C", str(CHECKOUT), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
