"""Hostile files: each gets its code within bounded time and memory, and the worker lives on."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile_files import FILES, MAX_BYTES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
MOST_SECONDS = 10.0
"""Of a processor."""
MOST_MB = 200.0
GOOD = "zz-good"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Fetch all hostile files, and then a good one, in one process of its own."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, (make, _) in FILES.items():
        (folder / name).write_bytes(make())
    (folder / GOOD).write_bytes((ROOT / "tests/data/jfk.flac").read_bytes())
    command = [sys.executable, "-m", "tests.support.fetch_folder", str(folder), str(MAX_BYTES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=250)
    result: dict[str, Any] = json.loads(done.stdout)
    return result | {"files": {file["name"]: file for file in result["files"]}}


def test_there_are_enough() -> None:
    assert len(FILES) >= 20


@pytest.mark.parametrize("name", FILES)
def test_each_gets_its_code_in_time(outcome: dict[str, Any], name: str) -> None:
    file = outcome["files"][name]
    assert file["code"] == FILES[name][1]
    assert file["took"] < MOST_SECONDS


def test_lies_about_duration_are_not_believed(outcome: dict[str, Any]) -> None:
    assert outcome["files"]["flac-claims-hours"]["seconds"] == pytest.approx(1, abs=0.05)
    assert outcome["files"]["wav-claims-hours"]["seconds"] == pytest.approx(1, abs=0.05)


def test_memory_is_bounded(outcome: dict[str, Any]) -> None:
    assert len(outcome["grown_mb"]) == 2, "the worker and its decoder"
    assert max(outcome["grown_mb"]) < MOST_MB


def test_the_worker_lives_on(outcome: dict[str, Any]) -> None:
    assert outcome["files"][GOOD]["code"] is None
    assert outcome["files"][GOOD]["seconds"] == pytest.approx(11, abs=0.05)
