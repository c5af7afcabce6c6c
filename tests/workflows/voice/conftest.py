"""What turns are tried in: a client that skips time, where a module has no other, and scripted activities."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.support.world import World, running


@pytest.fixture
def client(time_skipping: WorkflowEnvironment) -> Client:
    return time_skipping.client


@pytest.fixture
async def world(client: Client) -> AsyncIterator[World]:
    async with running(client, World()) as world:
        yield world
