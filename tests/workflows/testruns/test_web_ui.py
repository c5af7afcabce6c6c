"""What the Temporal Web UI shows of a run."""

from activities.testruns.collect import Collected, FoundModule
from activities.testruns.results import (
    MAX_MESSAGE_CHARS,
    ModuleProgress,
    ModuleReport,
    Outcome,
    count,
    listed,
    make_result,
)
from tests.support.testrun_world import report
from workflows.one_line import GAP
from workflows.testruns import web_ui
from workflows.testruns.contracts import PageRequest, RunOutcome, RunReport
from workflows.testruns.state import RunState


def test_reports_and_details_fit_whatever_tests_say() -> None:
    """2 MB an answer, 20,000 bytes of details: with very many tests that fail in very many words."""
    results = [make_result(f"test_ä|`.py::test[{'🎤' * 2000}{n}]", Outcome.FAILED, 1, "🎤" * 3000) for n in range(3000)]
    kept = listed([make_result("test_ä.py::first", Outcome.PASSED), *results])
    assert all(result.outcome is Outcome.FAILED for result in kept), "those that went wrong first"
    module = ModuleReport(module="test_ä|`.py", cases=kept, counts=count(results))
    assert max(len(result.message) for result in kept) <= MAX_MESSAGE_CHARS
    assert len(module.model_dump_json().encode()) < 1_900_000
    state = RunState()
    state.collected(
        Collected(modules=tuple(FoundModule(path=f"test_ä|`{'x' * 300}{n}.py", tests=1) for n in range(500)))
    )
    for listed_module in state.modules:
        state.end(module.model_copy(update={"module": listed_module.path, "notes": ("ß" * 900,) * 3}))
    assert len(web_ui.of_run(state, 1).encode()) < 20_000
    assert len(state.results(PageRequest()).model_dump_json().encode()) < 1_900_000
    assert len(web_ui.in_a_line(state.report(1)).encode()) < 2_000


def test_a_run_under_way_is_a_headline_and_a_table() -> None:
    state = RunState()
    state.collected(Collected(modules=tuple(FoundModule(path=f"test_{name}.py", tests=2) for name in "abcd")))
    assert "— 8 tests: none ended yet; 0 s" in web_ui.of_run(state, 0)
    state.end(report("test_a.py", Outcome.PASSED, Outcome.FAILED, notes=("attempt 1 was lost",)))
    state.begin("test_b.py")
    state.progress(ModuleProgress(module="test_b.py", attempt=2, found=2, current="test_b.py::test_1"))
    state.begin("test_c.py")
    lines = web_ui.of_run(state, 12.4).replace(GAP, "").splitlines()
    assert lines == [
        "… **running** — 8 tests: 1 passed, 1 failed; 12 s",
        "",
        "| module | tests | ended | bad | |",
        "|---|---|---|---|---|",
        "| ✗ `test_a.py` | 2 | 2 | 1 | 0.2 s |",
        "| `test_b.py` | 2 | 0 |  | now `test_1` (attempt 2) |",
        "| `test_c.py` | 2 | 0 |  | under way |",
        "| `test_d.py` | 2 | 0 |  | waits |",
        "",
        "**Did not pass**",
        "",
        "- `test_a.py::test_1` failed: why",
        "",
        "**Notes**",
        "",
        "- test_a.py: attempt 1 was lost",
    ]


def test_of_very_many_modules_the_rest_is_counted() -> None:
    state = RunState()
    state.collected(Collected(modules=tuple(FoundModule(path=f"test_{n}.py", tests=1) for n in range(web_ui.ROWS + 5))))
    assert web_ui.of_run(state, 1).endswith("| … 5 more | | | | |")


def test_the_end_in_a_line() -> None:
    worst = tuple(make_result(f"test_a.py::test_{n}", Outcome.FAILED) for n in range(5))
    failed = RunReport(outcome=RunOutcome.FAILED, tests=9, counts={Outcome.FAILED: 4, Outcome.PASSED: 5}, worst=worst)
    names = "test_a.py::test_0, test_a.py::test_1, test_a.py::test_2, …"
    assert web_ui.in_a_line(failed) == f"4 of 9 tests did not pass: {names}"
    assert web_ui.in_a_line(RunReport(outcome=RunOutcome.ERROR, tests=0, error="no\nworker")) == "not run: no worker"
