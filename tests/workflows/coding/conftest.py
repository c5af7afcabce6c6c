"""A coding task's world, scripted, and the clients that look at it."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.support.coding_world import CodingWorld, coding


@pytest.fixture
async def world(time_skipping: WorkflowEnvironment) -> AsyncIterator[CodingWorld]:
    """Workers of all queues that a task needs."""
    async with coding(time_skipping.client, CodingWorld()) as world:
        yield world


@pytest.fixture
def client(time_skipping: WorkflowEnvironment) -> Client:
    """A client of the server that skips time."""
    return time_skipping.client
