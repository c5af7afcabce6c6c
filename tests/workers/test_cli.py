"""The command as people call it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workers import cli
from workers.cli import app
from workers.errors import ExitCode
from workers.local import instance
from workers.local.free_ports import own_ports

pytestmark = pytest.mark.slow

JUNE = (sys.executable, "-m", "workers.cli")


def june(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*JUNE, *arguments], env=os.environ | settings, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    "command", ["up", "talk", "demo", "worker", "bot", "code", "doctor", "models", "bench", "tests", "settings"]
)
def test_help_says_what_there_is(command: str) -> None:
    runner = CliRunner()
    assert command in runner.invoke(app, ["--help"]).stdout
    assert runner.invoke(app, [command, "--help"]).exit_code == ExitCode.OK


def test_wrong_usage_is_2() -> None:
    done = june("worker", "teapot")
    assert done.returncode == ExitCode.USAGE
    assert "workflows" in done.stderr


def test_a_taken_home_is_one_sentence(tmp_path: Path) -> None:
    with instance.lock(tmp_path):
        done = june("up", JUNE_HOME=str(tmp_path))
    assert done.returncode == ExitCode.UNAVAILABLE
    assert "june is already running" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_told_without_a_traceback() -> None:
    done = june("up", JUNE_EMBEDDED_UI_PORT="many")
    assert done.returncode == ExitCode.FAULT
    assert "ui_port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_without_a_server_waits_and_stops_when_told(tmp_path: Path) -> None:
    settings = {"JUNE_HOME": str(tmp_path), "TEMPORAL_ADDRESS": f"127.0.0.1:{own_ports().temporal_port}"}
    with subprocess.Popen([*JUNE, "worker", "file"], env=os.environ | settings, stderr=subprocess.PIPE) as worker:
        deadline = time.monotonic() + 30
        while not catches(worker.pid, signal.SIGTERM) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=10) == ExitCode.OK


def catches(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has started so far that it handles a signal."""
    caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


def test_what_a_command_makes_is_for_its_owner_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "end_process", lambda _code: None)
    monkeypatch.setattr(sys, "argv", ["june", "settings"])
    before = os.umask(0)
    try:
        cli.main()
    finally:
        made = os.umask(before)
    assert made == 0o077
