"""``june code`` as somebody calls it: a whole june, a real sandbox, and a model of scripted answers."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.limits import Limits
from tests.support.chat import activities_of
from tests.support.model_server import ModelServerDouble, Script, chunk, end, model_server
from tests.support.waiting import until
from tests.workers.conftest import SMALL_MODEL, prepared_home
from workers.clients.coding import follow, report_of, start_task
from workers.local import instance
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import LlmSettings, StorageSettings, WorkerSettings
from workflows.coding.contracts import CodingOutcome, CodingRequest, CodingStage

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

JUNE = (sys.executable, "-m", "workers.cli", "code")
WRONG, RIGHT = "def add(a, b):\n    return a - b\n", "def add(a, b):\n    return a + b\n"
TEST = "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n"


@pytest.fixture(scope="module")
async def model() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


@pytest.fixture(scope="module")
async def stack(model: ModelServerDouble, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """All but the engines, with a sandbox worker."""
    model.plays(Script(pieces=[chunk(content="Hello"), end()]))  # to the worker that warms its model up
    storage = StorageSettings(home=tmp_path_factory.mktemp("june") / "home")
    llm, work = LlmSettings(base_url=model.url, model="double", context_tokens=32_768), WorkerSettings(engines="model")
    async with Embedded(storage, own_ports(), llm, work, optional=[Role.SANDBOX]) as running:
        await until(lambda: model.requests)
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program that is wrong, and its test."""
    folder = tmp_path / "sums"
    folder.mkdir()
    (folder / "calc.py").write_text(WRONG)
    (folder / "test_calc.py").write_text(TEST)
    return folder


def acts(tool: str, **arguments: object) -> Script:
    """Have the model call a tool."""
    function = {"name": tool, "arguments": json.dumps(arguments)}
    return Script(pieces=[chunk(tool_calls=[{"index": 0, "id": "1", "type": "function", "function": function}]), end()])


async def june(stack: Embedded, *arguments: str) -> tuple[int, str, str]:
    """Run ``june code``; return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(*JUNE, *arguments),
        env=os.environ | {"JUNE_HOME": str(stack.home), "TEMPORAL_ADDRESS": stack.address, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode is not None
    return process.returncode, *(text.decode() for text in printed)  # type: ignore[return-value]


async def test_a_bug_is_mended_in_a_sandbox_and_the_folder_changed(
    stack: Embedded, model: ModelServerDouble, folder: Path
) -> None:
    model.plays(
        acts("read", path="calc.py"),
        acts("run", command="id -u; touch /workspace/left.txt; cat /proc/net/dev | wc -l"),
        acts("edit", path="calc.py", old="a - b", new="a + b"),
        acts("run_tests"),
        acts("finish", summary="It adds now."),
    )
    code, out, err = await june(stack, "Make it add.", "--workspace", str(folder), "--yes")
    assert code == 0, out + err
    assert "tests: 1 passed" in out
    assert "the agent says: It adds now." in out
    assert (folder / "left.txt").exists()
    assert (folder / "calc.py").read_text() == RIGHT
    assert str(folder) not in json.dumps(model.requests), "the model knows nothing of where it is"


async def test_a_worker_that_is_killed_three_times_costs_three_steps(
    stack: Embedded, model: ModelServerDouble, folder: Path
) -> None:
    killed: list[int] = []

    def working() -> psutil.Process | None:
        """Find the worker, once its command sleeps in its sandbox."""
        state = instance.running(stack.home)
        worker = state and state.pids.get("worker-sandbox")
        if not worker or worker in killed or not psutil.pid_exists(worker):
            return None
        process = psutil.Process(worker)
        return process if any(child.name() == "sleep" for child in process.children(recursive=True)) else None

    async def kill() -> None:
        while len(killed) < 3:
            await until(working)
            if worker := working():
                killed.append(worker.pid)
                worker.kill()

    def after_a_kill(answer: Script) -> Callable[[dict[str, Any]], Script]:
        def play(request: dict[str, Any]) -> Script:
            assert "nterrupted" in json.dumps(request["messages"][-1])
            return answer

        return play

    spoils = acts("run", command="echo x > spoiled.txt; sleep 60")
    model.plays(
        spoils,
        after_a_kill(spoils),
        after_a_kill(spoils),
        after_a_kill(acts("edit", path="calc.py", old="a - b", new="a + b")),
        acts("finish", summary="It adds now."),
    )
    killing = asyncio.create_task(kill())
    code, out, err = await june(stack, "Make it add.", "--workspace", str(folder), "--json", "--yes")
    await killing
    assert code == 0, out + err
    report = json.loads(out)["report"]
    assert (report["outcome"], report["steps"], report["comparison"]["changed"]) == ("finished", 5, 1)
    assert (folder / "calc.py").read_text() == RIGHT
    assert not (folder / "spoiled.txt").exists(), "nothing of the steps is left"


@pytest.mark.engines
async def test_a_model_server_that_is_killed_three_times_costs_no_step(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    storage, llm = prepared_home(tmp_path_factory.mktemp("june") / "home"), LlmSettings(model=SMALL_MODEL)
    # The smallest model does nothing useful, but it does something.
    request = CodingRequest(task="Write a program.", limits=Limits(steps=4, problems=50, repeats=50))
    killed: dict[int, int] = {}
    work = WorkerSettings(engines="model")
    async with Embedded(storage, own_ports(), llm, work, optional=[Role.SANDBOX]) as stack:
        handle = await start_task(stack.client, request, "three-kills")
        async for news in follow(handle):
            thinking = news.status and news.status.stage is CodingStage.THINK and news.status.step
            if thinking and thinking not in killed and len(killed) < 3:
                state = instance.running(stack.home)
                assert state
                killed[thinking] = state.pids["model-server"]
                os.kill(killed[thinking], signal.SIGKILL)
        report = await report_of(handle)
        thoughts = [ran for ran in activities_of(await handle.fetch_history()) if ran.name == "think"]
    assert len(set(killed.values())) == 3
    assert report
    assert (report.outcome, report.code, report.steps) == (CodingOutcome.UNFINISHED, "limit-steps", 4)
    assert [ran.completed for ran in thoughts] == [1] * 4
    assert len([ran for ran in thoughts if ran.attempt > 1]) >= 3
    assert report.comparison, "one diff, in the end"
