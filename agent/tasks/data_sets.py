"""Data sets of tasks: entries in TOML, each a file with its kind and its SHA-256."""

import gzip
import hashlib
import importlib.util
import tomllib
import zlib
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path

from pydantic import ConfigDict, Field, ValidationError

from agent.tasks import exercises, functions, repair, repository
from agent.tasks.task import BenchmarkTask, Value

Read = Callable[[bytes], Iterable[BenchmarkTask]]
"""What a kind is: reads the content of a data file, unpacked where it is gzip's. Raises ValueError."""
KINDS: dict[str, Read] = {
    "exercises": exercises.read,
    "functions": functions.read,
    "repair": repair.read,
    "repository": repository.read,
}
SHIPPED = "agent.tasks.data"
LISTED = "data_sets.toml"


class DataSetError(Exception):
    """A data set that cannot be read."""

    def __init__(self, code: str, message: str) -> None:
        """Keep a code and a sentence.

        Codes: ``data-set-unknown``, ``data-set-missing``, ``data-set-changed``, ``data-set-malformed``.

        """
        super().__init__(message)
        self.code = code


class DataSet(Value):
    """An entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    kind: str
    """One of ``KINDS``, or the path of a Python file with a function ``read`` like theirs."""
    path: str
    """Of the data; relative to the file that has the entry."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Of the data file as it is."""
    licence: str
    """By SPDX."""
    source: str
    """Where it is from."""
    folder: str = Field(default="", exclude=True)
    """Where ``path`` begins; empty for what comes with june."""


def listed(others: Path | None = None) -> dict[str, DataSet]:
    """Return the data sets that come with june, and those of another file of entries, by name.

    Raises:
        DataSetError: ``data-set-malformed``, ``data-set-missing``.

    """
    shipped = resources.files(SHIPPED).joinpath(LISTED).read_bytes()
    found = _entries(shipped, "", LISTED)
    if others:
        try:
            found += _entries(others.read_bytes(), str(others.absolute().parent), str(others))
        except OSError as error:
            raise DataSetError("data-set-missing", f"{others} cannot be read: {error.strerror}.") from error
    names = [entry.name for entry in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise DataSetError("data-set-malformed", f"Two data sets have the name {twice.pop()}.")
    return dict(zip(names, found, strict=True))


def _entries(data: bytes, folder: str, file: str) -> list[DataSet]:
    try:
        sets = tomllib.loads(data.decode())["sets"]
        return [DataSet.model_validate({**entry, "folder": folder}) for entry in sets]
    except (ValueError, LookupError, TypeError) as error:
        raise DataSetError("data-set-malformed", f"{file} is no list of data sets: {_first(error)}.") from error


def find(name: str, others: Path | None = None) -> DataSet:
    """Return the data set of a name.

    Raises:
        DataSetError: ``data-set-unknown``, or as ``listed`` does.

    """
    known = listed(others)
    if name not in known:
        raise DataSetError("data-set-unknown", f"There is no data set {name}; there are {', '.join(known)}.")
    return known[name]


def load(entry: DataSet) -> tuple[BenchmarkTask, ...]:
    """Read the tasks of a data set.

    Raises:
        DataSetError: ``data-set-missing``, ``data-set-changed``, ``data-set-malformed``; ``data-set-unknown`` is a
            kind that is not there.

    """
    kind = _kind(entry)
    place = Path(entry.folder, entry.path) if entry.folder else resources.files(SHIPPED).joinpath(entry.path)
    try:
        data = place.read_bytes()
    except OSError as error:
        raise DataSetError("data-set-missing", f"{entry.name}: {place} cannot be read.") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != entry.sha256:
        raise DataSetError(
            "data-set-changed", f"{entry.name}: {place} is not the file that was meant: SHA-256 {digest}."
        )
    try:
        tasks = tuple(kind(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data))
    except (ValueError, LookupError, TypeError, EOFError, OSError, zlib.error) as error:
        sentence = f"{entry.name}: {place} has no tasks of the kind {entry.kind}: {_first(error)}."
        raise DataSetError("data-set-malformed", sentence) from error
    ids = [task.id for task in tasks]
    if not ids or len(set(ids)) < len(ids):
        raise DataSetError("data-set-malformed", f"{entry.name}: no tasks, or two with one id.")
    return tasks


def _kind(entry: DataSet) -> Read:
    if entry.kind in KINDS:
        return KINDS[entry.kind]
    file = Path(entry.folder, entry.kind)
    spec = importlib.util.spec_from_file_location("data_set_kind", file) if file.suffix == ".py" else None
    if not entry.folder or not spec or not spec.loader or not file.exists():
        sentence = f"{entry.name}: there is no kind {entry.kind}; there are {', '.join(KINDS)}, or a Python file."
        raise DataSetError("data-set-unknown", sentence)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    read: Read = module.read
    return read


def _first(error: Exception) -> str:
    """Say what is wrong, in a line."""
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return f"{type(error).__name__}: {error}".splitlines()[0]
