"""Updates and queries of workflows, for people who wait for what comes of them."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

TIMEOUT = timedelta(seconds=10)
"""With a worker that has to answer; people who would wait longer are asked to try again."""

T = TypeVar("T")


async def update_with_start(
    client: Client,
    update: str,
    args: Sequence[object],
    start: WithStartWorkflowOperation[Any, Any],
    result: type[Any] | None,
) -> Any:  # noqa: ANN401 - what the workflow returns
    """Update a workflow, which is started when there is none, and return what it returns, at most ``TIMEOUT`` later."""
    try:
        return await client.execute_update_with_start_workflow(
            update, args=args, start_workflow_operation=start, result_type=result, rpc_timeout=TIMEOUT
        )
    except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError):
        with suppress(RPCError):  # the start has failed with the update; unasked, asyncio would log that as lost
            await start.workflow_handle()
        raise


async def query_or(
    client: Client, workflow_id: str, query: str, kind: type[T], default: T, rpc_timeout: timedelta | None = None
) -> T:
    """Query a workflow; return the default where there is none."""
    workflow = client.get_workflow_handle(workflow_id)
    try:
        answer: T = await workflow.query(query, result_type=kind, rpc_timeout=rpc_timeout or TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return default
    return answer
