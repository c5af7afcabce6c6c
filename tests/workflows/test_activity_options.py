"""The one way in which conversations run activities: no more time than the turn has, and no cancellation lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, CancelledError
from temporalio.exceptions import TimeoutError as TemporalTimeoutError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.heartbeats import heartbeats
from workflows import activity_options as options
from workflows.activity_options import ActivityOptions, raise_if_cancelled, retries, run_activity


class Ask(BaseModel):
    """What the workflow below is to do."""

    seconds_left: float | None = None
    although_cancelled: bool = False


class Slow:
    """An activity that hears of no cancellation, and tells its timeout."""

    def __init__(self) -> None:
        self.began = asyncio.Event()

    @activity.defn
    async def slow(self, _ask: Ask) -> float:
        self.began.set()
        await asyncio.sleep(0.3)  # without heartbeats
        total = activity.info().schedule_to_close_timeout
        return total.total_seconds() if total else 0


@workflow.defn(sandboxed=False)
class Runs:
    """Runs the activity."""

    @workflow.run
    async def run(self, ask: Ask) -> float:
        deadline = None if ask.seconds_left is None else workflow.now() + timedelta(seconds=ask.seconds_left)
        return await run_activity(
            Slow.slow,
            ask,
            ActivityOptions(timedelta(seconds=60), timedelta(minutes=5), retries(1, timedelta(seconds=1))),
            queue=workflow.info().task_queue,
            deadline=deadline,
            although_cancelled=ask.although_cancelled,
            summary="slow",
        )


@pytest.fixture
async def slow(dev_server: WorkflowEnvironment) -> AsyncIterator[Slow]:
    slow = Slow()
    async with Worker(dev_server.client, task_queue="options", workflows=[Runs], activities=[slow.slow]):
        yield slow


@pytest.mark.parametrize(("left", "total"), [(None, 300), (1000, 300), (20, 20)])
async def test_an_activity_gets_no_more_time_than_the_turn_has(
    dev_server: WorkflowEnvironment, slow: Slow, left: float | None, total: float
) -> None:
    ask = Ask(seconds_left=left)
    given = await dev_server.client.execute_workflow(Runs.run, ask, id=f"runs-{uuid4()}", task_queue="options")
    assert given == pytest.approx(total, abs=0.5)


async def test_a_cancellation_that_the_end_of_an_activity_hides_is_raised(
    dev_server: WorkflowEnvironment, slow: Slow
) -> None:
    handle = await dev_server.client.start_workflow(Runs.run, Ask(), id=f"runs-{uuid4()}", task_queue="options")
    await asyncio.wait_for(slow.began.wait(), 10)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert isinstance(failure.value.cause, CancelledError)


async def test_what_was_sent_is_sent_though_the_turn_was_cancelled(dev_server: WorkflowEnvironment, slow: Slow) -> None:
    ask = Ask(although_cancelled=True)
    handle = await dev_server.client.start_workflow(Runs.run, ask, id=f"runs-{uuid4()}", task_queue="options")
    await asyncio.wait_for(slow.began.wait(), 10)
    await handle.cancel()
    assert await handle.result() == 300


async def test_only_a_cancelled_task_raises() -> None:
    raise_if_cancelled()

    async def goes_on() -> str:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            with pytest.raises(asyncio.CancelledError):
                raise_if_cancelled()
        return "went on"

    task = asyncio.create_task(goes_on())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "went on"


def test_every_activity_is_tried_again_and_none_for_ever() -> None:
    tables = {name: value for name, value in vars(options).items() if isinstance(value, ActivityOptions)}
    assert {"FETCH", "TRANSCRIBE", "INFER", "SYNTHESIZE", "REPLY", "SHOW_PROGRESS", "NOTICE", "SUMMARISE"} < set(tables)
    for name, table in tables.items():
        assert table.attempt <= table.total, name
        assert table.heartbeat < table.attempt, name
        assert table.retry_policy.maximum_attempts > 1 or table.total == timedelta(hours=24), name


class Hangs:
    """An activity of an engine that hangs: it is alive, and never ends."""

    def __init__(self) -> None:
        self.attempts = 0

    @activity.defn
    async def hang(self, _ask: Ask) -> float:
        self.attempts += 1
        async with heartbeats(interval=0.1):
            await asyncio.sleep(30)
        return 0


@workflow.defn(sandboxed=False)
class RunsOnce:
    """Runs it."""

    @workflow.run
    async def run(self, ask: Ask) -> float:
        second = timedelta(seconds=1)
        once = ActivityOptions(second, 20 * second, retries(5, second, hangs=False))
        return await run_activity(Hangs.hang, ask, once, queue=workflow.info().task_queue, summary="")


@pytest.mark.slow
async def test_what_runs_out_of_time_is_not_tried_again(dev_server: WorkflowEnvironment) -> None:
    hangs, queue = Hangs(), str(uuid4())
    async with Worker(dev_server.client, task_queue=queue, workflows=[RunsOnce], activities=[hangs.hang]):
        with pytest.raises(WorkflowFailureError) as failure:
            await dev_server.client.execute_workflow(RunsOnce.run, Ask(), id=queue, task_queue=queue)
    assert isinstance(failure.value.cause, ActivityError)
    assert isinstance(failure.value.cause.cause, TemporalTimeoutError)
    assert hangs.attempts == 1
