"""Errors that a person can act on: one sentence, one exit code, no traceback."""

from enum import IntEnum, StrEnum

from pydantic import ValidationError


class ExitCode(IntEnum):
    """How a ``june`` command ends."""

    OK = 0
    """Done."""
    FAULT = 1
    """Something is wrong; the sentence on stderr says what."""
    USAGE = 2
    """The command line is wrong."""
    UNAVAILABLE = 3
    """Something that june needs is not running, or is in the way (a port, another june)."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C before it was done."""


class HomeFault(StrEnum):
    """What keeps june from starting or going on in its home, on its ports: stable codes for operators."""

    NOT_WRITABLE = "home-not-writable"
    """The home, or a file in it, is another user's, or no folder or file."""
    READ_ONLY = "home-read-only"
    """The disk is mounted for reading only."""
    DISK_FULL = "disk-full"
    """The disk has no space left."""
    DATABASE_LOCKED = "database-locked"
    """Another process works on Temporal's database."""
    DATABASE_DAMAGED = "database-damaged"
    """Temporal's database is no database, or damaged."""
    STATE_DAMAGED = "state-damaged"
    """june runs, but the file that says where is not readable."""
    ALREADY_RUNNING = "already-running"
    """Another june holds the home."""
    PORT_TAKEN = "port-taken"
    """Another program listens on a port."""


class JuneError(Exception):
    """An expected error; its text is a sentence or two for the person at the terminal."""

    exit_code = ExitCode.FAULT

    def __init__(self, sentence: str, fault: HomeFault | None = None) -> None:
        """Say what is wrong and what to do, with a code where operators look for one."""
        super().__init__(sentence)
        self.fault = fault


class UnavailableError(JuneError):
    """Something that june needs is not running, or is in the way."""

    exit_code = ExitCode.UNAVAILABLE


def explain(error: JuneError | ValidationError) -> tuple[str, ExitCode]:
    """Return the sentence of an expected error, with its code, and how the process ends.

    Wrong settings are named as their environment variables end.
    """
    if isinstance(error, JuneError):
        return f"{error} ({error.fault})" if error.fault else str(error), error.exit_code
    wrong = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
    sentence = f"A setting of {error.title} is wrong ({wrong}). Look at the JUNE_ variables of the environment."
    return sentence, ExitCode.FAULT
