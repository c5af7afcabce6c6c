"""Workers that poll a queue, as a real server knows them."""

from uuid import uuid4

from temporalio import activity
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from workers.clients.pollers import living_pollers


@activity.defn
async def nothing() -> None:
    """Do nothing."""


async def test_a_worker_is_known_by_its_identity_and_an_unknown_queue_has_none(dev_server: WorkflowEnvironment) -> None:
    queue = f"queue-{uuid4().hex[:8]}"
    assert await living_pollers(dev_server.client, queue) == {}
    async with Worker(dev_server.client, task_queue=queue, activities=[nothing], identity="worker-1"):
        pollers: dict[str, object] = {}
        while not pollers:  # its first poll is on its way
            pollers = dict(await living_pollers(dev_server.client, queue))
    assert pollers.keys() == {"worker-1"}
