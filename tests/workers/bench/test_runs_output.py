"""Benchmark runs on the terminal."""

import json
from datetime import UTC, datetime

import pytest

from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode
from workers.bench import runs_output as output
from workers.clients.benchmarks import ListedRun
from workflows.benchmarks.contracts import BenchmarkReport, BenchmarkStatus, RunOutcome

Captured = pytest.CaptureFixture[str]
STATUS = BenchmarkStatus(
    run="a-run",
    mode=Mode.AGENT,
    data_set="set",
    model="small",
    outcome=RunOutcome.RUNNING,
    parallel=2,
    planned=1000,
    done=3,
    counts={AttemptOutcome.SOLVED: 2, AttemptOutcome.WRONG: 1},
    running=("t/3 #0",),
    tokens=12345,
    last=(Attempt(task="t/2", outcome=AttemptOutcome.WRONG, why="x\x1b[2J"),),
    elapsed_seconds=75,
)
REPORT = BenchmarkReport(
    outcome=RunOutcome.FAILED, code="task-unknown", reason="No such task.", attempts=0, planned=0, seconds=1
)


def test_how_far_a_run_is() -> None:
    far = output.far(STATUS)
    assert far == "3 of 1,000 attempts, 2 solved, 1 wrong, 12,345 tokens, 1:15, 2 at once"
    assert output.far(STATUS.model_copy(update={"planned": 0, "paused": True})).endswith("(paused: june bench resume)")


def test_a_status_cannot_steer_the_terminal(capsys: Captured) -> None:
    output.show_status("a-run", STATUS)
    out = capsys.readouterr().out
    assert "a-run: set, agent, small" in out
    assert "now: t/3 #0" in out
    assert "\x1b[2J" not in out


def test_a_failed_run_says_why(capsys: Captured) -> None:
    output.show_status("a-run", STATUS.model_copy(update={"report": REPORT}))
    assert "No such task. (task-unknown)" in capsys.readouterr().out


async def test_each_attempt_is_shown_once(capsys: Captured) -> None:
    async def news() -> object:
        for status in (None, STATUS, STATUS):
            yield status

    await output.show_progress(news())  # type: ignore[arg-type]
    assert capsys.readouterr().err.count("t/2 #0") == 1


def test_a_list(capsys: Captured) -> None:
    listed = [
        ListedRun(
            id="bench/a-run",
            data_set="set",
            model="small",
            outcome=RunOutcome.FINISHED,
            started_at=datetime(2026, 1, 2, tzinfo=UTC),
            report=BenchmarkReport(outcome=RunOutcome.FINISHED, attempts=7, score="pass@1 0.5"),
        )
    ]
    output.show_runs(listed, as_json=False)
    out = capsys.readouterr().out
    assert all(word in out for word in ("a-run", "set", "small", "7", "pass@1 0.5", "2026-01-02"))
    output.show_runs(listed, as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["id"] == "bench/a-run"
