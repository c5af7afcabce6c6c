"""What the tests of processes share: ports, and a server named as operators name it."""

import socket

import pytest
from temporalio.testing import WorkflowEnvironment


def free_port() -> int:
    """Find a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def address(dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name the dev server in Temporal's environment configuration."""
    address = dev_server.client.service_client.config.target_host
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
    return address
