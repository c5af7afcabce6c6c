"""What the doctor finds in homes and on ports of all kinds."""

import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import start_dev_server
from tests.support.ports import free_port
from tests.support.static_page import static_page
from tests.support.waiting import until
from workers.commands.doctor import (
    check_codecs,
    check_disk,
    check_encryption,
    check_home,
    check_model_server,
    check_models,
    check_ports,
    check_private,
    check_python,
    check_sandbox,
    check_server,
    check_voices,
    check_web_ui,
)
from workers.encryption.keys import make_ring
from workers.engines import espeak
from workers.engines.espeak import open_library
from workers.local import instance
from workers.local.free_ports import own_ports
from workers.models.catalogue import voices
from workers.ports import listening
from workers.settings import (
    EmbeddedSettings,
    EncryptionSettings,
    LlmSettings,
    PiperSettings,
    SandboxSettings,
    StorageSettings,
    TelemetrySettings,
    WebSettings,
    environment,
)
from workers.temporal import connect, ensure_search_attributes


def test_this_python_is_fine() -> None:
    assert check_python().ok


def test_disk_of_a_home_that_is_not_there_yet(tmp_path: Path) -> None:
    finding = check_disk(tmp_path / "not" / "yet")
    assert "GB free" in finding.found


def test_a_sound_home(tmp_path: Path) -> None:
    assert check_home(tmp_path / "none").ok
    assert check_private(tmp_path / "none").ok
    finding = check_home(tmp_path)
    assert finding.ok
    assert "is sound" in finding.found


def test_a_damaged_database_is_found_and_kept(tmp_path: Path) -> None:
    (tmp_path / "temporal.db").write_bytes(b"garbage" * 1000)
    finding = check_home(tmp_path)
    assert (finding.ok, finding.found) == (False, "database-damaged")
    assert "start afresh" in finding.advice
    assert (tmp_path / "temporal.db").read_bytes() == b"garbage" * 1000


def test_a_database_of_an_older_june_is_found(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "temporal.db")) as connection:
        connection.execute("CREATE TABLE said (words TEXT)")
    finding = check_home(tmp_path)
    assert not finding.ok
    assert "deleted by an older june" in finding.found
    assert "Start june once more" in finding.advice


def test_a_running_june_whose_state_is_garbage(tmp_path: Path) -> None:
    with instance.lock(tmp_path):
        (tmp_path / "state.json").write_text("{")
        finding = check_home(tmp_path)
    assert (finding.ok, finding.found) == (False, "state-damaged")
    assert "stop it, and start it again" in finding.advice
    assert check_home(tmp_path).ok


def test_files_that_others_can_read_are_mended(tmp_path: Path) -> None:
    for name in ("temporal.db", *map(str, range(9))):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    tmp_path.chmod(0o755)
    finding = check_private(tmp_path)
    assert finding.ok
    assert "mended: others had access to the home itself, " in finding.found
    assert "and 6 more; now nobody else has" in finding.found
    assert stat.S_IMODE((tmp_path / "temporal.db").stat().st_mode) == 0o600
    assert check_private(tmp_path).found == f"nobody else can read {tmp_path}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to others")
def test_files_of_another_user_are_named(tmp_path: Path) -> None:
    (tmp_path / "temporal.db").touch()
    os.chown(tmp_path / "temporal.db", 12345, 12345)
    finding = check_private(tmp_path)
    assert not finding.ok
    assert finding.advice == "Of another user, and left as they are: temporal.db. Give them to this user."


def test_codecs_encode_and_decode() -> None:
    finding = check_codecs()
    assert finding.ok, finding


@pytest.fixture
def page_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the web page's port free, should june run on this machine."""
    monkeypatch.setenv("JUNE_WEB_PORT", str(free_port()))


@pytest.mark.usefixtures("page_port")
def test_a_taken_port_is_found_with_advice(tmp_path: Path) -> None:
    ports = own_ports()
    assert check_ports(tmp_path, ports).ok
    with socket.create_server(("127.0.0.1", ports.ui_port)):
        finding = check_ports(tmp_path, ports)
    assert not finding.ok
    assert f"Port {ports.ui_port} is taken by process {os.getpid()}" in finding.advice
    assert "JUNE_EMBEDDED_UI_PORT" in finding.advice


@pytest.mark.usefixtures("page_port")
def test_ports_of_the_running_june_are_its_own(tmp_path: Path) -> None:
    ports = own_ports()
    state = instance.State(pid=1, started_at="", temporal_address="", ui_url="", pids={}, ports={}, logs={})
    with socket.create_server(("127.0.0.1", ports.ui_port)), instance.lock(tmp_path):
        instance.write_state(tmp_path, state)
        assert check_ports(tmp_path, ports).ok


@contextmanager
def described(home: Path, ui_url: str | None, temporal: int) -> Iterator[None]:
    """Have a june described in a home that serves the Web UI there, and whose Temporal is this process."""
    with instance.lock(home):
        pids, ports = {"temporal": temporal}, {"temporal": 1, "bot-web": 2}
        state = instance.State(
            pid=1, started_at="", temporal_address="", ui_url=ui_url, pids=pids, ports=ports, logs={}
        )
        instance.write_state(home, state)
        yield


@pytest.fixture
def unguarded(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """A process that answers whoever asks it as Temporal's server does: its id and address."""
    (tmp_path / "api" / "v1").mkdir(parents=True)
    (tmp_path / "api" / "v1" / "namespaces").write_text("{}")
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        yield server.pid, f"http://127.0.0.1:{port}"
        server.kill()


async def test_a_web_ui_that_any_page_may_read_is_found(tmp_path: Path, unguarded: tuple[int, str]) -> None:
    (pid, url), guarded, none = unguarded, WebSettings(ui_server=""), EmbeddedSettings()
    await until(lambda: bool(listening(pid)), 10)
    with described(tmp_path, None, pid):
        finding = await check_web_ui(tmp_path, guarded, none)
        assert (finding.ok, "6665" in finding.advice) == (False, True), "not served at all"
    with described(tmp_path, "http://127.0.0.1:1", pid):
        finding = await check_web_ui(tmp_path, guarded, none)
        assert (finding.ok, finding.found) == (False, f"any page may read {url}")
    with described(tmp_path, url, 0):
        assert not (await check_web_ui(tmp_path, guarded, none)).ok
    assert not (await check_web_ui(tmp_path, WebSettings(ui_server=url), none)).ok


async def test_a_web_ui_behind_june_is_fine(tmp_path: Path) -> None:
    async with static_page() as url:
        with described(tmp_path, url.rstrip("/"), 0):
            finding = await check_web_ui(tmp_path, WebSettings(), EmbeddedSettings())
            assert (finding.ok, finding.found) == (True, f"{url.rstrip('/')}; other sites are refused")
    refused = WebSettings(ui_server="http://127.0.0.1:6665")
    assert (await check_web_ui(tmp_path / "other", refused, EmbeddedSettings(ui_port=free_port()))).ok
    nothing = await check_web_ui(tmp_path / "other", WebSettings(), EmbeddedSettings())
    assert (nothing.ok, nothing.found) == (True, "not served by june")


def test_encryption_is_found_with_its_reason(tmp_path: Path) -> None:
    storage, settings = StorageSettings(home=tmp_path), EncryptionSettings(key_file="")
    off = check_encryption(storage, settings)
    assert (off.ok, off.found.startswith("off: no keys in")) == (True, True)
    make_ring(tmp_path / "keys.json")
    on = check_encryption(storage, settings)
    assert (on.ok, on.found.startswith("on: key ")) == (True, True)
    (tmp_path / "keys.json").chmod(0o644)
    open_to_all = check_encryption(storage, settings)
    assert (open_to_all.ok, open_to_all.advice) == (False, f"chmod 600 {tmp_path / 'keys.json'}")
    (tmp_path / "keys.json").write_text("{}}")
    assert "damaged" in check_encryption(storage, settings).found
    missing = check_encryption(storage, EncryptionSettings(key_file=str(tmp_path / "other")))
    assert (missing.ok, "No such file" in missing.found) == (False, True)


def test_missing_models_are_found_with_advice(tmp_path: Path) -> None:
    findings = check_models(StorageSettings(home=tmp_path))
    assert findings[0].check == "model whisper-base"
    assert not any(finding.ok for finding in findings)
    assert "june models pull whisper-base" in findings[0].advice


def test_a_model_by_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_WHISPER_MODEL", str(tmp_path))
    assert check_models(StorageSettings(home=tmp_path))[0].found == "a path"


async def test_no_server_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{own_ports().temporal_port}")
    (finding,) = await check_server()
    assert not finding.ok
    assert "june up" in finding.advice


async def test_queues_without_workers_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # A server of its own: the shared one remembers the pollers of other tests for minutes.
    async with await start_dev_server() as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.client.service_client.config.target_host)
        monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
        await ensure_search_attributes(await connect(TelemetrySettings()))
        findings = {finding.check: finding for finding in await check_server()}
    assert findings["temporal"].ok
    assert findings["search attributes"].ok
    assert not findings["queue june-gpu"].ok
    assert "june worker gpu" in findings["queue june-gpu"].advice


async def test_no_model_server(tmp_path: Path) -> None:
    finding = await check_model_server(LlmSettings(base_url=""), tmp_path, EmbeddedSettings(llm_port=free_port()))
    assert not finding.ok
    assert "june up" in finding.advice


@pytest.mark.slow
def test_the_command_prints_json_and_fails_when_something_is_wrong(tmp_path: Path) -> None:
    settings = {"JUNE_HOME": str(tmp_path), **environment(own_ports(), LlmSettings(base_url="http://127.0.0.1:9/v1"))}
    settings["TEMPORAL_ADDRESS"] = "127.0.0.1:9"
    command = [sys.executable, "-m", "workers.cli", "doctor", "--json"]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["ok"] is False
    assert {"python", "disk", "codecs", "ports", "temporal", "model server"} <= {c["check"] for c in report["checks"]}
    assert all(check["ok"] or check["advice"] for check in report["checks"])


def test_the_voices_are_named_and_who_speaks_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = StorageSettings(home=tmp_path)
    voice = voices()["de_DE-thorsten-medium"]
    voice.folder(storage.models).mkdir(parents=True)
    for file in voice.files:
        (voice.folder(storage.models) / file.name).touch()
    settings = PiperSettings(voices=("en_US-joe-medium", str(tmp_path / "es_ES-own-medium.onnx")))
    finding = check_voices(settings, storage)
    assert finding.ok
    assert "de (de_DE-thorsten-medium), en (en_US-joe-medium), es (es_ES-own-medium)" in finding.found
    assert "espeak-ng (robotic) speaks other languages" in finding.found
    assert "june models list --voices" in finding.found
    off = check_voices(PiperSettings(fallback=False), storage)
    assert off.ok
    assert "other languages stay text" in off.found


def test_a_fallback_that_cannot_be_used_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_library.cache_clear()
    monkeypatch.setattr(espeak, "find_spec", lambda _name: None)
    finding = check_voices(PiperSettings(), StorageSettings(home=tmp_path))
    assert not finding.ok
    assert "piper-tts carries no espeakbridge" in finding.found
    assert "piper-tts" in finding.advice


@pytest.mark.slow
async def test_the_isolation_that_is_in_force_is_told() -> None:
    finding = await check_sandbox(SandboxSettings(packages=()))
    if not finding.ok:
        assert finding.found.startswith("sandbox-unavailable")
        pytest.skip(finding.advice)
    assert finding.found.startswith("bubblewrap ")
    assert "no network" in finding.found
    assert "cgroup" in finding.found + finding.advice


async def test_a_sandbox_that_is_not_there_is_told_with_what_to_install() -> None:
    finding = await check_sandbox(SandboxSettings(bwrap="/no/bwrap", packages=()))
    assert not finding.ok
    assert finding.found == "sandbox-unavailable: the coding agent runs nothing"
    assert "apt install bubblewrap" in finding.advice
