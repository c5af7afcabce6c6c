"""One stack a home."""

from pathlib import Path

import pytest

from workers.errors import UnavailableError
from workers.local import instance

STATE = instance.State(pid=1, started_at="now", temporal_address="a:1", ui_url="http://a", pids={}, ports={}, logs={})


def test_a_home_has_one_holder(tmp_path: Path) -> None:
    with (
        instance.lock(tmp_path),
        pytest.raises(UnavailableError, match=r"june is already running in .* \(process \d+\)"),
    ):
        instance.lock(tmp_path)
    instance.lock(tmp_path).close()


def test_only_a_held_home_runs(tmp_path: Path) -> None:
    assert instance.running(tmp_path) is None
    instance.write_state(tmp_path, STATE)
    assert instance.running(tmp_path) is None
    with instance.lock(tmp_path):
        assert instance.running(tmp_path) == STATE
        instance.forget_state(tmp_path)
        assert instance.running(tmp_path) is None
    assert instance.running(tmp_path) is None
