"""The models that june knows by name (``models.toml``, ``voices.toml``): found, and verified before they are loaded.

A stamp beside a model's files remembers their size, time, inode and digest, so that a gigabyte is not hashed at
each start. It guards against accidents (a broken download, a wrong file), not against somebody who can write
the folder; ``june models verify`` always hashes.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Callable
from contextlib import suppress
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from workers.errors import JuneError

REGISTRY = Path(__file__).with_name("models.toml")
VOICES = Path(__file__).with_name("voices.toml")
STAMP = ".verified"
STAMPS = TypeAdapter(dict[str, list[int | str]])
"""By file: size, time of change, inode, digest."""
BLOCK_BYTES = 1 << 20
_HUB_ID = re.compile(
    r"(?P<repository>[\w-][\w.-]*/[\w-][\w.-]*)(?P<file>(?:/[\w-][\w.-]*)+)?(?:@(?P<revision>[\w./-]+))?"
)

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", max_length=120)]
"""Of a model or file; becomes the name of a folder or file, so no separators and no leading dot."""


class ModelProblem(StrEnum):
    """What can be wrong with a model."""

    MISSING = "model-missing"
    CORRUPT = "model-corrupt"


class ModelError(JuneError):
    """A model cannot be loaded; the text says what to do."""

    def __init__(self, code: ModelProblem, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackageSource(_Entry):
    """Package distributions, downloaded without being installed or imported."""

    kind: Literal["package"]
    distributions: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$")], ...]
    """``name==version``"""


class HubSource(_Entry):
    """A repository on the Hugging Face hub."""

    kind: Literal["hub"]
    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str
    """Commit, tag or branch; what counts are the digests."""
    folder: str = ""
    """Where the files are in the repository."""


class PathSource(_Entry):
    """A folder on this machine that holds the files."""

    kind: Literal["path"]
    path: Path


class ModelFile(_Entry):
    """A file of a model, as it must be."""

    name: Name
    bytes: int = Field(gt=0)
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    md5: str = Field(default="", pattern=r"^([0-9a-f]{32})?$")
    """Where the file's publisher gives no other digest."""
    members: tuple[str, ...] = ()
    """Packages only: paths inside the wheels, joined in this order."""

    @model_validator(mode="after")
    def _has_a_digest(self) -> Self:
        if not (self.sha256 or self.md5):
            raise ValueError(f"{self.name} has neither sha256 nor md5")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 if there is one, otherwise MD5; hexadecimal."""
        return self.sha256 or self.md5

    @property
    def algorithm(self) -> str:
        """Of the digest, as hashlib names it."""
        return "sha256" if self.sha256 else "md5"


class Model(_Entry):
    """A model that june knows."""

    name: Name
    kind: Literal["speech-to-text", "text-to-speech", "language-model"]
    languages: tuple[str, ...]
    """ISO 639-1 codes; ``*`` is many."""
    licence: str
    """SPDX expression; of Piper's published voices, where it is said."""
    home: str = ""
    """Page of who made it."""
    sets: tuple[Literal["demo", "tests"], ...] = ()
    """What needs this model."""
    thinks: bool = False
    """Language models: it thinks before it answers."""
    opens: str = ""
    """The file that engines open; empty when they open the folder."""
    source: PackageSource | HubSource | PathSource = Field(discriminator="kind")
    official: HubSource | None = None
    """Packages only: where the publisher's own files lie, the same to the bit."""
    files: tuple[ModelFile, ...] = Field(min_length=1)

    @property
    def bytes(self) -> int:
        """Size of all files in bytes."""
        return sum(file.bytes for file in self.files)

    def folder(self, models: Path) -> Path:
        """Return where the files are, given the folder of all models."""
        return self.source.path if isinstance(self.source, PathSource) else models / self.name


class _Registry(_Entry):
    models: tuple[Model, ...]


@cache
def models() -> dict[str, Model]:
    """Return the models of the registry by name."""
    registry = _Registry.model_validate(tomllib.loads(REGISTRY.read_text(encoding="utf-8")))
    return {model.name: model for model in registry.models}


class _Voice(_Entry):
    name: Name
    folder: str
    files: tuple[tuple[Name, int, str], ...]
    """Name, bytes, MD5."""


class _Voices(_Entry):
    repository: str
    revision: str
    voices: tuple[_Voice, ...]


@cache
def voices() -> dict[str, Model]:
    """Return Piper's published voices by name: those that june can pull beside the models of the registry."""
    listed = _Voices.model_validate(tomllib.loads(VOICES.read_text(encoding="utf-8")))
    return {
        voice.name: Model(
            name=voice.name,
            kind="text-to-speech",
            languages=(voice.name.split("_")[0],),
            licence="see its MODEL_CARD",
            opens=f"{voice.name}.onnx",
            source=HubSource(kind="hub", repository=listed.repository, revision=listed.revision, folder=voice.folder),
            files=tuple(ModelFile(name=name, bytes=size, md5=md5) for name, size, md5 in voice.files),
        )
        for voice in listed.voices
    }


def pulled_voices(folder: Path) -> dict[str, str]:
    """Return the language (ISO 639-1) of each published voice whose files are in the folder of models, by name."""
    return {
        name: voice.languages[0]
        for name, voice in voices().items()
        if all((voice.folder(folder) / file.name).exists() for file in voice.files)
    }


def entry(name: str) -> Model | None:
    """Return the model or voice of this name, if june knows one."""
    return models().get(name) or voices().get(name)


def known(name: str) -> Model:
    """Return the model or voice of this name.

    Raises:
        ModelError: nothing has this name; the text names those that are spelled alike, or speak that language.

    """
    if model := entry(name):
        return model
    names = [*models(), *voices()]
    alike = get_close_matches(name, names, n=3) or [each for each in names if each.startswith(f"{name[:2]}_")][:3]
    hint = f"did you mean {' or '.join(alike)}?" if alike else ""
    message = f"No model is called {name!r}; {hint} june models list --voices shows those that june knows."
    raise ModelError(ModelProblem.MISSING, message.replace(";  ", "; "))


def find(name: str, folder: Path) -> Path:
    """Return the path that an engine opens, of a verified model of the registry, a path, or a hub id.

    A hub id (``owner/name``, ``owner/name/file.gguf``, each with ``@revision`` if need be) is downloaded by the
    hub's own library into its own cache, once; its files are trusted as the hub delivers them.

    Args:
        name: name in the registry, path, or hub id.
        folder: of the registry's models.

    Raises:
        ModelError: it is not there, or not what it should be.

    """
    if model := entry(name):
        verify(model, folder)
        return model.folder(folder) / model.opens
    if (path := Path(name).expanduser()).exists():
        return path
    if match := _HUB_ID.fullmatch(name):
        return _from_hub(match["repository"], (match["file"] or "").removeprefix("/"), match["revision"])
    message = f"{name!r} is neither a model that june knows (june models list), nor a path, nor a hub id."
    raise ModelError(ModelProblem.MISSING, message)


def _from_hub(repository: str, file: str, revision: str | None) -> Path:
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        if not file:
            return Path(snapshot_download(repository, revision=revision))
        if file.endswith(".onnx"):  # a Piper voice: its configuration lies beside it
            hf_hub_download(repository, f"{file}.json", revision=revision)
        return Path(hf_hub_download(repository, file, revision=revision))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        message = (
            f"{repository}/{file} is no path here, and the hub did not deliver it ({type(error).__name__}): check "
            "the name and the connection, or name a model that june models list shows."
        )
        raise ModelError(ModelProblem.MISSING, message) from error


def verify(
    model: Model, folder: Path, *, trust_stamp: bool = True, progress: Callable[[int], None] | None = None
) -> None:
    """Check each file's digest, or that it is unchanged since that was done.

    Args:
        model: what to check.
        folder: of the registry's models.
        trust_stamp: believe the stamp of an unchanged file; False hashes.
        progress: called with the number of bytes of each block that was hashed.

    Raises:
        ModelError: a file is missing, or another than it should be.

    """
    place = model.folder(folder)
    stamps: dict[str, list[int | str]] = {}
    if trust_stamp:
        with suppress(OSError, ValueError):
            stamps = STAMPS.validate_json((place / STAMP).read_bytes())
    checked: dict[str, list[int | str]] = {}
    for file in model.files:
        path = place / file.name
        try:
            status = path.stat()
            checked[file.name] = [status.st_size, status.st_mtime_ns, status.st_ino, file.digest]
            if checked[file.name] == stamps.get(file.name):
                continue
            found = (
                digest(path, file.algorithm, progress) if status.st_size == file.bytes else f"{status.st_size} bytes"
            )
        except FileNotFoundError:
            raise ModelError(ModelProblem.MISSING, f"{path} is missing: {advice(model)}.") from None
        if found != file.digest:
            message = f"{path} is not the file it should be ({found}, not {file.digest}): {advice(model)}."
            raise ModelError(ModelProblem.CORRUPT, message)
    if checked == stamps:
        return
    with suppress(OSError):  # the files of a read-only folder are hashed at each start
        with NamedTemporaryFile("w", dir=place, prefix=STAMP, delete=False, encoding="utf-8") as draft:
            json.dump(checked, draft)
        Path(draft.name).replace(place / STAMP)


def advice(model: Model) -> str:
    """Return how to get the model, to be put into a sentence."""
    if isinstance(model.source, PathSource):
        return f"put it into {model.source.path}"
    return f"june models pull {model.name}"


def digest(path: Path, algorithm: str = "sha256", progress: Callable[[int], None] | None = None) -> str:
    """Return the digest of a file, hexadecimal; it is read a block at a time."""
    hashing = hashlib.new(algorithm, usedforsecurity=algorithm != "md5")
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            hashing.update(block)
            if progress:
                progress(len(block))
    return hashing.hexdigest()
