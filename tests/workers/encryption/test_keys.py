"""The key ring's file: made once, for its owner alone, never half written, and rotated without losing a key."""

import json
import stat
import threading
from pathlib import Path

import pytest

from workers.encryption.keys import KeyRing, KeyRingError, activate_key, add_key, make_ring, new_key, read_ring


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys.json"


def test_it_is_made_once_for_its_owner_alone(file: Path) -> None:
    assert make_ring(file)
    first = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not make_ring(file)
    assert file.read_bytes() == first
    assert [path.name for path in file.parent.iterdir()] == ["keys.json"]


def test_a_rotation_keeps_what_was_there(file: Path) -> None:
    make_ring(file)
    (first,) = read_ring(file).keys
    second = add_key(file, activate=True)
    third = add_key(file, activate=False)
    ring = read_ring(file)
    assert (ring.keys, ring.active) == ((first, second, third), second.id)
    activate_key(file, third.id)
    assert read_ring(file).active == third.id
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len({key.raw for key in ring.keys}) == 3
    with pytest.raises(KeyRingError, match="no key other"):
        activate_key(file, "other")


def test_rotations_at_once_lose_no_key(file: Path) -> None:
    make_ring(file)
    threads = [threading.Thread(target=add_key, args=(file,), kwargs={"activate": True}) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_ring(file).keys) == 11


def test_makers_at_once_make_one_ring(file: Path) -> None:
    made: list[bool] = []
    threads = [threading.Thread(target=lambda: made.append(make_ring(file))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [*9 * [False], True]
    assert len(read_ring(file).keys) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"active": "another"}, "active"),
        ({"keys": [{"id": "a", "created_at": "2026-01-01T00:00:00Z", "secret": "c2hvcnQ="}]}, "32 bytes"),
        ({"keys": [{"id": "a", "created_at": "2026-01-01T00:00:00Z", "secret": "no base64!"}]}, "32 bytes"),
        ({"keys": [{"id": "a b", "created_at": "2026-01-01T00:00:00Z", "secret": "c2hvcnQ="}]}, "pattern"),
    ],
)
def test_a_ring_that_is_none_is_said_without_its_keys(file: Path, change: dict[str, object], said: str) -> None:
    make_ring(file)
    ring = json.loads(file.read_text())
    file.write_text(json.dumps(ring | change))
    with pytest.raises(KeyRingError, match=said) as raised:
        read_ring(file)
    assert ring["keys"][0]["secret"] not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_missing_file_is_said(file: Path) -> None:
    with pytest.raises(KeyRingError, match="No such file"):
        read_ring(file)
    file.parent.mkdir()
    (file.parent / "keys").write_text("")
    with pytest.raises(KeyRingError, match="written"):
        make_ring(file.parent / "keys" / "keys.json")


def test_two_keys_of_one_id_are_no_ring() -> None:
    key = new_key()
    with pytest.raises(ValueError, match="same id"):
        KeyRing(active=key.id, keys=(key, key))


def test_keys_are_not_shown() -> None:
    key = new_key()
    secret = key.secret.get_secret_value()
    assert secret not in repr(key)
    assert secret not in str(KeyRing(active=key.id, keys=(key,)))
