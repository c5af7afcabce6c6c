"""``june code`` as somebody calls it: a whole june, a real sandbox, and a model of scripted answers."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.model_server import ModelServerDouble, Script, chunk, end, model_server
from tests.support.waiting import until
from workers.local import instance
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import LlmSettings, StorageSettings, WorkerSettings

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
    storage = StorageSettings(home=tmp_path_factory.mktemp("june") / "home")
    llm, work = LlmSettings(base_url=model.url, model="double", context_tokens=32_768), WorkerSettings(engines="model")
    async with Embedded(storage, own_ports(), llm, work, optional=[Role.SANDBOX]) as running:
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


async def test_a_worker_that_is_killed_in_the_middle_costs_one_step(
    stack: Embedded, model: ModelServerDouble, folder: Path
) -> None:
    killed: list[int] = []

    def after_the_kill(request: dict[str, Any]) -> Script:
        assert "nterrupted" in json.dumps(request["messages"][-1])
        return acts("edit", path="calc.py", old="a - b", new="a + b")

    async def kill() -> None:
        state = instance.running(stack.home)
        assert state
        await until(lambda: model.requests)
        await asyncio.sleep(1)
        killed.append(state.pids["worker-sandbox"])
        os.kill(killed[0], signal.SIGKILL)

    model.plays(
        acts("run", command="echo x > spoiled.txt; sleep 30"),
        after_the_kill,
        acts("finish", summary="It adds now."),
    )
    killing = asyncio.create_task(kill())
    code, out, err = await june(stack, "Make it add.", "--workspace", str(folder), "--json", "--yes")
    await killing
    assert code == 0, out + err
    report = json.loads(out)["report"]
    assert (report["outcome"], report["steps"], report["comparison"]["changed"]) == ("finished", 3, 1)
    assert (folder / "calc.py").read_text() == RIGHT
    assert not (folder / "spoiled.txt").exists(), "nothing of the step is left"
