"""Fixtures for all tests: Temporal's real server, started once."""

import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from temporalio.testing import WorkflowEnvironment

from tests.support.encryption import CONVERTER
from workers import network
from workers.local.programs import DYNAMIC_CONFIG, TEMPORAL_MEMORY
from workflows.names import SEARCH_ATTRIBUTES

os.environ.update(network.variables(os.environ))  # before any test loads an engine

# A time limit for an example, or for making one, measures the machine, which is shared with other tests: none is set.
# `pytest --hypothesis-profile thorough` looks further; the fast tests by themselves look less far.
for profile, examples in (("quick", 15), ("june", 50), ("thorough", 2000)):
    settings.register_profile(
        profile, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("june")

TEMPORAL = Path(sys.prefix) / "bin" / "temporal"
REAL_TIME = "default"
"""The namespace in which nobody skips time."""
CONFIG = DYNAMIC_CONFIG | {"frontend.WorkflowTimeSkippingEnabled": "true"}


async def start_dev_server() -> WorkflowEnvironment:
    """Start Temporal's dev server as june does, with a clock of its own for each workflow that its client starts."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in TEMPORAL_MEMORY.items():
            environment.setenv(name, value)
        return await WorkflowEnvironment.start_time_skipping_v2(
            namespace="skipping",
            data_converter=CONVERTER,
            dev_server_existing_path=str(TEMPORAL),
            dev_server_log_level="error",
            dev_server_startup_timeout=timedelta(seconds=30),
            dev_server_extra_args=[
                *("--namespace", REAL_TIME),
                *(word for pair in CONFIG.items() for word in ("--dynamic-config-value", "=".join(pair))),
            ],
            search_attributes=list(SEARCH_ATTRIBUTES),
        )


@pytest.fixture(scope="session")
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """Temporal's dev server, shared; hours pass in milliseconds."""
    async with await start_dev_server() as environment:
        yield environment


@pytest.fixture(scope="session")
async def dev_server(time_skipping: WorkflowEnvironment) -> WorkflowEnvironment:
    """The same server in real time."""
    client = await time_skipping.connect_client(namespace=REAL_TIME, data_converter=CONVERTER)
    return WorkflowEnvironment.from_client(client)
