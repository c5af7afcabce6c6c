"""Probes over real HTTP and real gRPC."""

import asyncio
import http.client
import sys
import time
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from temporalio.testing import WorkflowEnvironment

from tests.support.ports import free_port
from workers import health as health_module
from workers.errors import UnavailableError
from workers.health import Health, serve_health
from workers.settings import TelemetrySettings

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def settings() -> TelemetrySettings:
    """Choose free addresses."""
    return TelemetrySettings(health_address=f"127.0.0.1:{free_port()}", grpc_health_address=f"127.0.0.1:{free_port()}")


async def get(telemetry: TelemetrySettings, path: str, **headers: str) -> tuple[int, str]:
    """Probe by HTTP."""

    def request() -> tuple[int, str]:
        connection = http.client.HTTPConnection(telemetry.health_address, timeout=5)
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()

    return await asyncio.to_thread(request)


async def check(telemetry: TelemetrySettings, service: str = "") -> int:
    """Probe by gRPC."""
    async with grpc.aio.insecure_channel(telemetry.grpc_health_address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return int((await stub.Check(health_pb2.HealthCheckRequest(service=service))).status)


async def test_a_process_is_ready_between_loading_and_stopping(dev_server: WorkflowEnvironment) -> None:
    health, telemetry = Health(), settings()
    async with serve_health(health, telemetry):
        assert await get(telemetry, "/livez") == (200, "live")
        assert await get(telemetry, "/readyz") == (503, "loading")
        assert await check(telemetry) == NOT_SERVING
        assert await check(telemetry, "liveness") == SERVING
        health.serving(dev_server.client)
        assert await get(telemetry, "/readyz") == (200, "ready")
        assert await check(telemetry) == SERVING
        health.stopping()
        assert await get(telemetry, "/readyz") == (503, "shutting down")
        assert await get(telemetry, "/livez") == (200, "live")
        assert await check(telemetry) == NOT_SERVING


@pytest.mark.slow
async def test_a_watcher_hears_of_changes(dev_server: WorkflowEnvironment) -> None:
    health, telemetry = Health(), settings()
    async with (
        serve_health(health, telemetry),
        grpc.aio.insecure_channel(telemetry.grpc_health_address) as channel,
    ):
        call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await call.read()).status == NOT_SERVING
        health.serving(dev_server.client)
        assert (await call.read()).status == SERVING
        call.cancel()


async def test_an_unknown_service_is_not_found() -> None:
    telemetry = settings()
    async with serve_health(Health(), telemetry):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await check(telemetry, "nobody")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_page_whose_name_is_rebound_reads_nothing() -> None:
    telemetry = settings().model_copy(update={"telemetry_hosts": ("workers",)})
    async with serve_health(Health(), telemetry):
        for path in ("/livez", "/readyz"):
            status, text = await get(telemetry, path, Host="evil.example:8081")
            assert (status, "JUNE_TELEMETRY_HOSTS" in text) == (421, True)
        for host in ("localhost", telemetry.health_address, "workers:8081"):
            assert await get(telemetry, "/livez", Host=host) == (200, "live")


async def test_browsers_cannot_ask_by_grpc() -> None:
    telemetry = settings()
    async with serve_health(Health(), telemetry):
        host, _, port = telemetry.grpc_health_address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /grpc.health.v1.Health/Check HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n")
        said = await reader.read()  # no answer, and the end; frames of HTTP/2 alone, which no browser reads as HTTP/1.1
        writer.close()
    assert b"HTTP/1" not in said
    assert b"SERVING" not in said


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:"])
async def test_an_address_that_is_none_is_said_clearly(address: str) -> None:
    with pytest.raises(UnavailableError, match=address):
        async with serve_health(Health(), TelemetrySettings(health_address=address)):
            pass


@pytest.mark.slow
async def test_not_ready_when_the_server_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "UNREACHABLE_SECONDS", 1.5)
    binary = Path(sys.prefix) / "bin" / "temporal"
    health = Health()
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        health.serving(environment.client)
        assert await health.obstacle() is None
    assert await health.obstacle() is None, "a short silence is no outage"
    deadline = time.monotonic() + 10
    while await health.obstacle() is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    assert await health.obstacle() == "the Temporal server does not answer"


@pytest.mark.parametrize("setting", ["health_address", "grpc_health_address"])
async def test_a_taken_address_is_said_clearly(setting: str) -> None:
    telemetry = settings()
    async with serve_health(Health(), telemetry):
        again = TelemetrySettings(**{setting: getattr(telemetry, setting)})
        with pytest.raises(UnavailableError, match=getattr(telemetry, setting)):
            async with serve_health(Health(), again):
                pass
