"""Who may talk, and how much: counted over minutes and days, readable with no worker up, kept for ever."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from bots import access
from bots.access import Policy
from workflows.access.contracts import AccessChange, AccessState, AccessView, Arrival, Heard, Standing, UserLimits
from workflows.access.workflow import Access
from workflows.names import WORKFLOW_QUEUE, access_id

LIMITS = UserLimits(messages_per_minute=3, voice_seconds_per_day=100)


class Door:
    """Access of a platform of its own, as bots reach it."""

    def __init__(self, environment: WorkflowEnvironment) -> None:
        self.environment = environment
        self.client: Client = environment.client
        self.platform = f"p{uuid4().hex[:12]}"
        self.handle: WorkflowHandle[Access, None] = self.client.get_workflow_handle_for(
            Access.run, access_id(self.platform)
        )

    async def arrive(self, user: str = "ada", limits: UserLimits = LIMITS) -> None:
        await access.count(self.client, self.platform, Arrival(user=user, limits=limits))

    async def view(self) -> AccessView:
        """What a bot sees, after all that was signalled has been handled."""
        await self.handle.query(Access.usage)
        return (await access.read(self.client, self.platform, Policy())).view

    async def pass_time(self, **span: float) -> None:
        await self.environment.fast_forward(self.handle, timedelta(**span))


@pytest.fixture
async def worker(time_skipping: WorkflowEnvironment) -> AsyncIterator[None]:
    async with Worker(time_skipping.client, task_queue=WORKFLOW_QUEUE, workflows=[Access]):
        yield


@pytest.fixture
async def door(time_skipping: WorkflowEnvironment) -> AsyncIterator[Door]:
    door = Door(time_skipping)
    yield door
    await door.handle.terminate()


async def test_messages_of_a_minute_are_counted(worker: None, door: Door) -> None:
    for _ in range(2):
        await door.arrive()
    assert (await door.view()).holds == {}
    await door.arrive()
    await door.arrive("bob")
    hold = (await door.view()).holds["ada"]
    now = datetime.now(UTC).timestamp()
    assert now < hold.messages_until <= now + 61
    assert hold.voice_until == 0
    await door.pass_time(seconds=61)
    await door.arrive()
    assert "ada" not in (await door.view()).holds, "a minute later the first three no longer count"
    usage = await door.handle.query(Access.usage)
    assert sum(used.messages for used in usage.values()) >= 4


async def test_speech_of_a_day_is_counted(worker: None, door: Door) -> None:
    await door.arrive()
    await door.handle.signal(Access.heard, Heard(user="ada", seconds=99))
    assert (await door.view()).holds == {}
    await door.handle.signal(Access.heard, Heard(user="ada", seconds=2))
    hold = (await door.view()).holds["ada"]
    midnight = datetime.fromtimestamp(hold.voice_until, UTC)
    assert (midnight.hour, midnight.minute) == (0, 0)
    assert timedelta(0) < midnight - datetime.now(UTC) <= timedelta(days=1)
    assert (await door.handle.query(Access.usage))["ada"].voice_seconds == 101
    await door.pass_time(days=1)
    await door.arrive("bob")
    assert (await door.view()).holds == {}
    assert set(await door.handle.query(Access.usage)) == {"bob"}, "yesterday's figures are forgotten"
    await door.handle.signal(Access.heard, Heard(user="ada", seconds=50))
    assert (await door.handle.query(Access.usage))["ada"].voice_seconds == 50


async def test_higher_limits_let_go(worker: None, door: Door) -> None:
    await door.arrive()
    await door.handle.signal(Access.heard, Heard(user="ada", seconds=101))
    assert (await door.view()).holds["ada"].voice_until
    await door.arrive(limits=UserLimits(voice_seconds_per_day=1000))
    assert (await door.view()).holds == {}


async def test_what_owners_say_holds_until_they_say_otherwise(worker: None, door: Door) -> None:
    await door.arrive()
    change = door.handle.execute_update
    await change(Access.change, AccessChange(id="bob", standing=Standing.BLOCKED))
    await change(Access.change, AccessChange(id="-100", standing=Standing.OPEN))
    view = await change(Access.change, AccessChange(draining=True))
    assert view.standings == {"bob": Standing.BLOCKED, "-100": Standing.OPEN}
    assert view.draining
    await change(Access.change, AccessChange(id="bob"))
    await change(Access.change, AccessChange(id="nobody"))
    view = await change(Access.change, AccessChange(draining=False))
    assert view == await door.view() == AccessView(standings={"-100": Standing.OPEN})


async def test_it_is_read_while_no_worker_is_up(time_skipping: WorkflowEnvironment, door: Door) -> None:
    assert (await access.read(door.client, door.platform, Policy())).view == AccessView(), "nobody has come yet"
    await door.arrive()
    assert (await access.read(door.client, door.platform, Policy())).view == AccessView(), "not yet run"
    async with Worker(door.client, task_queue=WORKFLOW_QUEUE, workflows=[Access]):
        await door.handle.execute_update(Access.change, AccessChange(id="eve", standing=Standing.DENIED))
        for _ in range(3):
            await door.arrive()
        await door.view()
    view = (await access.read(door.client, door.platform, Policy())).view
    assert view.standings == {"eve": Standing.DENIED}
    assert view.holds["ada"].messages_until


async def test_a_new_run_knows_all_that_the_run_before_knew(worker: None, door: Door) -> None:
    state = AccessState(platform=door.platform, limits=LIMITS, events_per_run=5)
    await door.client.start_workflow(Access.run, state, id=door.handle.id, task_queue=WORKFLOW_QUEUE)
    first = (await door.handle.describe()).run_id
    await door.handle.execute_update(Access.change, AccessChange(id="bob", standing=Standing.ALLOWED))
    await door.handle.execute_update(Access.change, AccessChange(draining=True))
    for _ in range(3):
        await door.arrive()
    await door.handle.signal(Access.heard, Heard(user="ada", seconds=7))
    async with asyncio.timeout(15):
        while (await door.handle.describe()).run_id == first:  # noqa: ASYNC110 - it happens on the server
            await asyncio.sleep(0.02)
    view = await door.view()
    assert (view.standings, view.draining, set(view.holds)) == ({"bob": Standing.ALLOWED}, True, {"ada"})
    used = (await door.handle.query(Access.usage))["ada"]
    assert (used.messages, used.voice_seconds, len(used.arrivals)) == (3, 7, 3)
    earlier = door.client.get_workflow_handle(door.handle.id, run_id=first)
    replayer = Replayer(workflows=[Access], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(await earlier.fetch_history())
