"""The home folder of an embedded stack: held by one process at a time, and described for others."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel

from workers.errors import HomeFault, UnavailableError


class State(BaseModel):
    """What runs in a home: ``<home>/state.json``, for the doctor, tests and benchmarks."""

    pid: int
    """The process that keeps the others running."""
    started_at: str
    temporal_address: str
    ui_url: str | None
    """Temporal's Web UI; None where none is served."""
    pids: dict[str, int]
    """Process ids by name; a process that is being started again is missing."""
    ports: dict[str, int]
    """The port on which a process is asked whether it is ready, by name."""
    logs: dict[str, str]


def lock(home: Path) -> TextIO:
    """Hold the home for this process alone; the kernel lets go of it when the process ends, however it ends.

    Raises:
        UnavailableError: another process holds it.
        OSError: the file cannot be written.

    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = _open(home / "june.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        sentence = f"june is already running in {home} (process {holder or 'unknown'})."
        raise UnavailableError(sentence, HomeFault.ALREADY_RUNNING) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def write_state(home: Path, state: State) -> None:
    """Write what runs, at once or not at all."""
    draft = home / "state.draft"
    draft.unlink(missing_ok=True)
    with _open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
        file.write(state.model_dump_json(indent=2))
    draft.replace(home / "state.json")


def forget_state(home: Path) -> None:
    """Delete what was written, as nothing runs any more; where it cannot be, it says nothing once the home is free."""
    with suppress(OSError):
        (home / "state.json").unlink()


def running(home: Path) -> State | None:
    """Return what runs in this home; None when nothing does, or what was written of it is not readable."""
    if not is_held(home):
        return None
    try:
        return State.model_validate_json((home / "state.json").read_text())
    except (OSError, ValueError):
        return None


def is_held(home: Path) -> bool:
    """Check whether a process that lives holds the home, whatever an old file says."""
    try:
        with _open(home / "june.lock", os.O_RDONLY) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # not there, or another user's
        pass
    return False


def _open(path: Path, flags: int) -> TextIO:
    """Open a file of the home, for its owner alone; a link leads nowhere."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "r" if flags == os.O_RDONLY else "r+" if flags & os.O_RDWR else "w")
