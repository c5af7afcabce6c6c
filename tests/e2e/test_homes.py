"""Homes that cannot be used, from `june up` and `june doctor`; and disks and ports that fail under a june that runs.

Each is a sentence with a code, nothing in the home is changed, and nothing that was accepted is lost.
"""

import asyncio
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.blobs import BlobStore
from bots.intake import accept, result_of
from tests.support.waiting import until
from workers.commands.doctor import check_home
from workers.errors import ExitCode, HomeFault, JuneError
from workers.local import home
from workers.local.database import prepare
from workers.local.free_ports import own_ports, own_web
from workers.local.session import Session
from workers.local.stack import Embedded
from workers.settings import LlmSettings, StorageSettings, WorkerSettings, environment
from workflows.voice.contracts import VoiceMessageRequest

pytestmark = pytest.mark.e2e

FILE_WORKER = "worker-file"


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 120 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mount("-t", "tmpfs", "-o", "size=120m", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "WATCH_SECONDS", 0.2)


def fill(disk: Path) -> Path:
    """Leave no byte free."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return filler


def stack_on(disk: Path) -> Embedded:
    storage = StorageSettings(home=disk / "home", file_roots=(disk,))
    return Embedded(storage, own_ports(), work=WorkerSettings(engines="none"), optional=())


async def send(client: Client, message: str) -> str:
    """Send a message until it is accepted, as bots do."""
    request = VoiceMessageRequest(platform="file", chat="disk", message=message, text="Are you there?")
    while True:
        with suppress(RPCError):
            await accept(client, request)
            return message
        await asyncio.sleep(0.2)


async def answered(client: Client, message: str) -> bool:
    while True:
        with suppress(RPCError):
            return (await result_of(client, "file", "disk", message)).status == "answered"
        await asyncio.sleep(0.2)


async def test_a_disk_that_fills_up_and_is_emptied(disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with stack_on(disk) as running:
        assert await answered(running.client, await send(running.client, "before"))
        os.kill(running.pids[FILE_WORKER], signal.SIGSTOP)
        await send(running.client, "under-way")
        filler = await asyncio.to_thread(fill, disk)
        os.kill(running.pids[FILE_WORKER], signal.SIGCONT)
        late = asyncio.create_task(send(running.client, "late"))
        await until(lambda: HomeFault.DISK_FULL in caplog.text)
        await asyncio.sleep(5)  # as long as it may try in vain
        filler.unlink()
        async with asyncio.timeout(120):
            assert await answered(running.client, await late)
            assert await answered(running.client, "under-way")
        await until(lambda: "june goes on" in caplog.text)
    assert home.find_database_fault(running.programs.database, thorough=True) is None


async def test_a_disk_that_is_full_at_the_start(disk: Path) -> None:
    fill(disk)
    with pytest.raises(JuneError, match=r"The disk of .* is full .*: make room") as caught:
        await stack_on(disk).__aenter__()
    assert caught.value.fault is HomeFault.DISK_FULL


def test_an_old_database_without_the_space_to_rewrite_it(disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = disk / "temporal.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE said AS SELECT zeroblob(70000000) AS words")
        connection.commit()
    prepare(path)
    assert "what was deleted may still be in" in caplog.text
    assert home.find_database_fault(path, thorough=True) is None
    assert path.stat().st_size > 70_000_000
    finding = check_home(disk)
    assert not finding.ok
    assert "Start june once more with as much space free as the file takes" in finding.advice


def test_a_recording_for_which_there_is_no_space(disk: Path) -> None:
    (disk / "note.ogg").write_bytes(b"x" * 1_000_000)
    blobs = BlobStore.open(disk / "blobs")
    fill(disk)
    session = Session(client=None, ui_url="", blobs=blobs, max_bytes=2_000_000)  # type: ignore[arg-type] # not asked
    with pytest.raises(JuneError, match=r"note.ogg cannot be stored: .*No space left"):
        asyncio.run(session.upload(disk / "note.ogg", "chat"))


async def test_a_disk_that_becomes_read_only(disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with stack_on(disk) as running:
        assert await answered(running.client, await send(running.client, "before"))
    mount("-o", "remount,ro", str(disk))
    with pytest.raises(JuneError, match="is read-only: mount it for writing") as caught:
        await stack_on(disk).__aenter__()
    assert caught.value.fault is HomeFault.READ_ONLY
    mount("-o", "remount,rw", str(disk))
    async with stack_on(disk) as running:
        assert await answered(running.client, "before")
        assert await answered(running.client, await send(running.client, "after"))


def contents(folder: Path) -> dict[str, bytes]:
    """Read all files of a home that hold anything, but who held it last."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "june.lock")
    return {str(path): data for path in files if (data := path.read_bytes())}


def june(command: str, folder: Path, *before: str, **settings: object) -> tuple[int, str]:
    """Run june in a home; return its exit code, and all that it printed, as one line."""
    ports = environment(own_ports(), own_web(), LlmSettings(base_url="http://127.0.0.1:9"))
    given = os.environ | ports | {"JUNE_HOME": str(folder), "TEMPORAL_ADDRESS": "127.0.0.1:9"}
    given |= {name: str(value) for name, value in settings.items()}
    words = [*before, sys.executable, "-m", "workers.cli", command]
    done = subprocess.run(words, env=given, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, " ".join(f"{done.stderr} {done.stdout}".split())


def garbage(folder: Path) -> None:
    (folder / "temporal.db").write_bytes(b"garbage " * 10_000)


def half_a_database(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "temporal.db")) as connection:
        connection.execute("CREATE TABLE said AS SELECT randomblob(200000) AS words")
        connection.commit()
    os.truncate(folder / "temporal.db", 100_000)


def linked_lock(folder: Path) -> None:
    (folder / "june.lock").symlink_to("/dev/null")


def folder_of_state(folder: Path) -> None:
    (folder / "state.json").mkdir()


@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (garbage, HomeFault.DATABASE_DAMAGED, "start afresh: move temporal.db"),
        (half_a_database, HomeFault.DATABASE_DAMAGED, "start afresh: move temporal.db"),
        (linked_lock, HomeFault.NOT_WRITABLE, "june.lock is a folder or a link: move it away"),
        (folder_of_state, HomeFault.NOT_WRITABLE, "state.json is a folder or a link: move it away"),
    ],
)
def test_a_home_that_cannot_be_used(tmp_path: Path, harm: Callable[[Path], None], code: HomeFault, words: str) -> None:
    harm(tmp_path)
    before = contents(tmp_path)
    exit_code, printed = june("up", tmp_path)
    assert exit_code == ExitCode.FAULT
    assert printed.startswith("june: ")
    assert printed.endswith(f"({code})")
    assert words in printed
    assert "Traceback" not in printed
    exit_code, printed = june("doctor", tmp_path)
    assert exit_code == ExitCode.FAULT
    assert code in printed
    assert "Traceback" not in printed
    assert contents(tmp_path) == before


def test_a_home_without_permission(tmp_path: Path) -> None:
    unprivileged = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    if unprivileged and not shutil.which(unprivileged[0]):
        pytest.skip("root may write everywhere, and there is no setpriv")
    tmp_path.chmod(0o500)
    exit_code, printed = june("up", tmp_path, *unprivileged)
    tmp_path.chmod(0o700)
    assert exit_code == ExitCode.FAULT
    assert f"{tmp_path} belongs to another user, or may not be written" in printed
    assert printed.endswith(f"({HomeFault.NOT_WRITABLE})")


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        exit_code, printed = june("up", tmp_path, JUNE_EMBEDDED_TEMPORAL_PORT=port)
    assert exit_code == ExitCode.UNAVAILABLE
    assert f"Port {port} is taken by process {os.getpid()}" in printed
    assert printed.endswith(f"set JUNE_EMBEDDED_TEMPORAL_PORT to another port. ({HomeFault.PORT_TAKEN})")


async def test_a_port_that_is_taken_while_june_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with stack_on(tmp_path) as running:
        assert await answered(running.client, await send(running.client, "before"))
        os.kill(running.pids["temporal"], signal.SIGKILL)
        server = None
        while server is None:
            with suppress(OSError):
                server = socket.create_server(("127.0.0.1", running.ports.temporal_port))
        with server:
            await until(lambda: f"({HomeFault.PORT_TAKEN})" in caplog.text)
            late = asyncio.create_task(send(running.client, "late"))
        async with asyncio.timeout(120):
            assert await answered(running.client, await late)
    assert f"Port {running.ports.temporal_port} is taken by process {os.getpid()}" in caplog.text


async def test_a_state_that_is_garbage_while_june_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with stack_on(tmp_path) as running:
        state = tmp_path / "home" / "state.json"
        state.write_text("{")
        finding = check_home(tmp_path / "home")
        assert finding.found == HomeFault.STATE_DAMAGED
        state.unlink()
        state.mkdir()  # and now it cannot be written
        os.kill(running.pids[FILE_WORKER], signal.SIGKILL)
        await until(lambda: "what runs is not written down" in caplog.text)
        assert await answered(running.client, await send(running.client, "after"))
