"""Runs a program that dies with its parent: ``python tether.py PARENT_PID PROGRAM [ARGUMENT...]``.

The kernel kills the program when the parent ends in whatever way, kill -9 included (Linux, prctl(2)
PR_SET_PDEATHSIG, which outlives exec). A program of its own, as code between fork and exec is unsafe in a
parent with threads. Nothing is lost by the hard end: Temporal keeps the work, SQLite its journal.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Tie this process to its parent, and become the command."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the tie was there
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command is june's own


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
