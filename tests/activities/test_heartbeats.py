"""Heartbeats while a block runs, and engines that are asked to stop before their activity ends."""

import asyncio
import threading
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment
from temporalio.worker import Worker

from activities.heartbeats import heartbeat_now, heartbeats, in_thread


@activity.defn
async def waits(seconds: float) -> None:
    """Wait, with heartbeats that say how far it is."""
    began = time.monotonic()
    async with heartbeats(lambda: [round(time.monotonic() - began)]):
        await asyncio.sleep(seconds)


@pytest.mark.slow
async def test_heartbeats_come_while_the_block_runs_and_no_longer() -> None:
    beats: list[int] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(*details)
    await environment.run(waits, 1.2)
    assert beats == [0, 1]
    await asyncio.sleep(1)
    assert beats == [0, 1]


class Engine:
    """An engine that works until it is told to stop."""

    def __init__(self) -> None:
        self.began, self.ended = threading.Event(), False

    def work(self, stop: threading.Event) -> str:
        self.began.set()
        stop.wait(10)
        time.sleep(0.05)  # what it was in the middle of
        self.ended = True
        return "stopped"

    @activity.defn
    async def run(self) -> str:
        """Work in a thread."""
        return await in_thread(self.work)


async def test_a_cancelled_activity_ends_only_when_its_engine_has() -> None:
    engine, environment = Engine(), ActivityEnvironment()
    running = asyncio.create_task(environment.run(engine.run))
    await asyncio.to_thread(engine.began.wait, 5)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert engine.ended


async def test_what_the_work_returns_or_raises_is_the_activitys() -> None:
    environment = ActivityEnvironment()

    @activity.defn
    async def half(number: int) -> int:
        return await in_thread(lambda _stop: 10 // number)

    assert await environment.run(half, 2) == 5
    with pytest.raises(ZeroDivisionError):
        await environment.run(half, 0)


@activity.defn
async def fails_after_a_heartbeat() -> list[int]:
    """Fail right after a heartbeat; succeed with what the next attempt finds."""
    found: list[int] = list(activity.info().heartbeat_details)
    if not found:
        activity.heartbeat(1)
        await heartbeat_now(2)
        raise ApplicationError("the first attempt ends here")
    return found


async def test_the_server_has_the_details_before_the_attempt_goes_on(dev_server: WorkflowEnvironment) -> None:
    queue = f"heartbeats-{uuid4()}"
    async with Worker(dev_server.client, task_queue=queue, activities=[fails_after_a_heartbeat]):
        found = await dev_server.client.execute_activity(
            fails_after_a_heartbeat,
            id=queue,
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=2),
        )
    assert found == [2]


SENT: list[int] = []


@activity.defn
async def sends_late() -> None:
    """The first attempt is silent for too long, and then about to send what the second one sends."""
    attempt = activity.info().attempt
    if attempt == 1:
        await asyncio.sleep(2)
    await heartbeat_now("about to send")
    SENT.append(attempt)


async def test_an_attempt_that_the_server_has_given_up_does_nothing_more(dev_server: WorkflowEnvironment) -> None:
    """It would be done twice, as the next attempt cannot know of it: a server that restarts may be late like that."""
    queue = f"heartbeats-{uuid4()}"
    SENT.clear()
    async with Worker(dev_server.client, task_queue=queue, activities=[sends_late]):
        await dev_server.client.execute_activity(
            sends_late,
            id=queue,
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=timedelta(seconds=1),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=2),
        )
        await asyncio.sleep(2)
    assert SENT == [2]
