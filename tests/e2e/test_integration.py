"""The integration tests pass on ``june up``, as people run them: each in a process of its own."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.conftest import NO_JUNE
from tests.workers.conftest import SMALL_MODEL, free_port, prepared_home
from workers.ports import LOOPBACK, own_ports, own_web
from workers.settings import PROJECT, LlmSettings, environment

pytestmark = [pytest.mark.e2e, pytest.mark.engines]

MEANWHILE_SECONDS = 300
NO_BOTS = {"JUNE_TELEGRAM_TOKEN": "", "JUNE_DISCORD_TOKEN": ""}
NOT_CONFIGURED = {f"set {token}" for token in NO_BOTS}
"""The only reasons to skip anything."""


@pytest.fixture
async def variables(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Run june with real engines, the smallest model and the web page; give the environment that finds it."""
    storage, ports = prepared_home(tmp_path / "home"), own_ports()
    collector = f"http://{LOOPBACK}:{free_port()}/v1/traces"
    settings = environment(storage, ports, own_web(), LlmSettings(model=SMALL_MODEL)) | NO_BOTS
    traced = settings | {"JUNE_OTLP_URL": collector, "OTEL_BSP_SCHEDULE_DELAY": "500"}
    june = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.cli", "up", "--json"),
        env=os.environ | traced,
        stdout=asyncio.subprocess.PIPE,
    )
    assert june.stdout
    try:
        assert await asyncio.wait_for(june.stdout.readline(), 90)
        named = {"TEMPORAL_ADDRESS": f"{LOOPBACK}:{ports.temporal_port}", "TEMPORAL_CONFIG_FILE": os.devnull}
        yield settings | named | {"JUNE_INTEGRATION_OTLP_URL": collector}
    finally:
        if june.returncode is None:
            june.send_signal(signal.SIGINT)
        await asyncio.wait_for(june.wait(), 60)


async def run(variables: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run pytest; tell its exit code, and what it has said."""
    pytest_run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--durations=5", *arguments),
        cwd=PROJECT,
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(pytest_run.communicate(), MEANWHILE_SECONDS)
    except TimeoutError:
        pytest_run.kill()
        raise
    assert pytest_run.returncode is not None
    return pytest_run.returncode, said.decode()


async def test_a_june_that_runs_passes(variables: dict[str, str]) -> None:
    kill = {"JUNE_INTEGRATION_MAY_KILL": "1", "JUNE_INTEGRATION_LATENCY_TURNS": "1"}
    code, said = await run(variables | kill, "tests/integration")
    assert code == 0, said
    skipped = re.findall(r"^SKIPPED .*: (.*)$", said, re.MULTILINE)
    assert len(skipped) == len(NOT_CONFIGURED)
    assert {reason for reason in NOT_CONFIGURED if any(reason in one for one in skipped)} == NOT_CONFIGURED, said


async def test_without_a_june_there_is_one_sentence() -> None:
    nobody = {"TEMPORAL_ADDRESS": f"{LOOPBACK}:{free_port()}", "TEMPORAL_CONFIG_FILE": os.devnull}
    code, said = await run(nobody, "tests/integration/test_memory.py")
    assert code == NO_JUNE
    assert f"There is no june to test. No Temporal server answers at {nobody['TEMPORAL_ADDRESS']}" in said
    assert "Traceback" not in said
