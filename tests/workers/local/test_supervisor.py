"""Real processes: kept running, ended for certain, gone with their parent."""

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.support.ports import free_port
from tests.support.waiting import until
from workers.errors import HomeFault, JuneError, UnavailableError
from workers.local import supervisor
from workers.local.supervisor import Child, Program

pytestmark = pytest.mark.slow

SERVE = """
import sys
from http.server import HTTPServer, SimpleHTTPRequestHandler
HTTPServer(("127.0.0.1", int(sys.argv[1])), SimpleHTTPRequestHandler).serve_forever()
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def program(folder: Path, code: str = SERVE, environment: dict[str, str] | None = None) -> Program:
    """Describe a small web server, or whatever the code is."""
    port = free_port()
    command = (sys.executable, "-c", code, str(port))
    return Program("little", command, environment or dict(os.environ), folder / "logs" / "little.log", port, "/")


@asynccontextmanager
async def running(what: Program) -> AsyncIterator[Child]:
    """Keep it running for a block."""
    child = Child(what, lambda: None)
    child.start()
    try:
        yield child
    finally:
        await child.stop()


async def test_what_dies_is_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(program(tmp_path)) as child:
        await child.ready(10)
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in {first, None})
        child.exits = 0
        await child.ready(10)
    assert "little was killed by SIGKILL, starting it again in 0.5 s" in caplog.text
    assert child.pid is None
    assert not psutil.pid_exists(first)


async def test_waits_grow_while_it_keeps_dying(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(program(tmp_path, "raise SystemExit(7)")) as child:
        await until(lambda: child.exits >= 3)
    assert "ended with exit code 7, starting it again in 0.5 s" in caplog.text
    assert "again in 1.0 s" in caplog.text
    assert caplog.records[-1].levelname == "ERROR"


async def test_an_early_end_is_told_with_the_log(tmp_path: Path) -> None:
    async with running(program(tmp_path, "raise SystemExit('the model is not there')")) as child:
        with pytest.raises(JuneError, match=r"little ended while it started[^\0]*the model is not there"):
            await child.ready(10)


async def test_what_never_gets_ready_is_told(tmp_path: Path) -> None:
    async with running(program(tmp_path, "import time; time.sleep(60)")) as child:
        with pytest.raises(JuneError, match="little was not ready after"):
            await child.ready(0.3)


async def test_what_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    async with running(program(tmp_path, STUBBORN + SERVE)) as child:
        await child.ready(10)
        pid = child.pid
        assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_a_long_log_moves_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "MAX_LOG_BYTES", 10)
    what = program(tmp_path)
    what.log.parent.mkdir()
    what.log.write_text("more than ten bytes")
    async with running(what) as child:
        await child.ready(10)
    assert what.log.with_suffix(".log.1").read_text() == "more than ten bytes"
    assert "more than" not in what.log.read_text()


async def test_a_taken_port_is_told_with_its_holder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    what = program(tmp_path)
    what = replace(what, needs=[("JUNE_LITTLE_PORT", what.port)])
    told = f"Port {what.port} is taken by process {os.getpid()} "
    with socket.create_server(("127.0.0.1", what.port)):
        async with running(what) as child:
            with pytest.raises(UnavailableError, match=told) as caught:
                await child.ready(10)
            assert caught.value.fault is HomeFault.PORT_TAKEN
            await until(lambda: "(port-taken)" in caplog.text)
    assert "JUNE_LITTLE_PORT" in caplog.text


async def test_what_cannot_be_started_now_is_started_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    what = program(tmp_path)
    what.log.parent.write_text("a file where the folder of logs belongs")  # as a full disk: its log cannot be made
    async with running(what) as child:
        await until(lambda: "little could not be started" in caplog.text)
        what.log.parent.unlink()
        await until(child.is_ready)


async def test_what_a_program_makes_is_for_its_owner_alone(tmp_path: Path) -> None:
    made = tmp_path / "made"
    code = f"open({str(made)!r}, 'w'); " + SERVE.strip().replace("\n", "; ")
    async with running(program(tmp_path, code)) as child:
        await child.ready(10)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


PARENT = """
import asyncio, os, sys
from pathlib import Path
from workers.local.supervisor import Child, Program
async def main():
    command = (sys.executable, "-c", "import time; time.sleep(600)")
    child = Child(Program("orphan", command, dict(os.environ), Path(sys.argv[1]), 1, "/"), lambda: None)
    child.start()
    while child.pid is None:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)  # it is not the program yet
    print(child.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path / "log"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    pid = int(await parent.stdout.readline())
    assert "sleep(600)" in " ".join(psutil.Process(pid).cmdline())
    parent.kill()
    await parent.wait()
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
