"""One stack a home."""

import os
import stat
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


def test_a_state_that_is_garbage_is_none(tmp_path: Path) -> None:
    with instance.lock(tmp_path):
        for garbage in (b"", b"{", b"\xff\xfe", b"[]", b'{"pid": "x"}'):
            (tmp_path / "state.json").write_bytes(garbage)
            assert instance.running(tmp_path) is None
            assert instance.is_held(tmp_path)
        (tmp_path / "state.json").unlink()
        (tmp_path / "state.json").mkdir()
        assert instance.running(tmp_path) is None
        instance.forget_state(tmp_path)


def test_links_in_the_home_lead_nowhere(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.write_text("precious")
    for name in ("june.lock", "state.draft", "state.json"):
        (home / name).symlink_to(elsewhere)
    assert not instance.is_held(home)
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        instance.lock(home)
    (home / "june.lock").unlink()
    with instance.lock(home):
        instance.write_state(home, STATE)
        assert instance.running(home) == STATE
    assert elsewhere.read_text() == "precious"


def test_what_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with instance.lock(tmp_path / "home"):
            instance.write_state(tmp_path / "home", STATE)
            modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "home").iterdir()}
    finally:
        os.umask(before)
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
