"""A benchmark's world, scripted."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.support.benchmark_world import BenchmarkWorld, benchmarks


@pytest.fixture
async def world(time_skipping: WorkflowEnvironment) -> AsyncIterator[BenchmarkWorld]:
    """Workers of all queues that a run needs."""
    async with benchmarks(time_skipping.client, BenchmarkWorld()) as world:
        yield world


@pytest.fixture
def client(time_skipping: WorkflowEnvironment) -> Client:
    """A client of the server that skips time."""
    return time_skipping.client
