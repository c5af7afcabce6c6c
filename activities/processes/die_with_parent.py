"""Runs a program that dies with its parent: ``python die_with_parent.py PARENT_PID PROGRAM [ARGUMENT...]``.

The kernel kills the program when the parent ends in whatever way, kill -9 included (Linux, prctl(2)
PR_SET_PDEATHSIG, which outlives exec). A program of its own, as code between fork and exec is unsafe in a
parent with threads. Nothing is lost by the hard end: Temporal keeps the work, SQLite its journal.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def command(*program: str) -> tuple[str, ...]:
    """Return the command that runs a program, which then dies with the calling process."""
    # -I and -S: this file needs no site-packages, and must not be shadowed by what lies in the current folder.
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), *program)


def main(parent: int, program: list[str]) -> None:
    """Ask the kernel to kill this process when its parent ends, and become the program."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel was asked
        sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606 - the command is june's own


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
