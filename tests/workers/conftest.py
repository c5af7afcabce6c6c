"""What the tests of processes share: ports, and a server named as operators name it."""

import random
import socket
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from workers.kinds import Kind
from workers.ports import is_free
from workers.settings import PROJECT, EmbeddedSettings, StorageSettings

SMALL_MODEL = "smollm2-135m-instruct"


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


def free_ports(count: int) -> int:
    """Find the first of so many free ports in a row, below those that the kernel gives to outgoing connections."""
    while True:
        first = random.randrange(20_000, 32_000)  # noqa: S311 - nobody needs to be surprised
        if all(is_free(port) for port in range(first, first + count)):
            return first


def prepared_home(folder: Path) -> StorageSettings:
    """Make a home whose models are those of the project; the rest is its own."""
    models = PROJECT / "var" / "models"
    if not (models / SMALL_MODEL).exists():
        pytest.skip("the models are not there: make models")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(models)
    return StorageSettings(home=folder, file_roots=(folder, PROJECT))


def own_ports() -> EmbeddedSettings:
    """Choose ports that no other stack uses."""
    first = free_ports(3 + 3 * len(Kind))
    return EmbeddedSettings(temporal_port=first, ui_port=first + 1, llm_port=first + 2, worker_port_base=first + 3)
