"""The embedded stack, real from end to end: ready in time, restarts what dies, leaves nothing behind."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from tests.support.waiting import until
from tests.workers.conftest import SMALL_MODEL, prepared_home
from workers.commands.doctor import check_model_server
from workers.encryption.keys import KeyRingError, read_ring
from workers.errors import UnavailableError
from workers.local import instance
from workers.local.free_ports import own_ports, own_web
from workers.local.stack import Embedded
from workers.ports import REFUSED_BY_BROWSERS, listening
from workers.settings import EmbeddedSettings, LlmSettings, StorageSettings, environment
from workers.temporal import missing_search_attributes

pytestmark = pytest.mark.e2e

NAMES = {"temporal", "model-server", "worker-workflows", "worker-gpu", "worker-cpu", "worker-file"}


@dataclass(frozen=True)
class Running:
    """A stack, with what it was started by."""

    stack: Embedded
    storage: StorageSettings
    ports: EmbeddedSettings


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Run a stack for the tests that need a living one."""
    storage, ports = prepared_home(tmp_path_factory.mktemp("embedded") / "home"), own_ports()
    async with Embedded(storage, ports, LlmSettings(model=SMALL_MODEL), optional=()) as stack:
        yield Running(stack, storage, ports)


async def ready_again(stack: Embedded, seconds: float) -> None:
    """Wait until all processes are ready."""
    deadline = time.monotonic() + seconds
    while not (stack.pids.keys() >= NAMES and await stack.ready()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_everything_is_ready(running: Running) -> None:
    assert await running.stack.ready()
    state = instance.running(running.storage.home)
    assert state is not None
    assert state.pid == os.getpid()
    assert state.pids.keys() == NAMES
    assert all(psutil.pid_exists(pid) for pid in state.pids.values())


async def test_the_model_server_listens_where_no_browser_connects(running: Running) -> None:
    (port,) = listening(running.stack.pids["model-server"])
    assert port in REFUSED_BY_BROWSERS
    finding = await check_model_server(LlmSettings(), running.storage.home, running.ports)
    assert (finding.ok, finding.found) == (True, f"http://127.0.0.1:{port}/health")


async def test_the_model_comes_first_and_speech_last(running: Running) -> None:
    pids = running.stack.pids
    niceness = {name: psutil.Process(pid).nice() for name, pid in pids.items()}
    model, speech = niceness.pop("model-server"), niceness.pop("worker-cpu")
    assert all(model < other < speech for other in niceness.values())
    assert {os.getsid(pid) for pid in pids.values()} == {os.getsid(0)}, "between sessions niceness has no effect"


async def test_the_server_is_set_up(running: Running) -> None:
    client = running.stack.client
    assert await missing_search_attributes(client) == {}
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta().days == 30


async def test_it_is_encrypted_from_the_first_start(running: Running) -> None:
    assert running.stack.new_keys == running.storage.home / "keys.json"
    ring = read_ring(running.storage.home / "keys.json")
    codec = running.stack.client.data_converter.payload_codec
    assert codec is not None
    (sealed,) = await codec.encode([Payload(data=b"x")])
    assert sealed.metadata["encryption-key-id"].decode() == ring.active


async def test_a_ring_that_is_damaged_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(KeyRingError, match="damaged"):
        async with Embedded(StorageSettings(home=tmp_path), own_ports(), optional=()):
            pass
    assert not (tmp_path / "temporal.db").exists()


async def test_a_second_stack_in_the_same_home_is_refused(running: Running) -> None:
    with pytest.raises(UnavailableError, match="june is already running"):
        await Embedded(running.storage, own_ports()).__aenter__()


async def test_a_second_stack_on_the_same_ports_is_refused(running: Running, tmp_path: Path) -> None:
    taken = f"Port {running.ports.temporal_port} is taken by process .*temporal.*JUNE_EMBEDDED_TEMPORAL_PORT"
    with pytest.raises(UnavailableError, match=taken):
        await Embedded(StorageSettings(home=tmp_path), running.ports).__aenter__()


@pytest.mark.parametrize("name", ["worker-cpu", "worker-file", "temporal"])
async def test_what_is_killed_comes_back(running: Running, name: str) -> None:
    pid = running.stack.pids[name]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: running.stack.pids.get(name, pid) != pid, 10)
    await ready_again(running.stack, 20)
    state = instance.running(running.storage.home)
    assert state is not None
    assert state.pids[name] == running.stack.pids[name]


async def test_a_clean_stop_leaves_nothing(tmp_path: Path) -> None:
    storage = prepared_home(tmp_path / "home")
    async with Embedded(storage, own_ports(), LlmSettings(model=SMALL_MODEL), optional=()) as stack:
        pids = list(stack.pids.values())
        children = [child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)]
    assert not any(map(alive, [*pids, *children]))
    assert not (storage.home / "state.json").exists()
    log = (storage.home / "logs" / "worker-workflows.log").read_text()
    assert "worker workflows stopped" in log


async def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    storage = prepared_home(tmp_path / "home")
    settings = environment(storage, own_ports(), own_web(), LlmSettings(model=SMALL_MODEL))
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.cli", "up", "--json"),
        env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout
    ready = json.loads(await asyncio.wait_for(parent.stdout.readline(), 60))
    pids = list(ready["pids"].values())
    pids += [child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)]
    assert len(pids) >= len(NAMES)
    parent.kill()
    await parent.wait()
    await until(lambda: not any(map(alive, pids)), 10)
    assert instance.running(storage.home) is None


async def test_ctrl_c_stops_june_up(tmp_path: Path) -> None:
    storage = prepared_home(tmp_path / "home")
    settings = environment(storage, own_ports(), own_web(), LlmSettings(model=SMALL_MODEL))
    june = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.cli", "up"), env=os.environ | settings, stderr=asyncio.subprocess.PIPE
    )
    assert june.stderr
    said = ""
    while "june is up" not in said:
        line = (await asyncio.wait_for(june.stderr.readline(), 60)).decode()
        assert line, said
        said += line
    pids = psutil.Process(june.pid).children(recursive=True)
    june.send_signal(signal.SIGINT)
    said += (await asyncio.wait_for(june.stderr.read(), 30)).decode()
    assert await june.wait() == 0
    assert "worker-gpu" in said
    assert said.rstrip().endswith("stopped")
    assert not any(map(alive, [process.pid for process in pids]))


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be collected by init does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
