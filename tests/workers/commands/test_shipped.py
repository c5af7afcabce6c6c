"""What is shipped: all of it is named, and under a licence that june's own allows."""

import re
import sys
import tomllib
from email.message import Message
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped] # a dependency of huggingface-hub, without types
from packaging.licenses import canonicalize_license_expression

from workers.commands import shipped
from workers.commands.shipped import Part, licence, listed, packages, parts
from workers.errors import JuneError
from workers.settings import PROJECT

COMPATIBLE = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "PSF-2.0", "Zlib"),
    "CC-BY-4.0",  # of data; the FSF's list calls it compatible with all versions of the GPL
    "MPL-2.0",  # weak copyleft, file by file; its section 3.3 lets larger works be under the GPL
    *("LGPL-2.0-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"),  # the GPL 3 with more permissions, or by choice
    *("GPL-2.0-or-later", "GPL-3.0-or-later", "GPL-3.0-or-later WITH GCC-exception-3.1"),
}
"""Licences (SPDX) of what may be combined into a work under the GPL-3.0-or-later."""
SEPARATE = {
    "Asterisk's prompts in English, Spanish and French": "recordings that lie beside june: of a collection each part "
    "keeps its licence, and nothing of june is made of them",
    "Asterisk's prompts in Italian and Russian": "likewise",
    "nvidia-cublas-cu12": "no part of june: who builds the image for GPUs fetches it from NVIDIA, under its terms",
    "nvidia-cuda-nvrtc-cu12": "likewise",
}
"""What is under another licence, and why that does no harm."""


def compatible(expression: str) -> bool:
    """Check an SPDX expression: each part of one of its alternatives; one with brackets has to be looked at."""
    return any(set(each.split(" AND ")) <= COMPATIBLE for each in expression.split(" OR "))


@pytest.mark.parametrize("part", parts(), ids=lambda part: f"{part.kind}: {part.name}")
def test_every_licence_is_known_and_allows_to_be_combined_with_june(part: Part) -> None:
    """A new dependency that fails here: look at its licence, then name it in shipped.toml, or take another."""
    assert part.licence, "unknown"
    assert canonicalize_license_expression(part.licence) == part.licence
    assert compatible(part.licence) or part.name in SEPARATE, f"{part.licence} is not known to be compatible"


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("Apache-2.0 OR SSPL-1.0", True),
        ("MIT AND SSPL-1.0", False),
        ("GPL-2.0-only", False),
        ("(MIT OR SSPL-1.0)", False),
        ("LicenseRef-NVIDIA-Proprietary", False),
    ],
)
def test_licences_are_combined_as_spdx_says(expression: str, fits: bool) -> None:
    assert compatible(expression) is fits


def test_packages_are_those_of_the_lock_and_none_of_what_only_tests_need() -> None:
    lock = (PROJECT / "requirements" / "run.txt").read_text()
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))
    found = {part.name: part.version for part in packages() if part.name != "june"}
    assert pinned.pop("uv-build"), "builds june's wheel, and is no part of it"
    assert found.items() <= pinned.items()
    if sys.version_info[:2] == (3, 11):  # what the lock is made for; later versions need less
        assert found == pinned


def test_extras_are_followed_and_needs_are_named() -> None:
    by_name = {part.name: part for part in packages()}
    assert packages()[0].name == "june"
    assert "temporalio" in by_name["june"].needs
    assert "aiolimiter" in by_name, "by an extra of python-telegram-bot"
    assert "aiolimiter" in by_name["python-telegram-bot"].needs
    assert "hypothesis" not in by_name


def test_a_package_that_is_missing_is_named() -> None:
    with pytest.raises(JuneError, match="package june-tests-nothing is needed"):
        packages("june-tests-nothing")


def distribution(tmp_path: Path, **fields: str | list[str]) -> Distribution:
    """Write the metadata of a package that is called ``some``."""
    message = Message()
    message["Name"] = "some"
    for field, value in fields.items():
        for each in [value] if isinstance(value, str) else value:
            message[field.replace("_", "-")] = each
    (tmp_path / "METADATA").write_text(message.as_string())
    return PathDistribution(tmp_path)


MIT = "License :: OSI Approved :: MIT License"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"License_Expression": "MIT OR Apache-2.0"}, "MIT OR Apache-2.0"),
        ({"License_Expression": "mit", "License": "nonsense"}, "MIT"),
        ({"License": "MPL-2.0 AND MIT"}, "MPL-2.0 AND MIT"),
        ({"License": "The MIT License (MIT)", "Classifier": [MIT, "Typing :: Typed"]}, "MIT"),
        ({"License": "UNKNOWN", "Classifier": MIT}, "MIT"),
        ({"Classifier": [MIT, "License :: OSI Approved :: Apache Software License"]}, ""),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, ""),
        ({"License": "Our own"}, ""),
        ({}, ""),
    ],
)
def test_a_licence_is_read_from_metadata_or_is_unknown(
    tmp_path: Path, fields: dict[str, str | list[str]], expected: str
) -> None:
    assert licence(distribution(tmp_path, **fields)) == expected


def test_what_was_reviewed_counts_more_and_is_still_needed() -> None:
    by_name = {part.name: part for part in packages()}
    for name, reviewed in listed().licences.items():
        assert by_name[name].licence == reviewed
    assert {each.package for each in listed().carried} <= set(by_name)


@pytest.mark.parametrize(
    "page",
    [
        "activities/speech/data/LICENCES.md",
        "agent/tasks/data/LICENCES.md",
        "bots/web/static/LICENCES.md",
        "workers/assets/LICENCES.md",
    ],
)
def test_files_of_others_are_those_that_their_folders_name(page: str) -> None:
    folder = Path(page).parent
    named = re.findall(r"^\| ([\w.-]+\.\w+) \|", (PROJECT / page).read_text(), re.MULTILINE)
    assert named
    assert {str(folder / name) for name in named} == {
        each.path for each in listed().files if Path(each.path).parent == folder
    }


def test_every_binary_file_of_the_packages_is_named() -> None:
    """What was not written as text was made elsewhere: its origin and licence stand in a table."""
    binary = set()
    for package in ("activities", "agent", "bots", "workers", "workflows"):
        for file in (PROJECT / package).rglob("*"):
            if file.is_file() and file.parent.name != "__pycache__" and b"\0" in file.read_bytes():
                binary.add(str(file.relative_to(PROJECT)))
    assert binary == {each.path for each in listed().files}


def test_images_are_those_that_docker_builds_on() -> None:
    dockerfile = (PROJECT / "docker" / "Dockerfile").read_text()
    compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    used = set(re.findall(r"^ARG PYTHON_IMAGE=(\S+)", dockerfile, re.MULTILINE))
    used |= {f"{name}:" for name in re.findall(r"--no-install-recommends (\w+)", dockerfile)}
    pinned = re.findall(r"^([\w.-]+)==(\S+)", (PROJECT / "docker" / "gpu.txt").read_text(), re.MULTILINE)
    used |= {f"{name}:{version}" for name, version in pinned}
    images = {service.get("image", "june") for service in compose["services"].values()}
    used |= {re.sub(r"^\$\{\w+:-(.+)\}$", r"\1", image) for image in images if not image.startswith("june")}
    assert used == {f"{each.name}:{each.version}" for each in listed().images}


def test_the_list_is_part_of_the_wheel() -> None:
    assert shipped.LISTED.is_relative_to(PROJECT / "workers")
    assert tomllib.loads(shipped.LISTED.read_text())["licences"]
