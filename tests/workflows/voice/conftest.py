"""What turns are tried in: a client that skips time, where a module has no other, and scripted activities."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from tests.support.conversation import Chat
from tests.support.world import World, running


@pytest.fixture(scope="module")
def client(time_skipping: WorkflowEnvironment) -> Client:
    return time_skipping.client


@pytest.fixture(scope="module")
async def workers(client: Client) -> AsyncIterator[World]:
    """Workers that the tests of a module have in common."""
    async with running(client, World()) as world:
        yield world


@pytest.fixture
def world(workers: World) -> World:
    """The same, with nothing asked of it yet."""
    workers.reset()
    return workers


@pytest.fixture
async def chat(client: Client) -> AsyncIterator[Chat]:
    """A chat, whose conversation ends with the test."""
    chat = Chat(client)
    yield chat
    with suppress(RPCError):
        await chat.handle.terminate()
