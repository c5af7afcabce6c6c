"""What all sandboxes of a worker see of june."""

import asyncio
import importlib.metadata
import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from activities.sandbox import shared_files
from activities.sandbox.owner import this_worker
from activities.sandbox.sandbox import SandboxError
from activities.sandbox.shared_files import PREFIX, SharedFiles, find_python, remove_dead, with_requirements


def test_a_package_comes_with_what_it_needs() -> None:
    names = {found.name.lower() for found in with_requirements(("pytest",))}
    assert {"pytest", "pluggy", "iniconfig", "packaging"} <= names
    assert "hypothesis" not in names  # an extra


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(SandboxError, match="no-such-package") as caught:
        with_requirements(("no-such-package",))
    assert caught.value.code == "sandbox-unavailable"


def test_the_interpreter_is_below_usr() -> None:
    assert find_python().resolve().is_relative_to("/usr")


@pytest.mark.slow
async def test_everybody_may_read_the_files_and_they_work() -> None:
    before = os.umask(0o077)
    try:
        shared = await SharedFiles.make(("pytest",))
    finally:
        os.umask(before)
    try:
        for path in (shared.folder, *shared.folder.rglob("*")):
            mode = path.lstat().st_mode
            assert mode & 0o004, path
            assert not mode & 0o022 or stat.S_ISLNK(mode), path
            assert not path.is_dir() or mode & 0o001, path
        environment = {"PYTHONPATH": str(shared.folder / "python"), "PATH": str(shared.folder / "june" / "bin")}
        asked = await asyncio.create_subprocess_exec("pytest", "--version", env=environment, stdout=subprocess.PIPE)
        assert importlib.metadata.version("pytest") in (await asked.communicate())[0].decode()
        assert "june:x:1000" in (shared.folder / "etc" / "passwd").read_text()
        assert not (shared.folder / "etc" / "shadow").exists()
    finally:
        shared.remove()
    assert not shared.folder.exists()


def test_folders_of_dead_workers_are_deleted_and_no_others() -> None:
    parent = Path(tempfile.gettempdir())
    dead, living, other = (parent / f"{PREFIX}{name}.{os.getpid()}" for name in ("0-1-2-3", this_worker(), "other"))
    for folder in (dead, living, other):
        folder.mkdir()
    try:
        assert remove_dead() >= 1
        assert [folder.exists() for folder in (dead, living, other)] == [False, True, True]
    finally:
        for folder in (living, other):
            folder.rmdir()


def test_a_private_folder_of_temporary_files_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "private" / "tmp").mkdir(parents=True)
    (tmp_path / "private").chmod(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "private" / "tmp"))
    assert shared_files._place() in shared_files.OPEN_FOLDERS
