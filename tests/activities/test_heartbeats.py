"""Heartbeats while a block runs, and engines that are asked to stop before their activity ends."""

import asyncio
import threading
import time

import pytest
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from activities.heartbeats import heartbeats, in_thread


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
