"""Fixtures for all tests: Temporal's real servers, each started once."""

import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from workflows.contracts import SEARCH_ATTRIBUTES

TEMPORAL = Path(sys.prefix) / "bin" / "temporal"
TUNING = [
    flag
    for key in ("transferProcessorMaxPollRPS", "timerProcessorMaxPollRPS", "visibilityProcessorMaxPollRPS")
    for flag in ("--dynamic-config-value", f"history.{key}=1000")
]
SKIPPING = [
    *("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"),
    # A timer may fire late by a second for the sake of batching; a test skips many.
    *("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"'),
]


@pytest.fixture(scope="session")
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """Temporal's dev server with a clock of its own for each workflow: hours pass in milliseconds."""
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        dev_server_startup_timeout=timedelta(seconds=30),
        dev_server_extra_args=[*SKIPPING, *TUNING],
        search_attributes=list(SEARCH_ATTRIBUTES),
    )
    async with environment:
        yield environment


async def start_dev_server() -> WorkflowEnvironment:
    """Start Temporal's dev server, in real time."""
    return await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        dev_server_startup_timeout=timedelta(seconds=30),
        dev_server_extra_args=TUNING,
        search_attributes=list(SEARCH_ATTRIBUTES),
    )


@pytest.fixture(scope="session")
async def dev_server() -> AsyncIterator[WorkflowEnvironment]:
    """Temporal's dev server, in real time, shared."""
    async with await start_dev_server() as environment:
        yield environment
