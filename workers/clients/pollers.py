"""Workers that poll a task queue."""

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

LONG_POLL = timedelta(seconds=75)
"""A worker polls at least every 60 s, as a poll lasts that long at most."""


async def living_pollers(client: Client, queue: str) -> dict[str, datetime]:
    """Return the workers that polled for activities within the last long poll, and when they last did.

    The server keeps dead ones for longer, and a worker whose slots are all in use does not poll.
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    described = await client.workflow_service.describe_task_queue(request)
    seen = {poller.identity: poller.last_access_time.ToDatetime(UTC) for poller in described.pollers}
    return {identity: last for identity, last in seen.items() if datetime.now(UTC) - last < LONG_POLL}
