"""Who may talk, and how much: counted over minutes and days, readable with no worker up, kept for ever."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from bots import access
from bots.access import Policy
from tests.support.encryption import CONVERTER
from tests.support.waiting import until
from workflows.access.contracts import (
    AccessChange,
    AccessState,
    AccessView,
    Arrival,
    Heard,
    Permission,
    Usage,
    UserLimits,
)
from workflows.access.workflow import Access
from workflows.names import WORKFLOW_QUEUE, access_id

LIMITS = UserLimits(messages_per_minute=3, voice_seconds_per_day=100)


class Inbox:
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
async def inbox(time_skipping: WorkflowEnvironment) -> AsyncIterator[Inbox]:
    inbox = Inbox(time_skipping)
    yield inbox
    await inbox.handle.terminate()


async def test_messages_of_a_minute_are_counted(worker: None, inbox: Inbox) -> None:
    for _ in range(2):
        await inbox.arrive()
    assert (await inbox.view()).holds == {}
    await inbox.arrive()
    await inbox.arrive("bob")
    hold = (await inbox.view()).holds["ada"]
    now = datetime.now(UTC).timestamp()
    assert now < hold.messages_until <= now + 61
    assert hold.voice_until == 0
    await inbox.pass_time(seconds=61)
    await inbox.arrive()
    assert "ada" not in (await inbox.view()).holds, "a minute later the first three no longer count"
    usage = await inbox.handle.query(Access.usage)
    assert sum(used.messages for used in usage.values()) >= 4


async def test_what_came_before_the_clock_was_set_back_does_not_count(worker: None, inbox: Inbox) -> None:
    later = datetime.now(UTC).timestamp() + 7200
    usage = Usage(day=datetime.now(UTC).date().isoformat(), arrivals=(later, later + 1, later + 2))
    state = AccessState(platform=inbox.platform, limits=LIMITS, usage={"ada": usage})
    await inbox.client.start_workflow(Access.run, state, id=inbox.handle.id, task_queue=WORKFLOW_QUEUE)
    await inbox.arrive()
    assert (await inbox.view()).holds == {}


async def test_speech_of_a_day_is_counted(worker: None, inbox: Inbox) -> None:
    await inbox.arrive()
    await inbox.handle.signal(Access.heard, Heard(user="ada", seconds=99))
    assert (await inbox.view()).holds == {}
    await inbox.handle.signal(Access.heard, Heard(user="ada", seconds=2))
    hold = (await inbox.view()).holds["ada"]
    midnight = datetime.fromtimestamp(hold.voice_until, UTC)
    assert (midnight.hour, midnight.minute) == (0, 0)
    assert timedelta(0) < midnight - datetime.now(UTC) <= timedelta(days=1)
    assert (await inbox.handle.query(Access.usage))["ada"].voice_seconds == 101
    await inbox.pass_time(days=1)
    await inbox.arrive("bob")
    assert (await inbox.view()).holds == {}
    assert set(await inbox.handle.query(Access.usage)) == {"bob"}, "yesterday's figures are forgotten"
    await inbox.handle.signal(Access.heard, Heard(user="ada", seconds=50))
    assert (await inbox.handle.query(Access.usage))["ada"].voice_seconds == 50


async def test_higher_limits_let_go(worker: None, inbox: Inbox) -> None:
    await inbox.arrive()
    await inbox.handle.signal(Access.heard, Heard(user="ada", seconds=101))
    assert (await inbox.view()).holds["ada"].voice_until
    await inbox.arrive(limits=UserLimits(voice_seconds_per_day=1000))
    assert (await inbox.view()).holds == {}


async def test_what_owners_say_holds_until_they_say_otherwise(worker: None, inbox: Inbox) -> None:
    await inbox.arrive()
    change = inbox.handle.execute_update
    await change(Access.change, AccessChange(id="bob", standing=Permission.BLOCKED))
    await change(Access.change, AccessChange(id="-100", standing=Permission.OPEN))
    view = await change(Access.change, AccessChange(draining=True))
    assert view.standings == {"bob": Permission.BLOCKED, "-100": Permission.OPEN}
    assert view.draining
    await change(Access.change, AccessChange(id="bob"))
    await change(Access.change, AccessChange(id="nobody"))
    view = await change(Access.change, AccessChange(draining=False))
    assert view == await inbox.view() == AccessView(standings={"-100": Permission.OPEN})


async def test_it_is_read_while_no_worker_is_up(time_skipping: WorkflowEnvironment, inbox: Inbox) -> None:
    assert (await access.read(inbox.client, inbox.platform, Policy())).view == AccessView(), "nobody has come yet"
    await inbox.arrive()
    assert (await access.read(inbox.client, inbox.platform, Policy())).view == AccessView(), "not yet run"
    async with Worker(inbox.client, task_queue=WORKFLOW_QUEUE, workflows=[Access]):
        await inbox.handle.execute_update(Access.change, AccessChange(id="eve", standing=Permission.DENIED))
        for _ in range(3):
            await inbox.arrive()
        await inbox.view()
    view = (await access.read(inbox.client, inbox.platform, Policy())).view
    assert view.standings == {"eve": Permission.DENIED}
    assert view.holds["ada"].messages_until


async def test_a_new_run_knows_all_that_the_run_before_knew(worker: None, inbox: Inbox) -> None:
    state = AccessState(platform=inbox.platform, limits=LIMITS, events_per_run=5)
    await inbox.client.start_workflow(Access.run, state, id=inbox.handle.id, task_queue=WORKFLOW_QUEUE)
    first = (await inbox.handle.describe()).run_id
    await inbox.handle.execute_update(Access.change, AccessChange(id="bob", standing=Permission.ALLOWED))
    await inbox.handle.execute_update(Access.change, AccessChange(draining=True))
    for _ in range(3):
        await inbox.arrive()
    await inbox.handle.signal(Access.heard, Heard(user="ada", seconds=7))

    async def continued() -> bool:
        return (await inbox.handle.describe()).run_id != first

    await until(continued)
    view = await inbox.view()
    assert (view.standings, view.draining, set(view.holds)) == ({"bob": Permission.ALLOWED}, True, {"ada"})
    used = (await inbox.handle.query(Access.usage))["ada"]
    assert (used.messages, used.voice_seconds, len(used.arrivals)) == (3, 7, 3)
    earlier = inbox.client.get_workflow_handle(inbox.handle.id, run_id=first)
    replayer = Replayer(workflows=[Access], data_converter=CONVERTER)
    await replayer.replay_workflow(await earlier.fetch_history())
