"""Homes of all kinds: each fault is a sentence with a code, and nothing in the home is changed."""

import asyncio
import errno
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.waiting import until
from workers.errors import HomeFault
from workers.local import home
from workers.local.home import DATABASE, explain_os_error, find_database_fault, find_fault, keep_private, watch

ROOT = os.geteuid() == 0


def database(folder: Path, rows: int = 500) -> Path:
    """Make a database."""
    path = folder / DATABASE
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE said (words TEXT)")
        connection.executemany("INSERT INTO said VALUES (?)", [("x" * 400,)] * rows)
        connection.execute("COMMIT")
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    assert find_fault(tmp_path / "new" / "home") is None
    assert stat.S_IMODE((tmp_path / "new" / "home").stat().st_mode) == 0o700
    assert list((tmp_path / "new" / "home").iterdir()) == []


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    fault = find_fault(tmp_path / "home")
    assert fault is not None
    assert fault.fault is HomeFault.NOT_WRITABLE
    assert "cannot be used (File exists): set JUNE_HOME" in str(fault)


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_a_home_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    fault = find_fault(tmp_path)
    tmp_path.chmod(0o700)
    assert fault is not None
    assert fault.fault is HomeFault.NOT_WRITABLE


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (errno.ENOSPC, HomeFault.DISK_FULL, "is full (0 MB are free): make room"),
        (errno.EDQUOT, HomeFault.DISK_FULL, "is full"),
        (errno.EROFS, HomeFault.READ_ONLY, "read-only: mount it for writing"),
        (errno.EACCES, HomeFault.NOT_WRITABLE, "june.lock belongs to another user, or may not be written: give"),
        (errno.ELOOP, HomeFault.NOT_WRITABLE, "Too many levels of symbolic links"),
    ],
)
def test_errors_of_the_system_have_codes(tmp_path: Path, number: int, code: HomeFault, words: str) -> None:
    (tmp_path / "june.lock").touch()
    fault = explain_os_error(OSError(number, os.strerror(number), str(tmp_path / "june.lock")), tmp_path)
    assert fault.fault is code
    assert words in str(fault)


def test_too_little_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "LEAST_BYTES", 2**62)
    fault = find_fault(tmp_path)
    assert fault is not None
    assert fault.fault is HomeFault.DISK_FULL


def test_a_folder_where_a_file_belongs(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    fault = find_fault(tmp_path)
    assert fault is not None
    assert str(fault) == f"{tmp_path / 'state.json'} is a folder or a link: move it away."


@pytest.mark.parametrize("thorough", [False, True])
def test_a_database_that_is_sound_or_not_there(tmp_path: Path, thorough: bool) -> None:
    assert find_database_fault(tmp_path / DATABASE, thorough=thorough) is None
    assert list(tmp_path.iterdir()) == []
    assert find_database_fault(database(tmp_path), thorough=thorough) is None


@pytest.mark.parametrize("damage", ["garbage", "truncated", "middle", "header"])
def test_a_damaged_database_is_left_as_it_is(tmp_path: Path, damage: str) -> None:
    path = database(tmp_path)
    whole = path.read_bytes()
    bad = {
        "garbage": os.urandom(len(whole)),
        "truncated": whole[: len(whole) // 2],
        "middle": whole[:8192] + b"\xff" * 8192 + whole[16384:],
        "header": bytes(100) + whole[100:],
    }[damage]
    path.write_bytes(bad)
    fault = find_database_fault(path)
    assert fault is not None
    assert fault.fault is HomeFault.DATABASE_DAMAGED
    assert f"{path} is damaged (" in str(fault)
    assert "start afresh: move temporal.db, temporal.db-wal and temporal.db-shm to another folder" in str(fault)
    assert "Conversations with their memory and settings" in str(fault)
    assert "\n" not in str(fault)
    assert files(tmp_path) == {DATABASE: bad}


def test_a_large_database_is_read_to_its_end_by_the_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "CHECKED_BYTES", 1000)
    path = database(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * 8192 + whole[16384:])
    assert find_database_fault(path) is None
    assert find_database_fault(path, thorough=True) is not None


@pytest.mark.parametrize("how", ["folder", "dangling link"])
def test_a_database_that_is_no_file(tmp_path: Path, how: str) -> None:
    path = tmp_path / DATABASE
    if how == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nothing")
    fault = find_database_fault(path)
    assert fault is not None
    assert fault.fault in {HomeFault.DATABASE_DAMAGED, HomeFault.NOT_WRITABLE}
    assert str(path) in str(fault)


LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A database that another process has locked."""
    path = database(tmp_path)
    words = [sys.executable, "-c", LOCKER, str(path)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield path, process.pid
    process.communicate()


@pytest.mark.slow
def test_a_locked_database_names_who_has_it(locked: tuple[Path, int]) -> None:
    path, pid = locked
    fault = find_database_fault(path)
    assert fault is not None
    assert fault.fault is HomeFault.DATABASE_LOCKED
    assert f"is locked by process {pid} (python" in str(fault)


async def test_what_becomes_of_the_home_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(home, "WATCH_SECONDS", 0.01)
    watching = asyncio.create_task(watch(tmp_path))
    monkeypatch.setattr(home, "LEAST_BYTES", 2**62)

    def logged() -> list[str]:  # other homes may be watched in this process
        return [line for line in caplog.messages if f"{tmp_path} " in line]

    await until(lambda: any("What cannot be kept waits until then. (disk-full)" in line for line in logged()))
    await asyncio.sleep(0.1)
    monkeypatch.setattr(home, "LEAST_BYTES", 1)
    await until(lambda: any("can be written again, and june goes on" in line for line in logged()))
    watching.cancel()
    assert len(logged()) == 2


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_taken_from_others(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for path in (folder / "logs", folder / "models" / "m", elsewhere):
        path.mkdir(parents=True)
    for path in (
        folder / "temporal.db",
        folder / "logs" / "a.log",
        folder / "models" / "m" / "x.gguf",
        elsewhere / "f",
    ):
        path.touch()
        path.chmod(0o666)
    for path in (folder, folder / "logs", folder / "models", elsewhere):
        path.chmod(0o755)
    (folder / "models" / "m").chmod(0o777)
    (folder / "link").symlink_to(elsewhere)
    (folder / "file-link").symlink_to(elsewhere / "f")
    os.mkfifo(folder / "pipe", 0o600)
    changed, others = keep_private(folder)
    assert {mode(folder), mode(folder / "logs"), mode(folder / "temporal.db") | 0o100} == {0o700}
    assert mode(folder / "logs" / "a.log") == 0o600
    assert (mode(folder / "models"), mode(folder / "models" / "m")) == (0o755, 0o755)
    assert mode(folder / "models" / "m" / "x.gguf") == 0o644
    assert (mode(elsewhere), mode(elsewhere / "f")) == (0o755, 0o666)
    assert others == []
    assert {str(path.relative_to(folder)) for path in changed} == {
        ".",
        "logs",
        "logs/a.log",
        "temporal.db",
        "models/m",
        "models/m/x.gguf",
    }
    assert keep_private(folder) == ([], [])


@pytest.mark.skipif(not ROOT, reason="only root may give files to others")
def test_files_of_others_are_named_and_left(tmp_path: Path) -> None:
    file = tmp_path / "temporal.db"
    file.touch()
    file.chmod(0o644)
    os.chown(file, 12345, 12345)
    assert keep_private(tmp_path)[1] == [file]
    assert mode(file) == 0o644
