"""The activity ``forget``, on a real server."""

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import forget
from activities.blobs import BlobStore
from activities.forget import ForgetActivity, ForgetRequest
from activities.platforms.file import Outbox
from tests.support.waiting import until
from workflows.names import CHAT

NOWHERE = Outbox(Path("/nowhere"))


@workflow.defn(name="Said")
class Said:
    """A workflow that ends at once, or never, or goes on in a new run; or begins another as its child."""

    @workflow.run
    async def run(self, how: str) -> None:
        if how.startswith("voice/"):
            found = workflow.info().typed_search_attributes
            await workflow.execute_child_workflow("Said", "end", id=how, search_attributes=found)
        if how == "wait":
            await workflow.wait_condition(lambda: False)
        if how == "continue":
            workflow.continue_as_new("wait")


@workflow.defn(name="CodingTask")
class Task:
    """A coding task under way, which ends when it is cancelled, or not; what it does takes a moment to end."""

    def __init__(self) -> None:
        self.forgotten = False

    @workflow.signal
    def forget(self) -> None:
        self.forgotten = True

    @workflow.run
    async def run(self, how: str) -> None:
        while True:
            try:
                await workflow.wait_condition(lambda: False)
            except asyncio.CancelledError:
                if how == "ends" and self.forgotten:
                    await workflow.sleep(0.2)
                    raise


async def start(client: Client, queue: str, chat: str, how: str, name: str | None = None) -> WorkflowHandle[Said, None]:
    attributes = TypedSearchAttributes([SearchAttributePair(CHAT, f"file/{chat}")])
    return await client.start_workflow(
        Said.run, how, id=name or f"{how}/{uuid.uuid4()}", task_queue=queue, search_attributes=attributes
    )


async def visible(client: Client, chat: str, count: int) -> None:
    """Wait until the server lists so many closed runs of a chat."""
    query = f"Chat = 'file/{chat}' AND ExecutionStatus != 'Running'"
    while True:
        if (await client.count_workflows(query)).count >= count:
            return
        await asyncio.sleep(0.02)


async def gone(client: Client, workflow_id: str, run_id: str | None) -> None:
    """Wait until a run is deleted."""
    while True:
        try:
            await client.get_workflow_handle(workflow_id, run_id=run_id).describe()
        except RPCError:
            return
        await asyncio.sleep(0.02)


async def test_a_chat_is_forgotten_and_others_are_not(dev_server: WorkflowEnvironment) -> None:
    client, queue, blobs = dev_server.client, f"forget-{uuid.uuid4()}", BlobStore.open("memory://")
    chat, other = uuid.uuid4().hex, uuid.uuid4().hex
    for name in (chat, other):
        await blobs.put("file", name, b"x", mime="a/b", seconds=1, sample_rate=1, ending="pcm")
    worker = Worker(client, task_queue=queue, workflows=[Said], workflow_runner=UnsandboxedWorkflowRunner())
    async with worker, asyncio.timeout(15):
        closed = [await start(client, queue, chat, "end") for _ in range(2)]
        strange = await start(client, queue, other, "end")
        running = await start(client, queue, chat, "wait")
        conversation = await start(client, queue, chat, "continue")
        for handle in (*closed, strange):
            await handle.result()
        await visible(client, chat, 3)
        now = (await client.get_workflow_handle(conversation.id).describe()).run_id
        request = ForgetRequest(platform="file", chat=chat, conversation=conversation.id, keep_run_id=str(now))

        forgotten = await ActivityEnvironment().run(ForgetActivity(blobs, client, NOWHERE).forget, request)

        assert (forgotten.blobs, forgotten.workflows) == (1, 3)
        for handle in closed:
            await gone(client, handle.id, handle.result_run_id)
        await gone(client, conversation.id, conversation.first_execution_run_id)
        for handle in (strange, running, client.get_workflow_handle(conversation.id, run_id=now)):
            await handle.describe()
        assert await blobs.delete_chat("file", other) == 1
        await running.terminate()
        await client.get_workflow_handle(conversation.id).terminate()


class Topics:
    """A chat with two topics and a turn in each, one in none, and one begun by hand; each with a sound."""

    NAMES = (None, "5", "55")

    def __init__(self, client: Client) -> None:
        self.client, self.chat, self.blobs = client, uuid.uuid4().hex, BlobStore.open("memory://")

    def conversation(self, thread: str | None) -> str:
        return f"chat/file/{self.chat}" + (f"/{thread}" if thread else "")

    async def fill(self, queue: str) -> None:
        for thread in self.NAMES:
            turn = f"voice/file/{self.chat}/in-{thread}"
            await (await start(self.client, queue, self.chat, turn, self.conversation(thread))).result()
            await self.blobs.put("file", self.chat, b"x", **SOUND, thread=thread)
        await (await start(self.client, queue, self.chat, "end", f"voice/file/{self.chat}/by-hand")).result()
        await visible(self.client, self.chat, 7)

    async def forget(self, thread: str | None, *, whole_chat: bool = False) -> tuple[int, int]:
        """Forget; return how many sounds and runs were deleted, once the server lists the runs no longer."""
        query = f"Chat = 'file/{self.chat}'"
        left = (await self.client.count_workflows(query)).count
        request = ForgetRequest(
            platform="file",
            chat=self.chat,
            thread=thread,
            whole_chat=whole_chat,
            conversation=self.conversation(thread),
            keep_run_id="none",
        )
        done = await ActivityEnvironment().run(ForgetActivity(self.blobs, self.client, NOWHERE).forget, request)

        async def unlisted() -> bool:
            return (await self.client.count_workflows(query)).count == left - done.workflows

        await until(unlisted)
        return done.blobs, done.workflows

    async def left(self) -> set[str]:
        listed = self.client.list_workflows(f"Chat = 'file/{self.chat}'")
        return {run.id.removeprefix("chat/file/").removeprefix(f"voice/file/{self.chat}/") async for run in listed}


SOUND: dict[str, Any] = {"mime": "a/b", "seconds": 1, "sample_rate": 1, "ending": "pcm"}


async def test_topics_are_forgotten_one_by_one_or_all_together(dev_server: WorkflowEnvironment) -> None:
    client, queue = dev_server.client, f"forget-{uuid.uuid4()}"
    worker = Worker(client, task_queue=queue, workflows=[Said], workflow_runner=UnsandboxedWorkflowRunner())
    async with worker:
        one, other = Topics(client), Topics(client)
        for chat in (one, other):
            await chat.fill(queue)
        assert await one.forget("5") == (1, 2)
        assert await one.left() == {one.chat, f"{one.chat}/55", "in-None", "in-55", "by-hand"}
        assert await one.forget(None) == (1, 3)
        assert await one.left() == {f"{one.chat}/55", "in-55"}
        assert await other.forget("55", whole_chat=True) == (3, 7)
        assert await other.left() == set()
        assert await one.forget("55") == (1, 2)


class Tasks:
    """Coding tasks of a chat: one in no thread, one in thread 5, and one of another chat."""

    def __init__(self, client: Client, queue: str) -> None:
        self.client, self.queue, self.chat, self.blobs = client, queue, uuid.uuid4().hex, BlobStore.open("memory://")
        self.names = [f"{self.chat}/77", f"{self.chat}/5/78", f"{self.chat}2/79"]

    async def begin(self, how: str) -> None:
        for name in self.names:
            chat = name.partition("/")[0]
            attributes = TypedSearchAttributes([SearchAttributePair(CHAT, f"file/{chat}")])
            await self.client.start_workflow(
                Task.run, how, id=f"code/file/{name}", task_queue=self.queue, search_attributes=attributes
            )
            await self.listed(chat, {f"code/file/{name}"})

    async def listed(self, chat: str, names: set[str]) -> None:
        async def are() -> bool:
            return names <= {run.id async for run in self.client.list_workflows(f"Chat = 'file/{chat}'")}

        await until(are)

    async def forget(self, thread: str | None, *, whole_chat: bool = False, asked_at: datetime | None = None) -> None:
        request = ForgetRequest(
            platform="file",
            chat=self.chat,
            thread=thread,
            whole_chat=whole_chat,
            conversation=f"chat/file/{self.chat}" + (f"/{thread}" if thread else ""),
            keep_run_id="none",
            tasks=f"code/file/{self.chat}/",
        )
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, scheduled_time=asked_at or datetime.now(UTC) + timedelta(hours=1))
        await environment.run(ForgetActivity(self.blobs, self.client, NOWHERE).forget, request)

    async def running(self) -> list[str]:
        async def is_running(name: str) -> bool:
            try:
                found = await self.client.get_workflow_handle(f"code/file/{name}").describe()
            except RPCError:
                return False
            return found.status is WorkflowExecutionStatus.RUNNING

        return [name for name in self.names if await is_running(name)]

    async def end(self) -> None:
        for name in await self.running():
            await self.client.get_workflow_handle(f"code/file/{name}").terminate()


async def test_a_task_under_way_ends_with_its_conversation_and_is_deleted(dev_server: WorkflowEnvironment) -> None:
    client, queue = dev_server.client, f"forget-{uuid.uuid4()}"
    worker = Worker(client, task_queue=queue, workflows=[Task], workflow_runner=UnsandboxedWorkflowRunner())
    async with worker, asyncio.timeout(30):
        tasks = Tasks(client, queue)
        await tasks.begin("ends")
        in_none, in_topic, elsewhere = tasks.names
        await tasks.forget(None, asked_at=datetime.now(UTC) - timedelta(hours=1))
        assert await tasks.running() == tasks.names, "begun after that"
        await tasks.forget("5")
        assert await tasks.running() == [in_none, elsewhere]
        await gone(client, f"code/file/{in_topic}", None)
        await tasks.forget(None)
        assert await tasks.running() == [elsewhere]
        await gone(client, f"code/file/{in_none}", None)
        await tasks.end()


async def test_all_tasks_end_with_the_whole_chat_by_force_if_need_be(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forget, "TASK_SECONDS", 0.3)
    client, queue = dev_server.client, f"forget-{uuid.uuid4()}"
    worker = Worker(client, task_queue=queue, workflows=[Task], workflow_runner=UnsandboxedWorkflowRunner())
    async with worker, asyncio.timeout(30):
        tasks = Tasks(client, queue)
        await tasks.begin("goes on")
        await tasks.forget(None, whole_chat=True)
        assert await tasks.running() == tasks.names[2:]
        await tasks.end()


def test_a_request_of_before_topics_is_read() -> None:
    request = ForgetRequest.model_validate({"platform": "file", "chat": "c", "conversation": "c", "keep_run_id": "r"})
    assert (request.thread, request.whole_chat) == (None, False)


async def test_runs_named_are_deleted_unless_kept_or_gone(dev_server: WorkflowEnvironment) -> None:
    client, queue, blobs = dev_server.client, f"forget-{uuid.uuid4()}", BlobStore.open("memory://")
    worker = Worker(client, task_queue=queue, workflows=[Said], workflow_runner=UnsandboxedWorkflowRunner())
    async with worker, asyncio.timeout(15):
        old, kept = str(uuid.uuid4()), await start(client, queue, "elsewhere", "end")
        await kept.result()
        run = str(kept.result_run_id)
        request = ForgetRequest(
            platform="file", chat="nobody", conversation=kept.id, keep_run_id=run, also_run_ids=(run, old)
        )
        forgotten = await ActivityEnvironment().run(ForgetActivity(blobs, client, NOWHERE).forget, request)
        assert (forgotten.blobs, forgotten.workflows) == (0, 0)
        again = request.model_copy(update={"keep_run_id": old})
        assert (await ActivityEnvironment().run(ForgetActivity(blobs, client, NOWHERE).forget, again)).workflows == 1
        await gone(client, kept.id, run)


@pytest.mark.parametrize("chat", ["' OR 'a' = 'a", 'x" OR "a'])
def test_queries_cannot_be_rewritten(chat: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        ForgetRequest(platform="file", chat=chat, conversation="c", keep_run_id="r")
