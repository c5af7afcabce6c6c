"""What the sandbox worker serves."""

import logging
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.coding.prepare import PrepareRequest
from activities.coding.storage import Owner
from workers.roles.sandbox import bench_sets, build, code_roots, limits_of
from workers.settings import SandboxSettings


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))


async def test_it_serves_the_steps_of_tasks(dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_SANDBOX_SLOTS", "3")
    spec = await build(dev_server.client)
    coding, benchmarks = (
        ["prepare", "act", "verify", "compare", "present"],
        ["plan", "report", "set_up", "score", "record"],
    )
    assert [activity.__name__ for activity in spec.activities] == coding + benchmarks
    assert spec.slots == 3


async def test_without_isolation_it_lives_and_refuses_each_task(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("JUNE_SANDBOX_BWRAP", "/nowhere/bwrap")
    with caplog.at_level(logging.WARNING):
        prepare = (await build(dev_server.client)).activities[0]
    assert "coding tasks are refused" in caplog.text
    with pytest.raises(ApplicationError) as refused:
        await ActivityEnvironment().run(prepare, PrepareRequest(owner=Owner(chat="a"), task="Do it."))
    assert (refused.value.type, refused.value.non_retryable) == ("sandbox-unavailable", True)


def test_limits_are_those_of_the_settings() -> None:
    limits = limits_of(SandboxSettings(memory_mb=100, workspace_mb=7, output_kb=2, seconds=5))
    assert (limits.memory_bytes, limits.workspace_bytes, limits.output_bytes) == (100 << 20, 7 << 20, 2048)
    assert limits.seconds == 5


def test_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_roots() == []
    monkeypatch.setenv("JUNE_CODE_ROOTS", '["/srv/projects", "~/code"]')
    assert code_roots() == [Path("/srv/projects"), Path.home() / "code"]


def test_further_data_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench_sets() is None
    monkeypatch.setenv("JUNE_BENCH_SETS", "~/sets.toml")
    assert bench_sets() == Path.home() / "sets.toml"
