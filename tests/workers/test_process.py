"""One worker process from start to end, and how it ends when something is wrong."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.support.ports import free_port
from tests.support.waiting import until
from workers import process
from workers.errors import ExitCode, JuneError
from workers.process import main, poll
from workers.roles.role import Role
from workers.settings import PROJECT


@activity.defn
async def nothing() -> None:
    """Do nothing."""


def worker(client: Client) -> Worker:
    """Build a worker of a queue of its own."""
    return Worker(client, task_queue=f"process-{uuid4().hex}", activities=[nothing])


async def test_it_polls_until_told_to_stop(dev_server: WorkflowEnvironment) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    polling = asyncio.create_task(poll(worker(dev_server.client), None, ready.set, stop))
    await asyncio.wait_for(ready.wait(), 10)
    assert not polling.done()
    stop.set()
    await asyncio.wait_for(polling, 10)


async def test_the_end_of_its_background_task_does_not_end_it(dev_server: WorkflowEnvironment) -> None:
    stop, ended = asyncio.Event(), asyncio.Event()

    async def background() -> None:
        ended.set()

    polling = asyncio.create_task(poll(worker(dev_server.client), background, lambda: None, stop))
    await asyncio.wait_for(ended.wait(), 10)
    await asyncio.sleep(0.05)
    assert not polling.done()
    stop.set()
    await asyncio.wait_for(polling, 10)


async def test_a_failure_of_its_background_task_ends_it(dev_server: WorkflowEnvironment) -> None:
    async def background() -> None:
        raise JuneError("The token is refused.")

    served = worker(dev_server.client)
    with pytest.raises(JuneError, match="The token is refused"):
        await asyncio.wait_for(poll(served, background, lambda: None, asyncio.Event()), 10)
    assert not served.is_running


async def test_its_background_task_is_cancelled_when_it_stops(dev_server: WorkflowEnvironment) -> None:
    stop, cancelled = asyncio.Event(), asyncio.Event()

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await asyncio.wait_for(poll(worker(dev_server.client), background, stop.set, stop), 10)
    await until(cancelled.is_set)


def failing(error: BaseException) -> Callable[[Role], Awaitable[ExitCode]]:
    """Stand in for a worker that fails."""

    async def run_worker(_role: Role) -> ExitCode:
        raise error

    return run_worker


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (JuneError("There is no model."), ExitCode.FAULT, "june: There is no model.\n"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, ""),
        (RuntimeError("broken"), ExitCode.FAULT, ""),
    ],
)
def test_how_it_ends(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: ExitCode,
    sentence: str,
) -> None:
    monkeypatch.setattr(process, "run_worker", failing(error))
    assert main("file") == code
    assert capsys.readouterr().err == sentence


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_is_ready_and_stops_by_a_signal(address: str, tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    settings = {"JUNE_HOME": str(tmp_path), "TEMPORAL_ADDRESS": address, "JUNE_HEALTH_ADDRESS": f"127.0.0.1:{port}"}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.process", "file"), env=os.environ | settings, stderr=subprocess.PIPE
    )

    async def ready() -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.write(b"GET /readyz HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return b"200 OK" in answer

    await until(ready)
    child.send_signal(number)
    _, log = await asyncio.wait_for(child.communicate(), 20)
    assert child.returncode == ExitCode.OK
    assert b"worker polls queue june-file" in log
    assert b"worker file stopped" in log


@pytest.mark.slow
def test_a_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workers.process", "gpu"],
        cwd=PROJECT,
        env=os.environ | {"JUNE_HOME": str(tmp_path), "JUNE_LOG_LEVEL": "LOUD"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == ExitCode.FAULT
    assert done.stderr.startswith("june: A setting of TelemetrySettings is wrong (log_level: ")
    assert len(done.stderr.splitlines()) == 1


def test_what_a_worker_makes_is_for_its_owner_alone() -> None:
    before = os.umask(0)
    try:
        assert main("no role") == ExitCode.FAULT
    finally:
        made = os.umask(before)
    assert made == 0o077
