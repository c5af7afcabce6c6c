"""What the Web UI shows of a run."""

from datetime import timedelta

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from tests.support.benchmark_world import with_score
from tests.workflows.benchmarks.test_state import NOW, ended, planned
from workflows.benchmarks.contracts import RunOutcome
from workflows.benchmarks.web_ui import of_run

LATER = NOW + timedelta(seconds=60)


def test_a_run_under_way() -> None:
    state = planned(parallel=2)
    ended(state, AttemptOutcome.SOLVED)
    number, request = state.begin()
    state.end_attempt(
        number, Attempt(task=request.task, outcome=AttemptOutcome.WRONG, why="a|b", faults=("model_error",))
    )
    state.begin()
    text = of_run(state, LATER)
    assert text.startswith("… **running** — 2 of 3 attempts, 7 tokens, 60 s, 2 at once")
    assert "> set, completion, `small`" in text
    assert "**Solved so far: 50.0%** (1 of 2)" in text
    assert "Now: `c #0`" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 3
    assert "✗ `b` #0" in rows[1]
    assert "after 1 faults" in rows[1]
    assert "a¦b" in rows[1]
    assert "✓ `a` #0" in rows[2]


def test_a_paused_run_and_one_that_has_ended() -> None:
    state = planned()
    state.paused = True
    assert "**paused**" in of_run(state, LATER)
    state.end(RunOutcome.FINISHED, "", "", with_score("pass@1 1.00"), 5.0)
    text = of_run(state, LATER)
    assert text.startswith("✓ **finished**")
    assert "pass@1 1.00" in text


def test_a_run_that_is_not_planned() -> None:
    state = planned()
    state.pinned = None
    assert "0 of 0 attempts" in of_run(state, LATER)


def test_details_fit_into_what_the_server_takes() -> None:
    state = planned(samples=200, parallel=32)
    for _ in range(10):
        number, request = state.begin()
        state.end_attempt(number, Attempt(task=request.task + "ü" * 190, outcome=AttemptOutcome.OOM, why="ü" * 500))
    for _ in range(32):
        _, request = state.begin()
        state.running[number] = request.model_copy(update={"task": "ü" * 200})
    assert len(of_run(state, LATER).encode()) < 20_000
