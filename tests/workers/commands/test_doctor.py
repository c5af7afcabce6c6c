"""What the doctor finds in homes and on ports of all kinds."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import start_dev_server
from tests.support.ports import free_port
from workers.commands.doctor import (
    check_codecs,
    check_disk,
    check_model_server,
    check_models,
    check_ports,
    check_python,
    check_server,
)
from workers.local import instance
from workers.local.free_ports import own_ports
from workers.settings import LlmSettings, StorageSettings, TelemetrySettings, environment
from workers.temporal import connect, ensure_search_attributes


def test_this_python_is_fine() -> None:
    assert check_python().ok


def test_disk_of_a_home_that_is_not_there_yet(tmp_path: Path) -> None:
    finding = check_disk(tmp_path / "not" / "yet")
    assert "GB free" in finding.found


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


async def test_no_model_server() -> None:
    finding = await check_model_server(LlmSettings(base_url=""), own_ports())
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
