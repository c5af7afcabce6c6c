"""Forget a chat: its stored audio, and its finished workflows with all that was said in them."""

from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.blobs import BlobStore
from activities.heartbeats import heartbeats
from activities.values import Identifier, Value


class ForgetRequest(Value):
    """Which chat to forget."""

    platform: Identifier
    chat: Identifier
    conversation: str
    """Workflow id of the conversation."""
    keep_run_id: str
    """The conversation's run that asks, and goes on."""
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

    def __init__(self, blobs: BlobStore, client: Client) -> None:
        """Delete from a store of audio, and from the namespace of a client."""
        self._blobs = blobs
        self._client = client

    @activity.defn
    async def forget(self, request: ForgetRequest) -> Forgotten:
        """Delete the chat's audio and its closed workflow runs, all but ``keep_run_id``."""
        # Identifiers hold no quotes, so the query cannot be turned into another one.
        query = f"Chat = '{request.platform}/{request.chat}' AND ExecutionStatus != 'Running'"
        async with heartbeats():
            runs = {(run.id, run.run_id) async for run in self._client.list_workflows(query)}
            runs |= {(request.conversation, run) for run in request.also_run_ids}
            deleted = 0
            for workflow, run in sorted(runs):
                if run == request.keep_run_id:
                    continue
                execution = WorkflowExecution(workflow_id=workflow, run_id=run)
                deletion = DeleteWorkflowExecutionRequest(
                    namespace=self._client.namespace, workflow_execution=execution
                )
                try:
                    await self._client.workflow_service.delete_workflow_execution(deletion)
                except RPCError as error:
                    if error.status != RPCStatusCode.NOT_FOUND:  # it was deleted before
                        raise
                else:
                    deleted += 1
            blobs = await self._blobs.delete_chat(request.platform, request.chat)
        return Forgotten(blobs=blobs, workflows=deleted)
