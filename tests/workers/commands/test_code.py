"""``june code`` from its options to the folder, with model and sandbox scripted, on a real server and real folders."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from typer.testing import CliRunner

from activities.blobs import BlobStore
from activities.coding.act import Acted, ActRequest
from activities.coding.errors import CodingError
from activities.coding.prepare import PrepareRequest
from activities.coding.storage import CodingStorage
from activities.error_codes import CodingCode
from activities.sandbox.archive import Archive
from tests.support.coding_world import FINISH, STEPS, Behaviour, CodingWorld, Step, coding, hold_step
from tests.support.terminal import CTRL_C, Terminal, terminal
from tests.support.waiting import until
from workers.clients import coding as tasks
from workers.clients.pollers import living_pollers
from workers.commands import code
from workers.errors import ExitCode, JuneError, explain
from workers.settings import StorageSettings
from workflows.names import SANDBOX_QUEUE

WRONG, RIGHT = b"def add(a, b):\n    return a - b\n", b"def add(a, b):\n    return a + b\n"
LIMITS = 1 << 20, 100


@pytest.fixture(scope="module")
async def workers(dev_server: WorkflowEnvironment) -> AsyncIterator[CodingWorld]:
    """Workers for the queues of a task."""
    async with coding(dev_server.client, CodingWorld()) as world:
        await until(lambda: living_pollers(dev_server.client, SANDBOX_QUEUE))
        yield world


@pytest.fixture
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a program that is wrong."""
    folder = tmp_path / "sums"
    folder.mkdir()
    (folder / "calc.py").write_bytes(WRONG)
    (folder / ".git").mkdir()
    return folder


@pytest.fixture
def world(workers: CodingWorld, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CodingWorld]:
    """Have an agent that mends the program, whatever it is told, in a home of its own."""
    monkeypatch.setenv("JUNE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tasks, "POLL_SECONDS", 0.05)
    workers.behaviours["act"] = writing(workers, RIGHT)
    yield workers
    workers.reset()


def writing(
    world: CodingWorld, content: bytes, path: str = "calc.py", then: Callable[[], object] = lambda: None
) -> Behaviour:
    """Write a file in the workspace with each step that changes something."""

    async def behaviour(request: ActRequest) -> Acted | None:
        step = world.step(request.step)
        if not step.changes:
            return None
        storage = CodingStorage(BlobStore.open(StorageSettings().blobs))
        archive = Archive.load(await storage.get(request.workspace, 1 << 20), *LIMITS)
        archive.write(path, content)
        then()
        workspace = await storage.put_workspace(request.owner, archive.dump())
        return Acted(transcript=request.transcript, workspace=workspace, line=step.told, digest=step.told)

    return behaviour


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Printed lines, without spaces at their ends."""
        return [line.rstrip() for line in self.out.splitlines()]

    @property
    def task(self) -> str:
        """The name of the task that has begun."""
        return next(line.split()[0] for line in self.lines if "has begun" in line)


async def june(*arguments: str) -> Done:
    """Run ``june code``; an expected error is what it is to ``june``, a sentence and a code."""
    environment = {"COLUMNS": "200", "TERM": "dumb"}
    done = await asyncio.to_thread(CliRunner().invoke, code.app, arguments, env=environment)
    if isinstance(done.exception, JuneError):
        sentence, exit_code = explain(done.exception)
        return Done(exit_code, done.stdout, sentence)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


async def run(folder: Path, *options: str, task: str = "Make it add up.") -> Done:
    """Start a task and follow it."""
    return await june(task, "--workspace", str(folder), *options)


async def test_a_task_is_followed_shown_and_applied(world: CodingWorld, folder: Path) -> None:
    done = await run(folder, "--yes", "--test", "pytest -q", "--model", "other", "--steps", "7")
    assert done.code == ExitCode.OK
    assert done.lines[1:] == [
        "left out: .git: left out",
        "     workspace of 2 files",
        "  1  read calc.py: 1 line  0.8 s, 110 tokens",
        "  2  write calc.py: 1 failed, 1 passed  0.5 s, 110 tokens",
        "  3  run_tests: 2 passed  0.8 s, 110 tokens",
        "  4  finish: 2 passed  0.8 s, 110 tokens",
        "",
        *("diff --git a/calc.py b/calc.py", done.lines[9]),
        *("--- a/calc.py", "+++ b/calc.py", "@@ -1,2 +1,2 @@"),
        *(" def add(a, b):", "-    return a - b", "+    return a + b", ""),
        "tests: 2 passed",
        "the agent says: It adds up now.",
        done.lines[-2],
        f"{folder}: wrote calc.py",
    ]
    assert done.lines[-2].startswith("finished after 4 steps, 0:0")
    assert done.lines[-2].endswith(", 440 tokens (scripted)")
    assert (folder / "calc.py").read_bytes() == RIGHT
    (prepared,) = world.asked("prepare")
    assert (prepared.task, prepared.test_command, prepared.owner.chat) == ("Make it add up.", "pytest -q", done.task)
    assert world.asked("think")[0].model == "other"


async def test_without_a_terminal_nothing_is_applied_until_somebody_says_so(
    world: CodingWorld, folder: Path, tmp_path: Path
) -> None:
    done = await run(folder)
    assert (done.code, done.lines[-1]) == (ExitCode.OK, f"not applied: june code apply {done.task}")
    assert (folder / "calc.py").read_bytes() == WRONG
    copy = shutil.copytree(folder, tmp_path / "copy")
    patch = await june("diff", done.task)
    git = ["git", "apply", "-"]
    await asyncio.to_thread(subprocess.run, git, cwd=copy, input=patch.out, text=True, check=True)
    assert (copy / "calc.py").read_bytes() == RIGHT
    applied = await june("apply", done.task)
    assert (applied.code, applied.out) == (ExitCode.OK, f"{folder}: wrote calc.py\n")
    assert (folder / "calc.py").read_bytes() == RIGHT


async def test_a_folder_that_has_changed_meanwhile_is_left_alone(world: CodingWorld, folder: Path) -> None:
    world.behaviours["act"] = writing(world, RIGHT, then=lambda: (folder / "calc.py").write_bytes(b"mine\n"))
    done = await run(folder, "--yes")
    assert done.code == ExitCode.FAULT
    assert "calc.py" in done.lines[-1]
    assert done.lines[-1].endswith(f"The patch is kept: june code diff {done.task} > {done.task}.patch")
    assert (folder / "calc.py").read_bytes() == b"mine\n"
    again = await june("apply", done.task)
    assert (again.code, again.err) == (ExitCode.FAULT, done.lines[-1])


async def test_changes_go_where_somebody_says(world: CodingWorld, folder: Path, tmp_path: Path) -> None:
    name = (await run(folder)).task
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert (await june("apply", name, "--workspace", str(copy))).code == ExitCode.OK
    assert ((copy / "calc.py").read_bytes(), (folder / "calc.py").read_bytes()) == (RIGHT, WRONG)
    (StorageSettings().home / "code" / f"{name}.json").unlink()
    elsewhere = await june("apply", name)
    assert elsewhere.code == ExitCode.FAULT
    assert "--workspace" in elsewhere.err


async def test_programs_get_one_object(world: CodingWorld, folder: Path) -> None:
    done = await run(folder, "--json")
    printed = json.loads(done.out)
    assert (printed["report"]["outcome"], printed["applied"], printed["problem"]) == ("finished", False, "")
    assert printed["skipped"] == [".git: left out"]
    assert (folder / "calc.py").read_bytes() == WRONG
    applied = json.loads((await june("apply", printed["task"], "--json")).out)
    assert applied["applied"]
    listed = json.loads((await june("list", "--json")).out)
    assert (f"code/{printed['task']}", "Make it add up.", "finished") in [
        (task["id"], task["task"], task["outcome"]) for task in listed
    ]


async def test_what_is_unfinished_is_not_applied_unasked(world: CodingWorld, folder: Path) -> None:
    world.steps = (STEPS[1],)
    world.verified = world.verified.model_copy(update={"passed": False, "line": "1 failed"})
    done = await run(folder, "--yes", "--steps", "2")
    assert done.code == ExitCode.FAULT
    assert done.lines[-4:] == [
        "tests: 1 failed",
        done.lines[-3],
        "It came to the limit of its steps. (limit-steps)",
        f"not applied: june code apply {done.task}",
    ]
    assert done.lines[-3].startswith("unfinished after 2 steps")
    assert (folder / "calc.py").read_bytes() == WRONG


async def test_what_could_not_be_run_says_why(world: CodingWorld, folder: Path) -> None:
    async def refuse(_request: PrepareRequest) -> None:
        raise CodingError(CodingCode.SANDBOX_UNAVAILABLE, "There is no bubblewrap here: install it.")

    world.behaviours["prepare"] = refuse
    done = await run(folder, "--yes")
    assert done.code == ExitCode.UNAVAILABLE
    assert done.lines[-1] == "There is no bubblewrap here: install it. (sandbox-unavailable)"
    refused = await june("diff", done.task)
    assert (refused.code, refused.err) == (
        ExitCode.FAULT,
        "The task has ended before it had a workspace: nothing was done.",
    )


async def test_a_detached_task_is_looked_at_told_stopped_and_cancelled(
    world: CodingWorld, folder: Path, client: Client
) -> None:
    began = asyncio.Event()
    world.behaviours["act"] = hold_step(2, began, asyncio.Event())
    begun = await run(folder, "--detach")
    name = begun.task
    assert (begun.code, begun.lines[-1]) == (ExitCode.OK, f"june code attach {name}")
    await began.wait()
    stands = await june("status", name)
    assert (stands.code, stands.lines[-1].split(", ")[:2]) == (ExitCode.OK, [f"{name}: acting", "step 2 of 40"])
    assert json.loads((await june("status", name, "--json")).out)["name"] == name
    for refused in ("diff", "apply"):
        assert "is under way" in (await june(refused, name)).err
    assert (await june("say", name, "Mind the zero.")).out == f"{name} is told\n"
    assert (await june("pause", name)).code == ExitCode.OK
    assert (await june("resume", name)).out == f"{name} goes on\n"
    assert f"{name} is cancelled" in (await june("cancel", name)).out
    attached = await june("attach", name)
    assert (attached.code, attached.lines[-1]) == (ExitCode.UNAVAILABLE, "It was cancelled. (cancelled)")
    assert (await june("status", name)).code == ExitCode.UNAVAILABLE
    assert "has ended" in (await june("pause", name)).err


async def test_a_task_may_have_the_name_of_a_command(world: CodingWorld, folder: Path) -> None:
    for words in (["run", "list"], ["--", "list"], ["list"]):
        options = ["--workspace", str(folder), "--json"]
        at = 1 if words[0] == "run" else 0
        assert (await june(*words[:at], *options, *words[at:])).code == ExitCode.OK
    assert [request.task for request in world.asked("prepare")] == ["list"] * 3


@pytest.mark.parametrize(
    "words",
    [
        ["lits"],
        ["list", "all", "files"],
        ["fix", "it", "--workspace", "."],
        ["fix it", "--workspace", "/nowhere"],
        ["fix it", "--workspace", __file__],
        [" ", "--workspace", "."],
        ["x" * 20_001, "--workspace", "."],
        ["\udcff", "--workspace", "."],
        ["fix it", "--workspace", ".", "--steps", "0"],
        ["fix it", "--workspace", ".", "--yes", "--detach"],
        ["say", "name", " "],
        ["say", "name", "x" * 2001],
        ["apply"],
    ],
)
async def test_wrong_usage_starts_nothing(words: list[str]) -> None:
    assert (await june(*words)).code == ExitCode.USAGE


async def test_too_large_a_folder_is_refused(world: CodingWorld, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_SANDBOX_WORKSPACE_FILES", "10")
    for number in range(20):
        (folder / f"{number}.txt").touch()
    done = await run(folder)
    assert done.code == ExitCode.FAULT
    assert done.err.endswith("(workspace-too-large)")
    assert world.calls == []


async def test_nothing_that_a_model_or_a_file_says_steers_the_terminal(world: CodingWorld, folder: Path) -> None:
    world.steps = (
        Step("run", "run printf '\x1b]0;owned\x07'", "\x1b[2J"),
        STEPS[1],
        FINISH._replace(summary="All \x1b[8mgood\x1b[0m \u202e.[bold]"),
    )
    world.behaviours["act"] = writing(world, "x = '\x1b[31m\u202e[red]'\n".encode(), "a [b].py")
    done = await run(folder, "--yes")
    assert done.code == ExitCode.OK
    assert not set(done.out) & {"\x1b", "\x07", "\u202e"}
    assert "+x = '\\x1b[31m\\u202e[red]'" in done.lines
    assert "the agent says: All \\x1b[8mgood\\x1b[0m \\u202e.[bold]" in done.lines
    assert done.lines[-1] == f"{folder}: wrote a [b].py"
    patch = await june("diff", done.task)
    assert "\x1b[31m" in patch.out, "byte by byte, where it goes to a file"


@pytest.mark.parametrize("command", ["run", "attach", "list", "status", "say", "pause", "cancel", "diff", "apply"])
def test_help(command: str) -> None:
    assert CliRunner().invoke(code.app, [command, "--help"]).exit_code == 0
    assert command in CliRunner().invoke(code.app, ["--help"]).stdout


@asynccontextmanager
async def on_terminal(world: CodingWorld, folder: Path) -> AsyncIterator[tuple[Terminal, asyncio.Event]]:
    """Run ``june code`` on a terminal up to its second step, which waits for the event."""
    began, go_on = asyncio.Event(), asyncio.Event()
    write, hold = world.behaviours["act"], hold_step(2, began, go_on)

    async def behaviour(request: ActRequest) -> Acted | None:
        await hold(request)
        answer: Acted | None = await write(request)
        return answer

    world.behaviours["act"] = behaviour
    command = (sys.executable, "-m", "workers.cli", "code", "Make it add up.", "--workspace", str(folder))
    async with terminal(command, {}) as shown:
        await asyncio.wait_for(began.wait(), 60)
        await shown.shows("acting: write calc.py")
        yield shown, go_on


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "content", "told"), [("y\n", RIGHT, "wrote calc.py"), ("\n", WRONG, "not applied"), (CTRL_C, WRONG, "not")]
)
async def test_somebody_at_a_terminal_is_asked(
    world: CodingWorld, folder: Path, keys: str, content: bytes, told: str
) -> None:
    async with on_terminal(world, folder) as (shown, go_on):
        go_on.set()
        await shown.shows("Apply to")
        assert "\x1b[32m+    return a + b" in shown.raw
        shown.press(keys)
        await shown.shows(told)
        assert await asyncio.wait_for(shown.process.wait(), 60) == ExitCode.OK
    assert (folder / "calc.py").read_bytes() == content


@pytest.mark.slow
async def test_ctrl_c_leaves_a_task_running(world: CodingWorld, folder: Path, client: Client) -> None:
    async with on_terminal(world, folder) as (shown, go_on):
        shown.press(CTRL_C)
        await shown.shows("goes on: june code attach")
        assert await asyncio.wait_for(shown.process.wait(), 60) == ExitCode.INTERRUPTED
        assert "Traceback" not in shown.text
        (name,) = set(re.findall(r"june code attach (\S+),", shown.text))
        go_on.set()
    attached = await june("attach", name, "--yes")
    assert (attached.code, attached.lines[-1]) == (ExitCode.OK, f"{folder}: wrote calc.py")
