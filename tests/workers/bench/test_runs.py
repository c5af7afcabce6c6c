"""``june bench run`` and its like, with model and sandbox scripted, on a real server."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment
from typer.testing import CliRunner

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.report import Reported, ReportRequest
from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage, Owner
from tests.support.benchmark_world import Behaviour, BenchmarkWorld, benchmarks, until_set
from tests.support.terminal import CTRL_C, terminal
from tests.support.waiting import until
from workers.bench import cli
from workers.clients import benchmarks as runs
from workers.clients.pollers import living_pollers
from workers.errors import ExitCode, JuneError, explain
from workers.settings import StorageSettings
from workflows.names import GPU_QUEUE, SANDBOX_QUEUE


@pytest.fixture
async def world(
    dev_server: WorkflowEnvironment, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BenchmarkWorld]:
    """Workers for the queues of a run, and a home."""
    assert address
    monkeypatch.setenv("JUNE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(runs, "POLL_SECONDS", 0.05)
    async with benchmarks(dev_server.client, BenchmarkWorld()) as world:
        for queue in (GPU_QUEUE, SANDBOX_QUEUE):
            await until(lambda queue=queue: living_pollers(dev_server.client, queue))
        world.behaviours["report"] = reporting(world)
        yield world


def reporting(world: BenchmarkWorld) -> Behaviour:
    """Store a report in the home."""

    async def report(request: ReportRequest) -> Reported:
        storage = CodingStorage(BlobStore.open(StorageSettings().blobs))
        owner = Owner(platform="bench", chat=request.pinned.run)
        attempts = world.reported(request)
        lines = "\n".join(attempt.model_dump_json() for attempt in attempts).encode()
        solved = sum(attempt.outcome is AttemptOutcome.SOLVED for attempt in attempts)
        return Reported(
            score=f"pass@1 {solved}/{len(attempts)}",
            results_jsonl=await storage.put(owner, lines, "application/jsonl", "jsonl"),
            report_json=await storage.put(owner, b'{"score": 1}\n', "application/json", "json"),
            report_html=await storage.put(owner, b"<html></html>", "text/html", "html"),
        )

    return report


async def june(*arguments: str) -> tuple[int, str]:
    """Run ``june bench``; an expected error is what it is to ``june``, a sentence and a code."""
    environment = {"COLUMNS": "200", "TERM": "dumb"}
    done = await asyncio.to_thread(CliRunner().invoke, cli.app, arguments, env=environment)
    if isinstance(done.exception, JuneError):
        sentence, exit_code = explain(done.exception)
        return exit_code, sentence
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


async def test_a_run_is_followed_reported_and_deleted(world: BenchmarkWorld, tmp_path: Path) -> None:
    code, out = await june("run", "scripted", "--first", "3", "--temperature", "0.5", "--seed", "9", "--model", "m")
    assert code == ExitCode.OK
    assert "solved         Set/0 #0" in out
    assert "wrong          Set/2 #0  1 of 3 checks passed." in out
    assert "finished: 3 of 3 attempts" in out
    assert "2 solved, 1 wrong" in out
    assert "pass@1 2/3" in out
    name = out.split()[0]
    pinned = world.asked("report")[-1].pinned
    assert (pinned.temperature, pinned.seed, pinned.model) == (0.5, 9, "m")
    folder = tmp_path / "report"
    code, out = await june("report", name, "--to", str(folder))
    assert code == ExitCode.OK
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json", "results.jsonl"]
    lines = (folder / "results.jsonl").read_text().splitlines()
    assert [Attempt.model_validate_json(line).task for line in lines] == ["Set/0", "Set/1", "Set/2"]
    assert (await june("report", name))[1] == '{"score": 1}\n'
    code, out = await june("status", name, "--json")
    assert (code, json.loads(out)["done"]) == (ExitCode.OK, 3)
    assert "pass@1 2/3" in (await june("status", name))[1]
    await until(lambda: _is_listed(name))
    code, out = await june("delete", name)
    assert (code, "deleted, with 3 files" in out) == (ExitCode.OK, True), out


async def _is_listed(name: str) -> bool:
    return name in (await june("list"))[1]


async def test_a_run_in_json(world: BenchmarkWorld) -> None:
    code, out = await june("run", "scripted", "--task", "Set/1", "--samples", "2", "--json")
    result = json.loads(out)
    assert (code, result["report"]["counts"]) == (ExitCode.OK, {"solved": 2})
    assert world.asked("plan")[-1].tasks == ("Set/1",)


async def test_a_run_is_steered_from_elsewhere(world: BenchmarkWorld) -> None:
    go_on = asyncio.Event()
    world.behaviours["complete"] = until_set(go_on)
    code, out = await june("run", "scripted", "--detach")
    name = out.split()[0]
    assert (code, f"june bench status {name}" in out) == (ExitCode.OK, True)
    await until(lambda: len(world.asked("complete")) == 1)
    assert (await june("parallel", name, "3"))[0] == ExitCode.OK
    await until(lambda: len(world.asked("complete")) == 3)
    assert "begins no more" in (await june("pause", name))[1]
    code, out = await june("status", name)
    assert "paused: june bench resume" in out
    assert "now: Set/0 #0, Set/1 #0, Set/2 #0" in out
    assert "goes on" in (await june("resume", name))[1]
    code, out = await june("cancel", name)
    assert (code, "cancelled: 0 of 6 attempts" in out) == (ExitCode.OK, True), out
    assert (await june("status", name))[0] == ExitCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("run", "scripted", "--task", "no/such"), ExitCode.UNAVAILABLE, "scripted has no task no/such"),
        (("run", "scripted", "--option", "x"), ExitCode.USAGE, "--option wants K=V"),
        (("run", "scripted", "--parallel", "99"), ExitCode.USAGE, "less than or equal to 32"),
        (("run", ""), ExitCode.USAGE, "data_set"),
        (("status", "nothing"), ExitCode.FAULT, "There is no run nothing: june bench list"),
        (("report", "nothing"), ExitCode.FAULT, "There is no run nothing"),
    ],
)
async def test_what_is_wrong_is_told(
    world: BenchmarkWorld, arguments: tuple[str, ...], code: ExitCode, told: str
) -> None:
    ended, out = await june(*arguments)
    assert (ended, told in out) == (code, True), out
    assert not world.asked("complete")


async def test_options_are_numbers_or_words(world: BenchmarkWorld) -> None:
    code, _ = await june(
        *("run", "scripted", "--mode", "stt", "--first", "1", "--option", "chats=3", "--option", "noise=pink")
    )
    assert code == ExitCode.OK
    assert world.asked("measure")[-1].pinned.options == {"chats": 3.0, "noise": "pink"}


@pytest.mark.slow
async def test_ctrl_c_leaves_a_run_going(world: BenchmarkWorld) -> None:
    go_on = asyncio.Event()
    world.behaviours["complete"] = until_set(go_on)
    command = (sys.executable, "-m", "workers.cli", "bench", "run", "scripted", "--first", "1")
    async with terminal(command, {}) as shown:
        await shown.shows("0 of 1 attempts")
        shown.press(CTRL_C)
        await shown.shows("goes on: june bench status")
        assert await asyncio.wait_for(shown.process.wait(), 60) == ExitCode.INTERRUPTED
        assert "Traceback" not in shown.text
        (name,) = set(re.findall(r"june bench status (\S+),", shown.text))
    go_on.set()

    async def has_finished() -> bool:
        return "1 solved" in (await june("status", name))[1]

    await until(has_finished)


async def test_two_runs_are_compared(world: BenchmarkWorld) -> None:
    names = [(await june("run", "scripted", "--seed", seed))[1].split()[0] for seed in ("1", "2")]
    code, out = await june("compare", *names)
    assert code == ExitCode.OK
    assert all(name in out for name in names)
    assert "6 tasks in both" in out
    code, out = await june("compare", *names, "--json")
    assert (code, json.loads(out)["tasks"]) == (ExitCode.OK, 6)
    assert (await june("compare", names[0], "nothing"))[0] == ExitCode.FAULT
