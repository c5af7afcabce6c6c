"""The Temporal worker of a role is made by the settings."""

from datetime import timedelta

import pytest
from temporalio import activity

from workers.roles.role import Role
from workers.roles.spec import WorkerSpec
from workers.roles.worker import STICKY_TIMEOUT, build_worker
from workers.telemetry import StageMetrics
from workers.temporal import connect


@activity.defn
async def nothing() -> None:
    """Do nothing."""


@pytest.mark.usefixtures("address")
async def test_slots_queue_and_time_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_SHUTDOWN_SECONDS", "3")
    monkeypatch.setenv("JUNE_MAX_CACHED_WORKFLOWS", "7")
    client = await connect()  # of its own, as a client takes one worker a queue
    config = build_worker(Role.CPU, client, WorkerSpec(slots=4, activities=[nothing])).config()
    assert config.get("task_queue") == Role.CPU.queue
    assert config.get("max_concurrent_activities") == 4
    assert config.get("max_cached_workflows") == 7
    assert config.get("graceful_shutdown_timeout") == timedelta(seconds=3)
    assert config.get("sticky_queue_schedule_to_start_timeout") == STICKY_TIMEOUT
    assert [type(interceptor) for interceptor in config.get("interceptors", [])] == [StageMetrics]
