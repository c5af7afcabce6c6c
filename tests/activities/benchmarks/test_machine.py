"""What a run is done on."""

import re
from pathlib import Path

import pytest

from activities.benchmarks import machine as module
from activities.benchmarks.machine import code_version, machine


def test_the_machine_in_a_line() -> None:
    assert re.fullmatch(r".+, \d+ cores?, \d+ GiB", machine())


def test_the_version_has_the_commit_of_a_checkout() -> None:
    assert re.search(r", commit [0-9a-f]{12}", code_version())


def test_without_a_checkout_there_is_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "CHECKOUT", tmp_path)
    assert "commit" not in code_version.__wrapped__()
