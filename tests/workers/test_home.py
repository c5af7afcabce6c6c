"""One stack a home."""

from pathlib import Path

import pytest

from workers import home
from workers.errors import UnavailableError

STATE = home.State(pid=1, started_at="now", temporal_address="a:1", ui_url="http://a", pids={}, ports={}, logs={})


def test_a_home_has_one_holder(tmp_path: Path) -> None:
    with home.lock(tmp_path), pytest.raises(UnavailableError, match=r"june is already running in .* \(process \d+\)"):
        home.lock(tmp_path)
    home.lock(tmp_path).close()


def test_only_a_held_home_runs(tmp_path: Path) -> None:
    assert home.running(tmp_path) is None
    home.write_state(tmp_path, STATE)
    assert home.running(tmp_path) is None
    with home.lock(tmp_path):
        assert home.running(tmp_path) == STATE
        home.forget_state(tmp_path)
        assert home.running(tmp_path) is None
    assert home.running(tmp_path) is None
