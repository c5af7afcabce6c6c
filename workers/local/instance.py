"""The home folder of an embedded stack: held by one process at a time, and described for others."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel

from workers.errors import UnavailableError


class State(BaseModel):
    """What runs in a home: ``<home>/state.json``, for the doctor, tests and benchmarks."""

    pid: int
    """The process that keeps the others running."""
    started_at: str
    temporal_address: str
    ui_url: str
    pids: dict[str, int]
    """Process ids by name; a process that is being started again is missing."""
    ports: dict[str, int]
    """The port on which a process is asked whether it is ready, by name."""
    logs: dict[str, str]


def lock(home: Path) -> TextIO:
    """Hold the home for this process alone; the kernel lets go of it when the process ends, however it ends.

    Raises:
        UnavailableError: another process holds it.

    """
    home.mkdir(parents=True, exist_ok=True)
    file = (home / "june.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise UnavailableError(f"june is already running in {home} (process {holder or 'unknown'}).") from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def write_state(home: Path, state: State) -> None:
    """Write what runs, at once or not at all."""
    draft = home / "state.draft"
    draft.write_text(state.model_dump_json(indent=2))
    draft.replace(home / "state.json")


def forget_state(home: Path) -> None:
    """Delete what was written, as nothing runs any more."""
    (home / "state.json").unlink(missing_ok=True)


def running(home: Path) -> State | None:
    """Return what runs in this home; None when nothing does, whatever an old file says."""
    try:
        with (home / "june.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:  # held by a process that lives
        try:
            return State.model_validate_json((home / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
    except FileNotFoundError:
        pass
    return None
