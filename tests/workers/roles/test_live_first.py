"""Live activities go first: what runs in the background is given up, and begins only when it is quiet."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.error_codes import GAVE_WAY
from activities.heartbeats import heartbeats
from activities.infer import InferActivity, Inference, InferRequest
from tests.support.inference import QUESTION, activity_for, closed
from tests.support.model_server import ModelServerDouble, Script, chunk, model_server, said
from tests.support.waiting import until
from workers.roles import live_first
from workers.roles.live_first import LiveFirst, LiveWork


@pytest.fixture(autouse=True)
def soon_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_first, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(live_first, "RETRY_AFTER", timedelta(seconds=0.1))


async def test_background_work_does_not_begin_beside_live_work_nor_just_after() -> None:
    work = LiveWork(2)

    async def background() -> str:
        async with work.background():
            return "done"

    async with work.live():
        with pytest.raises(ApplicationError) as beside:
            await background()
    with pytest.raises(ApplicationError):
        await background()
    await asyncio.sleep(0.25)
    assert await background() == "done"
    error = beside.value
    assert (error.type, error.non_retryable, error.category) == (GAVE_WAY, False, ApplicationErrorCategory.BENIGN)


async def test_background_work_is_given_up_at_once() -> None:
    work, ended = LiveWork(2), asyncio.Event()

    async def background() -> None:
        async with work.background():
            try:
                await asyncio.sleep(30)
            finally:
                ended.set()

    task = asyncio.create_task(background())
    await asyncio.sleep(0)
    async with work.live():
        await asyncio.wait_for(ended.wait(), 1)
    with pytest.raises(ApplicationError) as given_up:
        await task
    assert given_up.value.type == GAVE_WAY


async def test_a_step_of_the_agent_does_not_begin_beside_live_work_nor_just_after() -> None:
    work = LiveWork(2)

    async def step() -> str:
        async with work.step("step"):
            return "done"

    async with work.live():
        with pytest.raises(ApplicationError) as beside:
            await step()
    with pytest.raises(ApplicationError):
        await step()
    await asyncio.sleep(0.25)
    assert await step() == "done"
    assert (beside.value.type, beside.value.category) == (GAVE_WAY, ApplicationErrorCategory.BENIGN)


async def test_a_step_is_not_given_up_and_delays_no_live_work() -> None:
    work, go_on = LiveWork(1), asyncio.Event()

    async def step() -> str:
        async with work.step("step"):
            await go_on.wait()
            return "done"

    running = asyncio.create_task(step())
    await asyncio.sleep(0)
    async with work.live():
        go_on.set()
        assert await running == "done"


async def test_a_step_is_given_up_so_often_and_then_comes_to_its_end() -> None:
    work, go_on = LiveWork(1, stands_back=2), asyncio.Event()
    begun: list[None] = []

    async def step() -> str:
        async with work.step("step"):
            begun.append(None)
            await go_on.wait()
            return "done"

    for times in (1, 2):
        running = asyncio.create_task(step())
        await until(lambda times=times: len(begun) == times)
        async with work.live():
            with pytest.raises(ApplicationError) as given_up:
                await asyncio.wait_for(running, 1)
        assert given_up.value.type == GAVE_WAY
        await asyncio.sleep(0.25)
    running = asyncio.create_task(step())
    await until(lambda: len(begun) == 3)
    async with work.live():
        go_on.set()
        assert await running == "done"
    await asyncio.sleep(0.25)
    again = asyncio.create_task(step())
    assert await again == "done"


async def test_a_step_that_came_to_its_end_is_forgotten() -> None:
    work, go_on = LiveWork(1, stands_back=1), asyncio.Event()
    for _ in range(2):
        async with work.step("step"):
            pass

    async def step() -> None:
        async with work.step("step"):
            await go_on.wait()

    running = asyncio.create_task(step())
    await asyncio.sleep(0)
    async with work.live():
        with pytest.raises(ApplicationError):
            await asyncio.wait_for(running, 1)


async def test_so_many_steps_are_done_at_once() -> None:
    work = LiveWork(1, steps=2)
    async with work.step("step"), work.step("step"):
        with pytest.raises(ApplicationError):
            async with work.step("step"):
                pass
    async with work.step("step"):
        pass


async def test_a_cancellation_and_a_timeout_of_its_own_stay_what_they_are() -> None:
    work = LiveWork(2)
    with pytest.raises(TimeoutError):
        async with work.background():
            raise TimeoutError

    async def background() -> None:
        async with work.background():
            await asyncio.sleep(30)

    task = asyncio.create_task(background())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_slot_of_the_background_is_not_for_live_work() -> None:
    work, running = LiveWork(1), 0

    async def live() -> int:
        nonlocal running
        async with work.live():
            running += 1
            most = running
            await asyncio.sleep(0.01)
            running -= 1
            return most

    assert list(await asyncio.gather(live(), live(), live())) == [1, 1, 1]


# With a model server


@workflow.defn(sandboxed=False)
class Asks:
    """Asks once."""

    @workflow.run
    async def run(self, request: InferRequest) -> Inference:
        return await workflow.execute_activity_method(
            InferActivity.infer, request, start_to_close_timeout=timedelta(seconds=20)
        )


@activity.defn
async def work_long(_: int) -> int:
    """Work for two heartbeat time-outs; return the attempt."""
    async with heartbeats():
        await asyncio.sleep(4)
    return activity.info().attempt


@workflow.defn(sandboxed=False)
class WorksLong:
    """Works several times at once."""

    @workflow.run
    async def run(self, times: int) -> list[int]:
        async def work(number: int) -> int:
            return await workflow.execute_activity(
                work_long,
                number,
                start_to_close_timeout=timedelta(seconds=30),
                heartbeat_timeout=timedelta(seconds=2),
            )

        return list(await asyncio.gather(*map(work, range(times))))


@pytest.mark.slow
async def test_live_work_that_waits_for_a_slot_does_not_time_out(dev_server: WorkflowEnvironment) -> None:
    queue = f"waits-{uuid4().hex}"
    async with Worker(
        dev_server.client, task_queue=queue, workflows=[WorksLong], activities=[work_long], interceptors=[LiveFirst(1)]
    ):
        attempts = await dev_server.client.execute_workflow(WorksLong.run, 2, id=queue, task_queue=queue)
    assert attempts == [1, 1]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


async def test_a_live_question_closes_the_stream_of_a_summary_which_is_done_later(
    dev_server: WorkflowEnvironment, server: ModelServerDouble
) -> None:
    client: Client = dev_server.client
    queue = f"live-{uuid4().hex}"
    activity = activity_for(server.url, silence_seconds=30)
    server.plays(Script(pieces=[chunk(content="They "), 30.0]), said("Hello."), said("They greeted."))
    summary = QUESTION.model_copy(update={"background": True})
    async with Worker(
        client, task_queue=queue, workflows=[Asks], activities=[activity.infer], interceptors=[LiveFirst(2)]
    ):
        summarising = await client.start_workflow(Asks.run, summary, id=f"{queue}-summary", task_queue=queue)
        await until(lambda: server.open_streams == 1)
        live = await client.execute_workflow(Asks.run, QUESTION, id=f"{queue}-live", task_queue=queue)
        assert live.answer == "Hello."
        await closed(server)
        assert (await summarising.result()).answer == "They greeted."
