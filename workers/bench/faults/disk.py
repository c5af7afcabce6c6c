"""The disk of a campaign: a small one of its own, in memory, that can be filled; and what lies on it in the end."""

import errno
import os
import re
import shutil
import subprocess
from pathlib import Path

DISK_MB = 768
FILLER = ".filler"
FILL_STEP = 1 << 20
_DIGEST = r"[0-9a-f]{64}\.[a-z0-9]{1,8}"
EXPECTED = re.compile(
    rf"blobs/([^/.][^/]*/){{2,3}}{_DIGEST}"  # stored audio
    r"|outbox/[^/]+/[^/.][^/]*\.(txt|ogg)"  # replies of platform ``file``
    r"|logs/[a-z-]+\.log(\.1)?"
    r"|temporal\.db(-wal|-shm)?"
    r"|june\.lock|web\.key|keys\.json|question\.ogg"
    r"|tests/opening"  # the lock of the folder in which tests are run
    r"|tests/worker-[^/]+/lock"
)
"""What a june that was stopped leaves in its home."""
TEMPORARY = "tmp"
"""Folder for what processes put into the temporary folder, in the home: it has to be empty in the end."""


def wrapped(command: list[str]) -> list[str] | None:
    """Return a command that runs in mounts of its own, which are gone when it ends; None where that cannot be."""
    prefix = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    trial = [*prefix, "--", "mount", "-t", "tmpfs", "-o", "size=1m", "june-faults", "/tmp"]  # noqa: S108 - its own
    if shutil.which("unshare") is None or subprocess.run(trial, capture_output=True, check=False).returncode != 0:
        return None
    return [*prefix, "--", *command]


def mount(folder: Path) -> None:
    """Mount a small disk on a folder; only in mounts of this process's own (``wrapped``)."""
    options = f"size={DISK_MB}m,mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "june-faults", str(folder)], check=True)


def unmount(folder: Path) -> None:
    """Take the small disk away again, with all that is on it."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Take all that is free of the disk that a folder is on; blocks."""
    with (folder / FILLER).open("ab") as filler:
        size = FILL_STEP
        while size >= os.sysconf("SC_PAGE_SIZE"):
            try:
                os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                size //= 2


def empty(folder: Path) -> None:
    """Give back what ``fill`` has taken."""
    (folder / FILLER).unlink(missing_ok=True)


def unexpected(home: Path) -> list[str]:
    """Return the files of a home that a june that was stopped should not have left."""
    files = (str(path.relative_to(home)) for path in sorted(home.rglob("*")) if not path.is_dir())
    return [file for file in files if not EXPECTED.fullmatch(file)]


class Blobs:
    """The folder of the audio store, which can be taken away and put back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._away = folder.with_name("blobs-away")
        self._meanwhile = folder.with_name("blobs-meanwhile")

    def take_away(self) -> None:
        """Move it away."""
        self._folder.rename(self._away)

    def put_back(self) -> None:
        """Move it back; what was written meanwhile to a folder in its place is put into it."""
        if self._folder.exists():
            self._folder.rename(self._meanwhile)
        self._away.rename(self._folder)
        for file in [path for path in self._meanwhile.rglob("*") if path.is_file()]:
            place = self._folder / file.relative_to(self._meanwhile)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.replace(place)
        shutil.rmtree(self._meanwhile, ignore_errors=True)
