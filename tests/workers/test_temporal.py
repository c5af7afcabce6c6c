"""Connecting as operators configure it, and saying clearly when nobody answers."""

import socket
import sys
import time
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.ports import free_port
from workers.errors import ExitCode, UnavailableError
from workers.settings import TelemetrySettings
from workers.temporal import connect, connection_config, ensure_search_attributes, is_serving, missing_search_attributes
from workflows.names import SEARCH_ATTRIBUTES


async def test_the_environment_names_the_server(address: str) -> None:
    client = await connect(TelemetrySettings())
    assert client.service_client.config.target_host == address
    assert await client.service_client.check_health()


def test_without_configuration_it_is_the_embedded_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("JUNE_EMBEDDED_TEMPORAL_PORT", "17233")
    assert connection_config().get("target_host") == "127.0.0.1:17233"


async def test_nobody_answers() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(UnavailableError, match=f"No Temporal server answers at {address}.*june up") as caught:
        await connect(TelemetrySettings(), address=address)
    assert caught.value.exit_code is ExitCode.UNAVAILABLE


async def test_the_timeout_is_kept() -> None:
    started = time.monotonic()
    with pytest.raises(UnavailableError):
        await connect(TelemetrySettings(), address=f"127.0.0.1:{free_port()}", timeout_seconds=0.5)
    assert 0.5 <= time.monotonic() - started < 20


async def test_a_server_serves_or_does_not(address: str) -> None:
    assert await is_serving(address, 5)
    assert not await is_serving(f"127.0.0.1:{free_port()}", 5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not await is_serving(f"127.0.0.1:{silent.getsockname()[1]}", 0.2)


async def test_missing_search_attributes_are_added() -> None:
    binary = Path(sys.prefix) / "bin" / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error", search_attributes=SEARCH_ATTRIBUTES[:1]
    ) as environment:
        missing = await missing_search_attributes(environment.client)
        assert set(missing) == {key.name for key in SEARCH_ATTRIBUTES[1:]}
        await ensure_search_attributes(environment.client)
        await ensure_search_attributes(environment.client)
        assert await missing_search_attributes(environment.client) == {}


async def test_metrics_on_a_taken_port_are_said_clearly(address: str) -> None:
    with pytest.raises(UnavailableError, match="Metrics cannot be served"):
        await connect(TelemetrySettings(metrics_address=address.replace("localhost", "127.0.0.1")))
