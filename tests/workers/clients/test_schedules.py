"""Schedules of runs on a real server."""

from uuid import uuid4

import pytest
from temporalio.testing import WorkflowEnvironment

from workers.clients.schedules import (
    create_schedule,
    delete_schedule,
    describe_schedule,
    list_schedules,
    pause_schedule,
)
from workers.errors import JuneError
from workflows.testruns.contracts import RunRequest


async def test_schedules_are_kept(dev_server: WorkflowEnvironment) -> None:
    client, name = dev_server.client, f"nightly-{uuid4().hex[:8]}"
    cron = {"cron": "0 3 * * *", "every": None, "time_zone": "Europe/Berlin"}
    await create_schedule(client, name, RunRequest(), **cron)  # type: ignore[arg-type]
    with pytest.raises(JuneError, match="already"):
        await create_schedule(client, name, RunRequest(), **cron)  # type: ignore[arg-type]
    made = await describe_schedule(client, name)
    assert made.next_at
    assert made.next_at.hour in {1, 2}, "3 o'clock in Berlin"
    await pause_schedule(client, name, resume=False)
    assert (await describe_schedule(client, name)).paused
    await pause_schedule(client, name, resume=True)
    assert not (await describe_schedule(client, name)).paused
    assert name in [schedule.id async for schedule in list_schedules(client)]
    await delete_schedule(client, name)
    with pytest.raises(JuneError, match="no schedule"):
        await delete_schedule(client, name)


async def test_a_schedule_that_the_server_does_not_understand_is_one_sentence(dev_server: WorkflowEnvironment) -> None:
    with pytest.raises(JuneError, match="does not take this schedule"):
        await create_schedule(dev_server.client, "wrong", RunRequest(), cron="at teatime", every=None, time_zone="UTC")
