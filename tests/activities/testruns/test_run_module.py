"""A module's tests in a process of their own, whatever they do to it: real processes of pytest."""

import asyncio
import dataclasses
import sys
from pathlib import Path

import psutil
import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.blobs import BlobStore
from activities.processes.workspace import Workspace
from activities.testruns.module_attempt import RunModuleRequest
from activities.testruns.results import ModuleReport
from activities.testruns.run_module import AttemptProgress, RunModuleActivity
from activities.testruns.selection import Selection
from tests.support.suites import GOOD, HANG, MIXED, outcomes, tagged, workspace, write_suite
from tests.support.waiting import until

pytestmark = pytest.mark.slow

LEAVES = """
import os, pathlib, subprocess, sys, time

def test_leaves_children():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    pathlib.Path(os.environ["JUNE_TESTS_ARTEFACTS"], "began.txt").write_text("yes")
    time.sleep(float(os.environ.get("JUNE_SECONDS", "0")))
"""
PRINTS = """
def test_prints():
    for _ in range(100):
        print("x" * 1_000_000)
    assert False, "after 100 MB"

def test_after():
    pass
"""


class Runner:
    """Runs modules of a suite as the activity does."""

    def __init__(self, place: Workspace, root: Path, server: WorkflowEnvironment) -> None:
        self.place = place
        self.blobs = BlobStore.open("memory://")
        self.activity = RunModuleActivity(place, root, self.blobs)
        self.environment = ActivityEnvironment(client=server.client)
        self.beats: list[AttemptProgress] = []
        self.environment.on_heartbeat = lambda *details: self.beats.extend(details)

    async def run(self, module: str, **fields: object) -> ModuleReport:
        request = RunModuleRequest.model_validate({"module": module, "seconds_a_test": 60} | fields)
        return await self.environment.run(self.activity.run_module, request)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return write_suite(
        tmp_path / "suite",
        test_good=GOOD,
        test_mixed=MIXED,
        test_hang=HANG,
        test_leaves=LEAVES,
        test_prints=PRINTS,
    )


@pytest.fixture
def runner(place: Workspace, suite: Path, dev_server: WorkflowEnvironment) -> Runner:
    return Runner(place, suite, dev_server)


async def test_every_outcome_is_told(runner: Runner) -> None:
    report = await runner.run("test_mixed.py")
    assert outcomes(report) == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_error": "error",
        "test_skipped": "skipped",
        "test_xfailed": "xfailed",
        "test_xpassed": "xpassed",
        "test_last": "passed",
    }
    messages = {one.node.partition("::")[2]: one.message for one in report.cases}
    assert messages["test_fails"].startswith("test_mixed.py:8: AssertionError: one is not two")
    assert "no database" in messages["test_error"]
    assert "not today" in messages["test_skipped"]
    assert report.log
    assert b"one is not two" in await runner.blobs.get(report.log)
    assert report.log_end.rstrip().endswith("=")
    assert list(runner.place.folder.iterdir()) == [runner.place.folder / "lock"], "nothing is left on the disk"


async def test_a_selection_is_kept(runner: Runner) -> None:
    selection = Selection(tests=("test_mixed.py", "test_good.py::test_two[de]"))
    report = await runner.run("test_good.py", selection=selection)
    assert outcomes(report) == {"test_two[de]": "passed"}
    report = await runner.run("test_good.py", selection=Selection(keyword="one or en"))
    assert outcomes(report) == {"test_one": "passed", "test_two[en]": "passed"}


async def test_a_hundred_megabytes_of_output_are_bounded(runner: Runner) -> None:
    before = psutil.Process().memory_info().rss
    report = await runner.run("test_prints.py")
    assert outcomes(report) == {"test_prints": "failed", "test_after": "passed"}
    assert report.log
    assert report.log.bytes < 1_100_000
    assert b"bytes left out" in await runner.blobs.get(report.log)
    assert len(report.log_end) < 7000
    assert psutil.Process().memory_info().rss < before + 50e6


async def test_children_that_left_their_session_are_killed_and_artefacts_kept(runner: Runner) -> None:
    report = await runner.run("test_leaves.py")
    assert outcomes(report) == {"test_leaves_children": "passed"}
    (artefact,) = report.artefacts
    assert artefact.name == "began.txt"
    assert await runner.blobs.get(artefact.blob) == b"yes"
    assert tagged(runner.place) == []


async def test_cancel_leaves_no_process_and_gives_what_there_is(runner: Runner) -> None:
    running = asyncio.create_task(runner.run("test_hang.py"))
    await until(lambda: any(beat.current.endswith("test_hangs") for beat in runner.beats))
    assert tagged(runner.place)
    runner.environment.cancel(ActivityCancellationDetails(cancel_requested=True))
    report = await running
    assert outcomes(report) == {"test_before": "passed", "test_hangs": "cancelled", "test_after": "cancelled"}
    assert report.log
    assert tagged(runner.place) == []


async def test_a_worker_that_stops_gives_the_module_back(runner: Runner) -> None:
    running = asyncio.create_task(runner.run("test_hang.py"))
    await until(lambda: any(beat.current for beat in runner.beats))
    runner.environment.cancel(ActivityCancellationDetails(worker_shutdown=True))
    with pytest.raises(asyncio.CancelledError):
        await running
    assert tagged(runner.place) == []


async def test_the_next_attempt_says_what_became_of_the_last(runner: Runner) -> None:
    last = AttemptProgress(attempt=1, ended=1, current="test_good.py::test_one")
    info = dataclasses.replace(runner.environment.info, attempt=2, heartbeat_details=[last.model_dump()])
    runner.environment.info = info
    report = await runner.run("test_good.py")
    assert report.attempts == 2
    assert report.notes == ("attempt 1 was lost with its worker after 1 of its tests, in test_good.py::test_one",)


WORKER = """
import asyncio, sys
from pathlib import Path
from activities.testruns.module_attempt import ModuleAttempt, RunModuleRequest
from tests.support.suites import workspace

folder = Path(sys.argv[1])
opened = workspace(folder / "workspace")
print(opened.folder, flush=True)
asyncio.run(ModuleAttempt(opened, folder / "suite", RunModuleRequest(module="test_leaves.py"), folder).run())
"""


async def test_what_a_dead_worker_left_behind_is_cleared_away(tmp_path: Path) -> None:
    """Its pytest dies with it; the child that the test put into a session of its own when the next worker starts."""
    write_suite(tmp_path / "suite", test_leaves=LEAVES.replace('"0"', '"600"'))
    command = (sys.executable, "-c", WORKER, str(tmp_path))
    worker = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert worker.stdout
    dead = (await worker.stdout.readline()).decode().strip()
    await until((tmp_path / "began.txt").exists)
    processes = psutil.Process(worker.pid).children(recursive=True)
    assert len(processes) == 2
    worker.kill()
    await until(lambda: sum(map(alive, processes)) == 1)
    workspace(tmp_path / "another june's")
    assert sum(map(alive, processes)) == 1
    opened = workspace(tmp_path / "workspace")
    assert not any(map(alive, processes))
    assert opened.folder in list(opened.folder.parent.iterdir())
    assert dead not in map(str, opened.folder.parent.iterdir())
    await worker.wait()


def alive(process: psutil.Process) -> bool:
    """Tell whether a process runs; one that only waits to be collected by init does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
