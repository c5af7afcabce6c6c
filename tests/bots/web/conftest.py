"""The page over Temporal's real server, and all of june but its engines."""

from collections.abc import AsyncIterator

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from bots.web.app import Page
from tests.support.page_client import page_of
from tests.support.world import World, running
from workflows.names import platform_queue


@pytest.fixture(scope="module")
async def workers(dev_server: WorkflowEnvironment) -> AsyncIterator[World]:
    """All of june but its engines and its page."""
    async with running(dev_server.client, World()) as world:
        web = Worker(dev_server.client, task_queue=platform_queue("web"), activities=[world.fetch, world.reply])
        async with web:
            yield world


@pytest.fixture
def world(workers: World) -> World:
    """The same, with nothing asked of it yet."""
    workers.reset()
    return workers


@pytest.fixture
def page(dev_server: WorkflowEnvironment) -> Page:
    """A page without a password, whose store is memory."""
    return page_of(dev_server.client)
