"""The activity ``forget``, on a real server."""

import asyncio
import uuid

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.blobs import BlobStore
from activities.forget import ForgetActivity, ForgetRequest
from workflows.names import CHAT


@workflow.defn(name="Said")
class Said:
    """A workflow that ends at once, or never, or goes on in a new run."""

    @workflow.run
    async def run(self, how: str) -> None:
        if how == "wait":
            await workflow.wait_condition(lambda: False)
        if how == "continue":
            workflow.continue_as_new("wait")


async def start(client: Client, queue: str, chat: str, how: str) -> WorkflowHandle[Said, None]:
    attributes = TypedSearchAttributes([SearchAttributePair(CHAT, f"file/{chat}")])
    return await client.start_workflow(
        Said.run, how, id=f"{how}/{uuid.uuid4()}", task_queue=queue, search_attributes=attributes
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

        forgotten = await ActivityEnvironment().run(ForgetActivity(blobs, client).forget, request)

        assert (forgotten.blobs, forgotten.workflows) == (1, 3)
        for handle in closed:
            await gone(client, handle.id, handle.result_run_id)
        await gone(client, conversation.id, conversation.first_execution_run_id)
        for handle in (strange, running, client.get_workflow_handle(conversation.id, run_id=now)):
            await handle.describe()
        assert await blobs.delete_chat("file", other) == 1
        await running.terminate()
        await client.get_workflow_handle(conversation.id).terminate()


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
        forgotten = await ActivityEnvironment().run(ForgetActivity(blobs, client).forget, request)
        assert (forgotten.blobs, forgotten.workflows) == (0, 0)
        again = request.model_copy(update={"keep_run_id": old})
        assert (await ActivityEnvironment().run(ForgetActivity(blobs, client).forget, again)).workflows == 1
        await gone(client, kept.id, run)


@pytest.mark.parametrize("chat", ["' OR 'a' = 'a", 'x" OR "a'])
def test_queries_cannot_be_rewritten(chat: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        ForgetRequest(platform="file", chat=chat, conversation="c", keep_run_id="r")
