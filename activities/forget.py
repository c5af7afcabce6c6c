"""Forget a conversation, or a whole chat: stored audio, replies in files, and ended workflows with all that was said.

The server overwrites what it deletes (`workers.local.database`), where june runs it; elsewhere that is its operator's.
"""

import asyncio
from collections.abc import Iterable

from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.client import WorkflowExecution as Run
from temporalio.service import RPCError, RPCStatusCode

from activities.blobs import BlobStore
from activities.heartbeats import heartbeats
from activities.platforms.file import FilePlatform, Outbox
from activities.values import Identifier, Value

TASK_SECONDS = 30.0
"""With a coding task that is to end; a sandbox worker that has died is noticed in that time."""


class ForgetRequest(Value):
    """Which conversation to forget."""

    platform: Identifier
    chat: Identifier
    thread: Identifier | None = None
    """The chat's topic; None is what was said in none."""
    whole_chat: bool = False
    """All topics of the chat are forgotten."""
    conversation: str
    """Workflow id of the conversation; a topic's is the chat's with ``/<thread>`` after it."""
    keep_run_id: str
    """The conversation's run that asks, and goes on."""
    tasks: str = ""
    """How the ids of the chat's coding tasks begin; after that come a thread, if it was given in one, and a message."""
    also_run_ids: tuple[str, ...] = ()
    """Earlier runs of the conversation that the visibility store may not list (yet)."""


class Forgotten(Value):
    """What was deleted."""

    blobs: int
    """Audio files."""
    workflows: int
    """Workflow runs; the server deletes them in the background."""


class ForgetActivity:
    """The activity ``forget``."""

    def __init__(self, blobs: BlobStore, client: Client, outbox: Outbox) -> None:
        """Delete from a store of audio, from the namespace of a client, and from the outbox of platform ``file``."""
        self._blobs = blobs
        self._client = client
        self._outbox = outbox

    @activity.defn
    async def forget(self, request: ForgetRequest) -> Forgotten:
        """Delete the audio, the replies in files, and the closed workflow runs, all but ``keep_run_id``."""
        deleted = {request.keep_run_id}
        count = 0
        async with heartbeats():
            await self._end_tasks(request)
            blobs = await self._delete_audio(request)
            while True:
                runs = await self._runs(request)
                # Again until nothing new is listed: the list lags behind what has just begun or ended.
                closed = {(run.id, run.run_id) for run in runs if _is_of(run, request) and await self._has_ended(run)}
                closed |= {(request.conversation, run) for run in request.also_run_ids}
                closed = {(workflow, run) for workflow, run in closed if run not in deleted}
                if request.platform == FilePlatform.platform:
                    await asyncio.to_thread(self._delete_replies, request, runs)
                if not closed:
                    return Forgotten(blobs=blobs, workflows=count)
                for workflow, run in sorted(closed):
                    count += await self._delete_run(workflow, run)
                    deleted.add(run)

    async def _end_tasks(self, request: ForgetRequest) -> None:
        """End the coding tasks that were begun before the chat was to be forgotten: they store and say nothing more."""
        asked_at = activity.info().scheduled_time
        for run in await self._runs(request):
            running = run.status is WorkflowExecutionStatus.RUNNING and run.start_time <= asked_at
            if running and request.tasks and run.id.startswith(request.tasks) and _is_of(run, request):
                await self._end_task(self._client.get_workflow_handle(run.id, run_id=run.run_id))

    async def _end_task(self, task: WorkflowHandle[object, object]) -> None:
        """Cancel a task, and wait until what it does has ended; one that does not end in time is terminated."""
        try:
            await task.signal("forget")
            await task.cancel()
            async with asyncio.timeout(TASK_SECONDS):
                await task.result()
        except WorkflowFailureError:  # it is cancelled
            return
        except TimeoutError:
            await task.terminate("its chat is forgotten")
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended meanwhile
                raise

    async def _runs(self, request: ForgetRequest) -> list[Run]:
        """List all runs of the chat, its other conversations' among them."""
        # Identifiers hold no quotes, so the query cannot be turned into another one.
        return [run async for run in self._client.list_workflows(f"Chat = '{request.platform}/{request.chat}'")]

    async def _has_ended(self, run: Run) -> bool:
        """Tell whether a run has ended; one that is listed as running may have, meanwhile."""
        if run.status is not WorkflowExecutionStatus.RUNNING:
            return True
        try:
            found = await self._client.get_workflow_handle(run.id, run_id=run.run_id).describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return False
        return found.status is not WorkflowExecutionStatus.RUNNING

    async def _delete_run(self, workflow: str, run: str) -> bool:
        execution = WorkflowExecution(workflow_id=workflow, run_id=run)
        deletion = DeleteWorkflowExecutionRequest(namespace=self._client.namespace, workflow_execution=execution)
        try:
            await self._client.workflow_service.delete_workflow_execution(deletion)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:  # it was deleted before
                raise
            return False
        return True

    async def _delete_audio(self, request: ForgetRequest) -> int:
        if request.whole_chat:
            return await self._blobs.delete_chat(request.platform, request.chat)
        return await self._blobs.delete_conversation(request.platform, request.chat, request.thread)

    def _delete_replies(self, request: ForgetRequest, runs: Iterable[Run]) -> None:
        if request.whole_chat:
            self._outbox.delete(request.chat, None)
        elif request.thread is not None:
            self._outbox.delete(request.chat, {_message(run) for run in runs if _is_of(run, request)})
        else:
            others = {_message(run) for run in runs if not _is_of(run, request)}
            self._outbox.delete(request.chat, None, keep=others)


def _message(run: Run) -> str:
    """Return the message that a turn answers, by the end of its workflow's id."""
    return run.id.rpartition("/")[2]


def _is_of(run: Run, request: ForgetRequest) -> bool:
    """Tell whether a run of the chat is forgotten: the conversation's, one of a turn that it began, or its task's.

    With what was said in no topic go the turns that no conversation began.
    """
    begun_by = run.parent_id or run.id
    if request.tasks and run.id.startswith(request.tasks) and not request.whole_chat:
        return run.id.removeprefix(request.tasks).rpartition("/")[0] == (request.thread or "")
    if request.whole_chat or begun_by == request.conversation:
        return True
    return request.thread is None and not begun_by.startswith(f"{request.conversation}/")
