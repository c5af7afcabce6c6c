"""Where llama.cpp finds OpenMP's runtime."""

import ctypes.util
import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from workers.local.openmp import openmp_path


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *libraries: str) -> Path:
    """Install CTranslate2 with these libraries, on a system without OpenMP; return their folder."""
    (folder / "ctranslate2.libs").mkdir(parents=True, exist_ok=True)
    for name in libraries:
        (folder / "ctranslate2.libs" / name).touch()
    spec = ModuleSpec("ctranslate2", None, origin=str(folder / "ctranslate2" / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    return folder / "ctranslate2.libs"


def test_the_bundled_copy_serves_under_the_name_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = install(tmp_path / "site", monkeypatch, "libgomp-24e2ab19.so.1.0.0", "libother.so")
    for _ in range(2):
        assert openmp_path(tmp_path) == {"LD_LIBRARY_PATH": str(tmp_path / "lib")}
        assert (tmp_path / "lib" / "libgomp.so.1").readlink() == bundled / "libgomp-24e2ab19.so.1.0.0"


def test_the_systems_own_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch, "libgomp.so.1")
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: "libgomp.so.1")
    assert openmp_path(tmp_path) == {}
    assert not (tmp_path / "lib").exists()


def test_without_any_copy_there_is_nothing_to_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch)
    assert openmp_path(tmp_path) == {}
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert openmp_path(tmp_path) == {}
