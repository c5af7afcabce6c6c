"""Small suites of tests, written where a run of the integration tests finds them."""

import os
from pathlib import Path

import psutil

from activities.processes.workspace import TAG, Workspace
from activities.testruns.results import ModuleReport
from workers.settings import PROJECT

GOOD = """
import pytest

def test_one():
    print("one says hello")

@pytest.mark.parametrize("language", ["de", "en"])
def test_two(language):
    pass
"""
MIXED = """
import pytest

def test_passes():
    pass

def test_fails():
    assert 1 == 2, "one is not two"

@pytest.fixture
def broken():
    raise RuntimeError("no database")

def test_error(broken):
    pass

@pytest.mark.skip(reason="not today")
def test_skipped():
    pass

@pytest.mark.xfail(reason="known")
def test_xfailed():
    assert False

@pytest.mark.xfail(reason="mended")
def test_xpassed():
    pass

def test_last():
    pass
"""
HANG = """
import time

def test_before():
    pass

def test_hangs():
    print("about to hang")
    time.sleep(600)

def test_after():
    pass
"""
CRASH = """
import ctypes, os

def test_before():
    pass

def test_segfault():
    ctypes.string_at(0)

def test_between():
    pass

def test_exits():
    os._exit(0)

def test_after():
    pass
"""
WITHOUT_DOUBLES = "[pytest]\naddopts = -p no:simcord\n"
"""simcord brings a plugin that loads discord.py, for seconds; users have none."""


def write_suite(root: Path, **modules: str) -> Path:
    """Write modules, ``name="code"``; give the suite's folder."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "pytest.ini").write_text(WITHOUT_DOUBLES)
    for name, code in modules.items():
        (root / f"{name}.py").write_text(code)
    return root


def workspace(folder: Path) -> Workspace:
    """Open a place to work in, as a worker does."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)}
    return Workspace.open(folder, environment)


def tagged(place: Workspace) -> list[int]:
    """List living processes that bear the tag of a workspace."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(TAG, "").startswith(str(place.folder)):
                found.append(process.pid)
        except psutil.Error:  # gone, or somebody else's
            continue
    return found


def outcomes(report: ModuleReport) -> dict[str, str]:
    """Return the outcome of each test by its name within the module."""
    return {result.node.partition("::")[2]: result.outcome.value for result in report.cases}
