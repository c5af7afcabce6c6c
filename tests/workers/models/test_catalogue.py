"""The registry: what it says, what it finds, what it refuses."""

import hashlib
import os
from pathlib import Path

import pytest

from workers.models import catalogue as registry
from workers.models.catalogue import Model, ModelError, ModelProblem, find, known, models, verify

CONTENT = b"a small model"


def small_model(content: bytes = CONTENT) -> Model:
    """Describe a model of one file."""
    return Model.model_validate(
        {
            "name": "small",
            "kind": "language-model",
            "languages": ["en"],
            "licence": "MIT",
            "opens": "small.gguf",
            "source": {"kind": "package", "distributions": ["small-model==1.0"]},
            "files": [
                {"name": "small.gguf", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
            ],
        }
    )


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the small model into its place, and into the registry."""
    monkeypatch.setattr(registry, "models", lambda: {"small": small_model()})
    path = tmp_path / "small" / "small.gguf"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def test_the_registry_is_complete() -> None:
    by_set = {each: {m.name for m in models().values() if each in m.sets} for each in ("demo", "tests")}
    assert by_set == {
        "demo": {"whisper-base", "en_US-joe-medium", "qwen2.5-coder-1.5b-instruct"},
        "tests": {"whisper-base", "en_US-joe-medium", "smollm2-135m-instruct"},
    }
    for model in models().values():
        assert model.source.kind == "package"
        assert all(file.members for file in model.files)
        assert not model.official or model.official.revision != "main", "a commit or tag: it stays what it is"
        assert not model.opens or model.opens in {file.name for file in model.files}


def test_the_official_file_of_the_default_language_model_is_known() -> None:
    official = models()["qwen2.5-coder-1.5b-instruct"].official
    assert official
    assert official.repository == "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF"


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "a\\b", "", "a\nb"])
def test_files_stay_in_the_models_folder(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        registry.ModelFile(name=name, bytes=1, sha256="0" * 64)


def test_a_name_is_found_once_its_file_is_verified(file: Path, tmp_path: Path) -> None:
    assert find("small", tmp_path) == file
    assert (file.parent / registry.STAMP).exists()


def test_an_unchanged_file_is_hashed_once(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find("small", tmp_path)
    monkeypatch.setattr(registry, "digest", lambda *_: pytest.fail("hashed again"))
    find("small", tmp_path)


def test_a_changed_file_is_refused(file: Path, tmp_path: Path) -> None:
    find("small", tmp_path)
    file.write_bytes(CONTENT.upper())
    with pytest.raises(ModelError, match="june models pull small") as refused:
        find("small", tmp_path)
    assert refused.value.code is ModelProblem.CORRUPT


def test_verify_hashes_even_what_the_stamp_vouches_for(file: Path, tmp_path: Path) -> None:
    find("small", tmp_path)
    before = file.stat()
    file.write_bytes(CONTENT.upper())
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert find("small", tmp_path) == file, "the stamp guards against accidents only"
    with pytest.raises(ModelError, match="not the file it should be"):
        verify(small_model(), tmp_path, trust_stamp=False)


@pytest.mark.parametrize("stamp", ["", "[]", "{}", "nonsense", '{"small.gguf": [13, 0, 0, "x"]}'])
def test_a_damaged_stamp_is_ignored(file: Path, tmp_path: Path, stamp: str) -> None:
    (file.parent / registry.STAMP).write_text(stamp)
    assert find("small", tmp_path) == file


def test_a_missing_file_says_what_to_do(file: Path, tmp_path: Path) -> None:
    file.unlink()
    with pytest.raises(ModelError, match="june models pull small") as refused:
        find("small", tmp_path)
    assert refused.value.code is ModelProblem.MISSING


def test_a_truncated_file_is_refused_without_hashing(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(CONTENT[:-1])
    monkeypatch.setattr(registry, "digest", lambda *_: pytest.fail("hashed"))
    with pytest.raises(ModelError, match="12 bytes"):
        find("small", tmp_path)


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"anything")
    assert find(str(own), tmp_path) == own


def test_a_name_that_means_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="june models list"):
        find("nothing", tmp_path)
    with pytest.raises(ModelError, match="june models list"):
        known("nothing")


def test_a_hub_id_without_a_network_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    for name in ("june-tests/nothing", "june-tests/nothing/voice.onnx", "june-tests/nothing/a.gguf@main"):
        with pytest.raises(ModelError, match="hub did not deliver") as refused:
            find(name, tmp_path)
        assert refused.value.code is ModelProblem.MISSING


def test_the_voices_are_of_many_languages_and_pinned() -> None:
    voices = registry.voices()
    assert len({voice.languages for voice in voices.values()}) > 30
    assert not voices.keys() & models().keys()
    for name, voice in voices.items():
        assert {file.name for file in voice.files} == {f"{name}.onnx", f"{name}.onnx.json", "MODEL_CARD"}
        assert all(file.algorithm == "md5" for file in voice.files)
        assert 20e6 < voice.bytes < 150e6


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("de_DE-torsten-medium", "de_DE-thorsten-medium"),
        ("de_de-thorsten-medium", "de_DE-thorsten-medium"),
        ("fr_FR-siwi", "fr_FR-siwis-medium"),
        ("de", "de_DE-thorsten"),
        ("it", "it_IT-paola"),
        ("whisper-bas", "whisper-base"),
    ],
)
def test_an_unknown_name_suggests_near_ones(name: str, hint: str) -> None:
    with pytest.raises(ModelError, match=f"did you mean .*{hint}"):
        known(name)


def test_voices_that_were_pulled_are_found_by_their_files(tmp_path: Path) -> None:
    assert registry.pulled_voices(tmp_path) == {}
    voice = known("de_DE-thorsten-medium")
    voice.folder(tmp_path).mkdir()
    for file in voice.files:
        assert registry.pulled_voices(tmp_path) == {}
        (voice.folder(tmp_path) / file.name).touch()
    assert registry.pulled_voices(tmp_path) == {"de_DE-thorsten-medium": "de"}


def test_a_file_needs_a_digest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither sha256 nor md5"):
        registry.ModelFile(name="file", bytes=1)
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    model = small_model().model_copy(
        update={"files": (registry.ModelFile(name="small.gguf", bytes=len(CONTENT), md5=md5),)}
    )
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "small.gguf").write_bytes(CONTENT)
    verify(model, tmp_path)
    (tmp_path / "small" / "small.gguf").write_bytes(CONTENT.upper())
    with pytest.raises(ModelError, match="not the file it should be"):
        verify(model, tmp_path, trust_stamp=False)
