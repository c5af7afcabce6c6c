"""Coding tasks from a client's side: started, found, followed, talked to, and listed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.support.coding_world import STEPS, CodingWorld, coding, hold_step
from tests.support.waiting import until
from workers.clients import coding as tasks
from workers.clients.testruns import Handle, ended
from workers.errors import JuneError, UnavailableError
from workflows.coding.contracts import CodingOutcome, CodingRequest, CodingStage, CodingStatus, StepLine
from workflows.names import WORKFLOW_QUEUE

ADD = CodingRequest(task="Make it add up.\nAnd test that.")


@pytest.fixture
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


@pytest.fixture
async def world(client: Client) -> AsyncIterator[CodingWorld]:
    """Workers for the queues of a task."""
    async with coding(client, CodingWorld()) as world:
        yield world


async def started(client: Client) -> Handle:
    """Start a task."""
    return await tasks.start_task(client, ADD, uuid4().hex)


async def test_a_task_is_started_once_by_its_name(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "QUERY_TIMEOUT", timedelta(seconds=0.3))
    name = uuid4().hex
    handle = await tasks.start_task(client, ADD, name)
    assert handle.id == f"code/{name}"
    with pytest.raises(JuneError, match="under way already"):
        await tasks.start_task(client, ADD, name)
    assert (await tasks.find_task(client, name)).id == (await tasks.find_task(client, handle.id)).id == handle.id
    await handle.terminate("enough")
    report = await tasks.report_of(handle)
    assert report
    assert (report.outcome, report.steps) == (CodingOutcome.FAILED, 0), "terminated before it began"
    status = await tasks.last_status_of(handle)
    assert (status.outcome, status.stage, status.report) == (report.outcome, CodingStage.DONE, report)
    listed = await tasks.listed_task(await handle.describe())
    assert (listed.id, listed.task, listed.outcome) == (handle.id, "Make it add up.", CodingOutcome.FAILED)


async def test_what_is_no_task_is_not_found(client: Client) -> None:
    other = await client.start_workflow("Other", id=f"code/{uuid4().hex}", task_queue=WORKFLOW_QUEUE)
    for name in (other.id, "elsewhere", "../../etc/passwd", "x" * 2000):
        with pytest.raises(JuneError, match="no task"):
            await tasks.find_task(client, name)
    await other.terminate()


async def test_the_last_one_is_meant_without_a_name(client: Client) -> None:
    handles = [await started(client) for _ in range(2)]
    await until(lambda: _is_last(client, handles[-1].id))
    for handle in handles:
        await handle.terminate()


async def _is_last(client: Client, workflow_id: str) -> bool:
    return (await tasks.find_task(client)).id == workflow_id


async def test_a_task_without_a_worker_answers_no_query(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "QUERY_TIMEOUT", timedelta(seconds=0.3))
    handle = await started(client)
    with pytest.raises(UnavailableError, match="june doctor"):
        await tasks.status_of(handle)
    news = tasks.follow(handle)
    assert await anext(news) == ((), None), "it may come"
    await news.aclose()
    await handle.terminate()


async def test_without_a_sandbox_worker_nothing_is_begun(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "SANDBOX_QUEUE", f"nobody-{uuid4().hex}")
    await until(lambda: _nothing_runs(client))
    with pytest.raises(UnavailableError, match="june worker sandbox"):
        await tasks.require_sandbox_worker(client)


async def _nothing_runs(client: Client) -> bool:
    return await tasks.running_tasks(client) == 0


async def test_each_step_is_told_once_when_it_is_done(
    client: Client, world: CodingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "POLL_SECONDS", 0.05)
    began, go_on = asyncio.Event(), asyncio.Event()
    world.behaviours["act"] = hold_step(2, began, go_on)
    handle, lines = await started(client), []
    async for news in tasks.follow(handle):
        lines += [line.text for line in news.lines]
        if began.is_set() and not go_on.is_set():
            assert "read calc.py: 1 line" in lines
            assert "write calc.py" not in "".join(lines), "nothing has come of it yet"
            go_on.set()
    assert lines == ["workspace of 2 files", *(f"{step.line or step.tool}: {step.told}" for step in STEPS)]
    report = await tasks.report_of(handle)
    assert report
    assert (report.outcome, report.summary) == (CodingOutcome.FINISHED, "It adds up now.")


async def test_what_is_said_reaches_the_agent_until_the_end(client: Client, world: CodingWorld) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()
    world.behaviours["act"] = hold_step(1, began, go_on)
    handle = await started(client)
    await began.wait()
    assert await tasks.report_of(handle) is None
    await tasks.tell(handle, "say", "Mind the zero.")
    await tasks.tell(handle, "pause")
    go_on.set()
    await until(lambda: _is_at(handle, CodingStage.PAUSED))
    await tasks.tell(handle, "resume")
    await ended(handle)
    assert [remark.text for remark in world.asked("think")[1].remarks] == ["Mind the zero."]
    for refused in (tasks.tell(handle, "say", "Wait!"), tasks.tell(handle, "resume"), tasks.cancel(handle)):
        with pytest.raises(JuneError, match="has ended"):
            await refused


async def _is_at(handle: Handle, stage: CodingStage) -> bool:
    return (await tasks.status_of(handle)).stage is stage


async def test_a_cancelled_task_keeps_what_it_has_done(client: Client, world: CodingWorld) -> None:
    began = asyncio.Event()
    world.behaviours["think"] = hold_step(3, began, asyncio.Event())
    handle = await started(client)
    await began.wait()
    report = await tasks.cancel(handle)
    assert report
    status = await tasks.last_status_of(handle)
    assert (status.outcome, len(status.lines)) == (CodingOutcome.CANCELLED, 3)
    assert (report.outcome, report.steps) == (CodingOutcome.CANCELLED, 2)
    assert report.comparison
    assert report.comparison.changed == 1


async def test_a_task_that_does_not_stop_is_not_waited_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CANCEL_SECONDS", 0.2)
    handle = await started(client)
    assert await tasks.cancel(handle) is None
    await handle.terminate()


@pytest.mark.parametrize(
    ("stage", "done"),
    [("think", [0, 1, 2]), ("paused", [0, 1, 2]), ("done", [0, 1, 2]), ("act", [0, 1]), ("verify", [0, 1])],
)
def test_a_step_is_done_when_nothing_more_can_come_of_it(stage: str, done: list[int]) -> None:
    lines = tuple(StepLine(step=step, text="run ls") for step in range(3))
    status = CodingStatus(
        task="x",
        outcome=CodingOutcome.RUNNING,
        stage=CodingStage(stage),
        step=2,
        max_steps=9,
        elapsed_seconds=1,
        tokens=1,
        lines=lines,
    )
    assert [line.step for line in tasks.finished_lines(status)] == done


def test_names_are_ids_without_their_beginning() -> None:
    assert tasks.full_id("a") == tasks.full_id("code/a") == "code/a"
    assert tasks.name_of("code/a") == "a"
    assert tasks.new_name() != tasks.new_name()
