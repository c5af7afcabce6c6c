"""The folder of a coding task: packed and stored at its start, remembered, and changed in the end."""

import asyncio
import os
import re
import stat
import time
from pathlib import Path
from typing import NamedTuple

from obstore.exceptions import BaseError
from pydantic import BaseModel, ValidationError
from temporalio.exceptions import ApplicationError

from activities.blobs import BlobStore
from activities.coding.running import WorkspaceLimits
from activities.coding.storage import CodingStorage, Owner
from activities.sandbox.archive import Archive, ArchiveError, Packed, pack
from activities.sandbox.changes import Applied, ConflictError, apply_changes, changes
from activities.values import BlobRef
from workers.errors import JuneError
from workers.local.home import explain_os_error
from workers.settings import SandboxSettings, StorageSettings
from workflows.coding.contracts import CodingReport

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Remembered(BaseModel):
    """What this machine knows of a task that was started here: ``<home>/code/<name>.json``."""

    folder: Path
    """Where its workspace came from; changes are applied there."""
    workspace: BlobRef
    """As the folder was."""


class Workspaces(NamedTuple):
    """A task's workspace at first and in the end."""

    before: Archive
    after: Archive

    def patch(self) -> str:
        """Return what has changed, as ``git apply`` takes it."""
        return changes(self.before, self.after).patch


async def store_folder(folder: Path, name: str) -> tuple[BlobRef, Packed]:
    """Pack a folder, store it as the workspace of the task of this name, and remember that.

    Raises:
        JuneError: the folder is too large or cannot be read, or nothing can be stored.

    """
    limits, storage = _limits(), StorageSettings()
    try:
        packed = await asyncio.to_thread(pack, folder, *limits)
    except ArchiveError as error:
        raise JuneError(f"{error} ({error.code})") from error
    try:
        stored = CodingStorage(BlobStore.open(storage.blobs))
        workspace = await stored.put_workspace(Owner(chat=name), packed.data)
        remember(storage, name, Remembered(folder=folder, workspace=workspace))
    except OSError as error:
        raise explain_os_error(error, storage.home) from error
    except (ApplicationError, BaseError) as error:
        raise JuneError(f"The workspace cannot be stored: {error}. `june doctor` says more.") from error
    return workspace, packed


def remember(storage: StorageSettings, name: str, remembered: Remembered) -> None:
    """Write down where a task's workspace came from; forget that of tasks whose files are deleted by now.

    Raises:
        OSError: the home cannot be written.

    """
    known = storage.home / "code"
    known.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in known.glob("*.json"):
        if old.lstat().st_mtime < time.time() - storage.retention_hours * 3600:
            old.unlink(missing_ok=True)
    file = os.open(known / f"{name}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as written:
        written.write(remembered.model_dump_json())


def recall(storage: StorageSettings, name: str) -> Remembered | None:
    """Return what this machine remembers of a task; None where it was started elsewhere, or long ago.

    Raises:
        JuneError: what is written there is not this user's, or damaged.

    """
    if not _NAME.fullmatch(name):
        return None
    path = storage.home / "code" / f"{name}.json"
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022:
                raise JuneError(f"{path} may be written by others, so that it counts for nothing: name --workspace.")
            return Remembered.model_validate_json(file.read())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise JuneError(f"{path} cannot be read: name --workspace.") from error


async def load_workspaces(report: CodingReport, remembered: Remembered | None) -> Workspaces:
    """Read a task's workspace as it was at first and is in the end.

    Args:
        report: how the task ended.
        remembered: where this machine knows it, what was packed here counts as the workspace at first.

    Raises:
        JuneError: the task came to nothing, or its files are deleted.

    """
    before = remembered.workspace if remembered else report.baseline
    if not (before and report.workspace):
        raise JuneError("The task has ended before it had a workspace: nothing was done.")
    limits, storage = _limits(), StorageSettings()
    archives = []
    for ref in (before, report.workspace):
        try:
            data = await CodingStorage(BlobStore.open(storage.blobs)).get(ref, limits.archive_bytes)
            archive = await asyncio.to_thread(Archive.load, data, *limits)
        except OSError as error:
            raise explain_os_error(error, storage.home) from error
        except (ApplicationError, ArchiveError, BaseError) as error:
            kept = f"kept for {storage.retention_hours:g} hours, in {storage.blobs}"
            raise JuneError(f"A workspace of the task cannot be read (they are {kept}): {error}") from error
        archives.append(archive)
    return Workspaces(*archives)


def _limits() -> WorkspaceLimits:
    settings = SandboxSettings()
    return WorkspaceLimits(settings.workspace_mb << 20, settings.workspace_files)


def apply(workspaces: Workspaces, folder: Path, name: str) -> Applied:
    """Make a task's changes in a folder, all of them or none.

    Raises:
        JuneError: a file that the task has changed is no longer as it was, or the folder cannot be written.

    """
    try:
        return apply_changes(folder, *workspaces)
    except ConflictError as error:
        raise JuneError(f"{error} The patch is kept: june code diff {name} > {name}.patch") from error
    except OSError as error:
        kept = f"june code diff {name} > {name}.patch"
        raise JuneError(f"{folder} cannot be written ({error.strerror}). The patch is kept: {kept}") from error
