"""Where a worker's tests run, and what becomes of it when the worker dies: real processes."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.processes.workspace import TAG, Workspace, kill_tagged

WORKER = """
import os, subprocess, sys
from pathlib import Path
from activities.processes.workspace import TAG, Workspace

workspace = Workspace.open(Path(sys.argv[1]), {})
tagged = os.environ | {TAG: workspace.tag("a test")}
child = subprocess.Popen(["sleep", "600"], env=tagged, start_new_session=True, stdout=subprocess.DEVNULL)
print(workspace.folder, flush=True)
child.wait()
"""


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for child in started:
        child.kill()
        child.wait()


def tagged(tag: str) -> subprocess.Popen[bytes]:
    """Start a process with a tag, in a session of its own."""
    return subprocess.Popen(["sleep", "600"], env=os.environ | {TAG: tag}, start_new_session=True)


def test_all_processes_of_a_tag_are_killed_and_no_others(
    tmp_path: Path, children: list[subprocess.Popen[bytes]]
) -> None:
    workspace = Workspace.open(tmp_path, {})
    children += [tagged(workspace.tag(work)) for work in ("one", "one", "another")]
    kill_tagged(workspace.tag("one"))
    assert [child.poll() is None for child in children] == [False, False, True]


def test_workers_that_live_keep_their_folders_and_processes(
    tmp_path: Path, children: list[subprocess.Popen[bytes]]
) -> None:
    first = Workspace.open(tmp_path / "tests", {})
    children.append(tagged(first.tag("one")))
    second = Workspace.open(tmp_path / "tests", {})
    assert first.folder != second.folder
    assert first.folder.is_dir()
    assert children[0].poll() is None
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tests", first.folder)] == [0o700, 0o700]


def test_what_a_dead_worker_left_is_cleared_away_by_the_next_of_its_home(tmp_path: Path) -> None:
    home = tmp_path / "tests"
    with subprocess.Popen([sys.executable, "-c", WORKER, str(home)], stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        folder = Path(worker.stdout.readline().decode().strip())
        worker.kill()
    Workspace.open(tmp_path / "another home", {})
    assert folder.is_dir()
    assert living(folder) == 1
    Workspace.open(home, {})
    assert not folder.exists()
    assert living(folder) == 0


def living(folder: Path) -> int:
    """Count processes with a tag of this folder."""
    count = 0
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            count += f"{TAG}={folder}#".encode() in environment.read_bytes()
        except OSError:  # it has ended, or is another user's
            continue
    return count
