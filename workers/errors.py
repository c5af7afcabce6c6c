"""Errors that a person can act on: one sentence, one exit code, no traceback."""

from enum import IntEnum

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


class JuneError(Exception):
    """An expected error; its text is one sentence for the person at the terminal."""

    exit_code = ExitCode.FAULT


class UnavailableError(JuneError):
    """Something that june needs is not running, or is in the way."""

    exit_code = ExitCode.UNAVAILABLE


def explain(error: JuneError | ValidationError) -> tuple[str, ExitCode]:
    """Return the sentence of an expected error, and how the process ends.

    Wrong settings are named as their environment variables end.
    """
    if isinstance(error, JuneError):
        return str(error), error.exit_code
    wrong = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
    sentence = f"A setting of {error.title} is wrong ({wrong}). Look at the JUNE_ variables of the environment."
    return sentence, ExitCode.FAULT
