"""Heartbeats in the background, and blocking work that is stopped with its activity."""

import asyncio
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment
from temporalio.worker import Worker

from activities import heartbeats as module
from activities.heartbeats import heartbeat_now, heartbeats, in_thread


async def test_heartbeats_carry_the_details_of_their_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL_SECONDS", 0.01)
    environment, sent, two_sent = ActivityEnvironment(), list[int](), asyncio.Event()

    def heard(*details: int) -> None:
        sent.extend(details)
        if len(sent) == 2:
            two_sent.set()

    environment.on_heartbeat = heard
    moments = iter(range(100))

    async def work() -> None:
        async with heartbeats(lambda: [next(moments)]):
            await two_sent.wait()

    await environment.run(work)
    assert sent[:2] == [0, 1]
    count = len(sent)
    await asyncio.sleep(0.05)
    assert len(sent) == count, "they end with the block"


async def test_blocking_work_returns_its_result() -> None:
    assert await ActivityEnvironment().run(in_thread, lambda stop: stop.is_set()) is False


async def test_blocking_work_is_asked_to_stop_and_waited_for() -> None:
    environment, begun, ended = ActivityEnvironment(), threading.Event(), threading.Event()

    def work(stop: threading.Event) -> None:
        begun.set()
        assert stop.wait(5)
        ended.set()
        raise RuntimeError("how it stops is not reported")

    running = asyncio.create_task(environment.run(in_thread, work))
    await asyncio.to_thread(begun.wait, 5)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()


@activity.defn
async def tells_the_next_attempt() -> list[int]:
    """Fail right after a heartbeat; succeed with what the next attempt finds."""
    found: list[int] = list(activity.info().heartbeat_details)
    if not found:
        activity.heartbeat(1)
        await heartbeat_now(2)
        raise ApplicationError("the first attempt ends here")
    return found


async def test_details_are_with_the_server_before_the_attempt_goes_on(dev_server: WorkflowEnvironment) -> None:
    queue = f"heartbeats-{uuid4()}"
    async with Worker(dev_server.client, task_queue=queue, activities=[tells_the_next_attempt]):
        found = await dev_server.client.execute_activity(
            tells_the_next_attempt,
            id=queue,
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=2),
        )
    assert found == [2]
