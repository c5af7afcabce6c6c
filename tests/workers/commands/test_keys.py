"""``june keys``: made once, listed without secrets, rotated at once or in two steps."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workers.commands.keys import app
from workers.encryption.keys import KeyRingError, read_ring
from workers.errors import JuneError


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    monkeypatch.delenv("JUNE_ENCRYPTION_KEY_FILE", raising=False)
    return tmp_path / "keys.json"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_keys_are_made_once(file: Path) -> None:
    assert "made" in run("make")
    ring = read_ring(file)
    assert "there already" in run("make")
    assert read_ring(file) == ring


def test_the_list_shows_no_secret(file: Path) -> None:
    run("make")
    run("rotate")
    first, second = read_ring(file).keys
    listed = json.loads(run("list", "--json"))
    assert [(key["id"], key["active"]) for key in listed["keys"]] == [(first.id, False), (second.id, True)]
    for text in (run("list"), json.dumps(listed)):
        assert first.id in text
        assert first.secret.get_secret_value() not in text


def test_a_rotation_in_two_steps(file: Path) -> None:
    run("make")
    (first,) = read_ring(file).keys
    assert "reads" in run("rotate", "--later")
    ring = read_ring(file)
    assert (len(ring.keys), ring.active) == (2, first.id)
    run("use", ring.keys[1].id)
    assert read_ring(file).active == ring.keys[1].id


def test_without_a_ring_there_is_nothing_to_rotate() -> None:
    for command in ("rotate", "list"):
        with pytest.raises(KeyRingError):
            run(command)


def test_keys_of_a_kms_are_rotated_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_ENCRYPTION_KEYS_FROM", "our_kms:fetch")
    with pytest.raises(JuneError, match="our_kms"):
        run("rotate")
