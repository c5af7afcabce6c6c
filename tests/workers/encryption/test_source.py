"""Where keys come from: a file, which a rotation changes while june runs, an operator's function, or nowhere."""

import logging
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.logs import june_records
from workers.encryption import source
from workers.encryption.keys import KeyRing, KeyRingError, add_key, make_ring, new_key, read_ring
from workers.encryption.source import Keys, configured_keys
from workers.settings import EncryptionSettings, StorageSettings


@pytest.fixture
def storage(tmp_path: Path) -> StorageSettings:
    return StorageSettings(home=tmp_path)


SETTINGS = EncryptionSettings(key_file="", keys_from="")


def test_without_a_file_nothing_is_encrypted(storage: StorageSettings) -> None:
    keys = configured_keys(storage, SETTINGS)
    assert (keys.active_id, keys.active(), keys.find("any")) == ("", None, None)


def test_a_home_with_keys_is_encrypted(storage: StorageSettings) -> None:
    make_ring(storage.home / "keys.json")
    keys = configured_keys(storage, SETTINGS)
    assert keys.active_id == read_ring(storage.home / "keys.json").active
    assert keys.find(keys.active_id) is not None


def test_a_file_that_is_named_must_be_there(storage: StorageSettings) -> None:
    with pytest.raises(KeyRingError):
        configured_keys(storage, EncryptionSettings(key_file=str(storage.home / "other.json")))


def test_a_rotation_reaches_a_process_that_runs(storage: StorageSettings) -> None:
    file = storage.home / "keys.json"
    make_ring(file)
    keys = configured_keys(storage, SETTINGS)
    first = keys.active_id
    added = add_key(file, activate=False)
    assert keys.find(added.id) is not None
    assert keys.active_id == first
    second = add_key(file, activate=True)
    assert keys.active_id == second.id
    assert keys.find(first) is not None


def test_a_file_that_breaks_meanwhile_changes_nothing(
    storage: StorageSettings, caplog: pytest.LogCaptureFixture
) -> None:
    file = storage.home / "keys.json"
    make_ring(file)
    keys = configured_keys(storage, SETTINGS)
    first = keys.active_id
    file.write_text("{")
    assert keys.active_id == first
    file.unlink()
    assert keys.active_id == first
    assert [record.levelno for record in june_records(caplog)] == [logging.ERROR, logging.ERROR]
    assert "the keys stay as they were" in caplog.text


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], EncryptionSettings]:
    """A module of an operator's, whose function asks a KMS."""

    def install(fetch: Callable[[], object]) -> EncryptionSettings:
        module = types.ModuleType("our_kms")
        module.fetch = fetch  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "our_kms", module)
        return EncryptionSettings(keys_from="our_kms:fetch")

    return install


Install = Callable[[Callable[[], object]], EncryptionSettings]


def test_keys_from_a_kms(storage: StorageSettings, kms: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    key, later = new_key(), new_key()
    rings = [KeyRing(active=key.id, keys=(key,)), KeyRing(active=later.id, keys=(key, later))]
    asked: list[int] = []

    def fetch() -> KeyRing:
        asked.append(1)
        return rings[min(len(asked), 2) - 1]

    keys = configured_keys(storage, kms(fetch))
    assert (keys.active_id, keys.origin) == (key.id, "our_kms:fetch")
    assert keys.find(later.id) is None
    assert len(asked) == 1, "asked again at most now and then"
    monkeypatch.setattr(source, "ASK_AGAIN_SECONDS", 0)
    assert keys.find(later.id) is not None
    assert keys.active_id == later.id
    assert len(asked) == 2


def raises() -> object:
    raise OSError("the KMS says: secret")


@pytest.mark.parametrize("fetch", [raises, lambda: None, lambda: KeyRing()])
def test_a_kms_that_gives_nothing_is_said(storage: StorageSettings, kms: Install, fetch: Callable[[], object]) -> None:
    with pytest.raises(KeyRingError, match="our_kms:fetch") as raised:
        configured_keys(storage, kms(fetch))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", ["no.such.module:fetch", "json:nothing", "json", ":"])
def test_a_name_that_leads_nowhere_is_said(storage: StorageSettings, name: str) -> None:
    with pytest.raises(KeyRingError, match="JUNE_ENCRYPTION_KEYS_FROM"):
        configured_keys(storage, EncryptionSettings(keys_from=name))


def test_no_keys_say_so() -> None:
    assert Keys.none().origin == "no keys"
