"""What june ships: its packages with all that these need, what they carry, models, files of others, images."""

import hashlib
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict

from workers.errors import JuneError
from workers.models.catalogue import Model, models
from workers.settings import PROJECT

LISTED = PROJECT / "workers" / "assets" / "shipped.toml"
CLASSIFIED = {
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: ISC License (ISCL)": "ISC",
    "OSI Approved :: MIT License": "MIT",
}
"""Classifiers of packages that mean one licence of SPDX's; "BSD License" is several."""
HOMES = ("homepage", "home", "repository", "source", "source code", "source_code", "github", "code")
"""Labels of a package's addresses, the better ones first."""


class Part(BaseModel):
    """One thing that is shipped, or that an image builds on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["package", "program", "model", "file", "image", "image-package"]
    name: str
    version: str = ""
    licence: str = ""
    """SPDX expression; empty where nobody says."""
    home: str = ""
    package: str = ""
    """Name of the package that carries it, for what lies inside one."""
    path: str = ""
    """Of a file in june's packages."""
    needs: tuple[str, ...] = ()
    """Names of the packages that a package needs."""


class _Listed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    licences: dict[str, str]
    carried: tuple[Part, ...]
    files: tuple[Part, ...]
    images: tuple[Part, ...]


@cache
def listed() -> _Listed:
    """Return what ``shipped.toml`` says."""
    return _Listed.model_validate(tomllib.loads(LISTED.read_text(encoding="utf-8")))


def parts() -> list[Part]:
    """Return everything, by kind and then by name; june itself is the first package.

    Raises:
        JuneError: a package that june needs is not installed.

    """
    models_here = (as_part(model) for model in models().values())
    return [*packages(), *listed().carried, *models_here, *listed().files, *listed().images]


def packages(root: str = "june") -> list[Part]:
    """Return the installed packages that a package needs at run time, itself first, the others by name.

    Raises:
        JuneError: one of them is not installed.

    """
    found: dict[str, Distribution] = {}
    needs: dict[str, set[str]] = {}
    seen: set[tuple[str, str]] = set()
    wanted = [(root, "")]
    while wanted:
        name, extra = wanted.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            raise JuneError(
                f"The package {name} is needed and not installed: run make demo, or install june."
            ) from None
        for needed in map(Requirement, found[name].requires or ()):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                other = canonicalize_name(needed.name)
                needs.setdefault(name, set()).add(other)
                wanted += [(other, each) for each in ("", *needed.extras)]
    order = sorted(found, key=lambda name: (name != root, name))
    return [
        Part(
            kind="package",
            name=name,
            version=found[name].version,
            licence=licence(found[name]),
            home=_home(found[name]),
            needs=tuple(sorted(needs.get(name, ()))),
        )
        for name in order
    ]


def licence(package: Distribution) -> str:
    """Return a package's licence as an SPDX expression; empty where neither its metadata nor june's list know one."""
    if reviewed := listed().licences.get(canonicalize_name(package.name)):
        return reviewed
    for field in ("License-Expression", "License"):
        try:
            return canonicalize_license_expression(_first(package, field))
        except InvalidLicenseExpression:
            continue
    classifiers = package.metadata.get_all("Classifier") or ()
    classified = [each.removeprefix("License :: ") for each in classifiers if each.startswith("License :: ")]
    return CLASSIFIED.get(classified[0], "") if len(classified) == 1 else ""


def sha256(path: Path) -> str:
    """Return a file's digest, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def as_part(model: Model) -> Part:
    """Return a model of the registry as a part."""
    return Part(kind="model", name=model.name, licence=model.licence, home=model.home)


def _first(package: Distribution, field: str) -> str:
    return next(iter(package.metadata.get_all(field) or ()), "")


def _home(package: Distribution) -> str:
    labelled: Iterable[str] = package.metadata.get_all("Project-URL") or ()
    addresses = {label.strip().lower(): url.strip() for label, _, url in (each.partition(",") for each in labelled)}
    known = [addresses[label] for label in HOMES if label in addresses]
    known += [_first(package, "Home-page"), *addresses.values()]
    return next((url for url in known if re.match("https?://", url)), "")
