"""Attempts at modules whose tests hang, or kill their interpreter: real processes of pytest."""

import time
from pathlib import Path

import pytest

from activities.processes.workspace import Workspace
from activities.testruns.module_attempt import ModuleAttempt, RunModuleRequest
from activities.testruns.selection import Selection
from tests.support.suites import CRASH, GOOD, HANG, outcomes, write_suite

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_suite(
        tmp_path / "suite",
        test_good=GOOD,
        test_hang=HANG,
        test_crash=CRASH,
        test_exits="import os; os._exit(3)",
        test_stops="import pytest\n\ndef test_stops():\n    pytest.exit('enough')\n\ndef test_after():\n    pass\n",
    )


async def run(place: Workspace, root: Path, module: str, **fields: object) -> ModuleAttempt:
    """Run a module to its end."""
    request = RunModuleRequest.model_validate({"module": module, "seconds_a_test": 60} | fields)
    attempt = ModuleAttempt(place, root, request, root)
    await attempt.run()
    return attempt


async def test_a_test_that_hangs_is_timed_out_and_the_others_go_on(place: Workspace, root: Path) -> None:
    began = time.monotonic()
    attempt = await run(place, root, "test_hang.py", seconds_a_test=4)
    assert outcomes(attempt.report()) == {"test_before": "passed", "test_hangs": "timed-out", "test_after": "passed"}
    assert time.monotonic() - began < 60
    assert 'test_hang.py", line 9 in test_hangs' in attempt.log.content().decode(), "the log shows where"


async def test_a_module_has_a_time_as_well(place: Workspace, root: Path) -> None:
    report = (await run(place, root, "test_hang.py", seconds=12)).report()
    assert outcomes(report) == {"test_before": "passed", "test_hangs": "timed-out", "test_after": "not-run"}
    assert "12 s were over" in report.cases[-1].message


async def test_a_test_that_kills_its_interpreter_costs_the_others_nothing(place: Workspace, root: Path) -> None:
    report = (await run(place, root, "test_crash.py")).report()
    assert outcomes(report) == {
        "test_before": "passed",
        "test_segfault": "crashed",
        "test_between": "passed",
        "test_exits": "crashed",
        "test_after": "passed",
    }
    assert "SIGSEGV" in report.cases[1].message
    assert "code 0" in report.cases[3].message


async def test_a_module_that_kills_its_interpreter_is_one_result(place: Workspace, root: Path) -> None:
    (result,) = (await run(place, root, "test_exits.py")).report().cases
    assert (result.node, result.outcome, result.message) == (
        "test_exits.py",
        "crashed",
        "its process ended with code 3",
    )


async def test_a_test_that_ends_the_run_ends_it_for_the_others(place: Workspace, root: Path) -> None:
    report = (await run(place, root, "test_stops.py")).report()
    assert outcomes(report) == {"test_stops": "error", "test_after": "not-run"}
    assert {result.message for result in report.cases} == {"enough"}


async def test_a_selection_that_is_empty_in_the_module_is_an_error(place: Workspace, root: Path) -> None:
    report = (await run(place, root, "test_good.py", selection=Selection(keyword="nothing"))).report()
    assert [(result.node, result.message) for result in report.cases] == [("test_good.py", "pytest ended with 5")]
