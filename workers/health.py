"""Liveness and readiness of one process, over HTTP (``/livez``, ``/readyz``) and gRPC's health protocol.

Live: the event loop turns. Ready: engines are loaded, the worker polls, the Temporal server answers.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from enum import StrEnum

import grpc
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2, health_pb2_grpc
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from temporalio.client import Client
from temporalio.service import RPCError

from workers.errors import UnavailableError
from workers.http import ExpectedHosts, listen_at, serving
from workers.settings import TelemetrySettings

CHECK_SECONDS = 1.0
"""The server is asked at most so often, however many probes come."""
UNREACHABLE_SECONDS = 5.0
"""A server that was silent for less is not yet called unreachable: it may just restart."""
CHECK_TIMEOUT = timedelta(seconds=1)


class Phase(StrEnum):
    """Where a process is in its life; also the sentence that ``/readyz`` answers."""

    STARTING = "loading"
    SERVING = "ready"
    STOPPING = "shutting down"


class Health:
    """What a process knows of its own readiness."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self._client: Client | None = None
        self._checked = 0.0
        self._answered = 0.0

    def serving(self, client: Client) -> None:
        """Report that engines are loaded and the worker polls, by this client."""
        self._client, self.phase = client, Phase.SERVING
        self._checked = self._answered = time.monotonic()

    def stopping(self) -> None:
        """Report that no new work is taken from here on."""
        self.phase = Phase.STOPPING

    async def obstacle(self) -> str | None:
        """Return why this process is not ready; None when it is."""
        if self.phase is not Phase.SERVING or self._client is None:
            return self.phase.value
        now = time.monotonic()
        if now - self._checked >= CHECK_SECONDS:
            self._checked = now
            with suppress(RPCError):
                if await self._client.service_client.check_health(timeout=CHECK_TIMEOUT):
                    self._answered = time.monotonic()
        if time.monotonic() - self._answered > UNREACHABLE_SECONDS:
            return "the Temporal server does not answer"
        return None


@asynccontextmanager
async def serve_health(health: Health, settings: TelemetrySettings) -> AsyncIterator[None]:
    """Answer probes, by HTTP and by gRPC, on the addresses that are set, for as long as the block runs.

    Raises:
        UnavailableError: an address cannot be listened on.

    """
    async with AsyncExitStack() as stack:
        if settings.health_address:
            listener = listen_at(settings.health_address, lambda _: _taken(settings.health_address))
            app = ExpectedHosts(build_app(health), settings.telemetry_hosts)
            await stack.enter_async_context(serving(app, listener))
        if settings.grpc_health_address:
            server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])  # a taken port is an error
            health_pb2_grpc.add_HealthServicer_to_server(GrpcHealth(health), server)
            try:
                server.add_insecure_port(settings.grpc_health_address)
            except RuntimeError as error:
                raise UnavailableError(_taken(settings.grpc_health_address)) from error
            await server.start()
            stack.push_async_callback(server.stop, grace=None)
        yield


def _taken(address: str) -> str:
    return f"The health address {address} cannot be listened on: another process may hold it."


def build_app(health: Health) -> Starlette:
    """Build the HTTP application: ``/livez`` always 200, ``/readyz`` 200 or 503 with the reason."""

    async def livez(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("live")

    async def readyz(_request: Request) -> PlainTextResponse:
        obstacle = await health.obstacle()
        return PlainTextResponse(obstacle or Phase.SERVING.value, status_code=503 if obstacle else 200)

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz)])


class GrpcHealth(grpc_health.aio.HealthServicer):  # type: ignore[misc] # grpc_health has no types
    """gRPC's health protocol: service ``""`` is readiness, service ``liveness`` is liveness.

    Readiness is looked up when it is asked for. A task that did so once a second, whether anything asks or not, would
    take 1.6 ms of processor time each, 1 % of a core for the seven processes of an idle machine.
    """

    def __init__(self, health: Health) -> None:
        super().__init__()
        self._health = health

    async def Check(  # noqa: N802 - the protocol's name
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Return the status of now; unknown services are not found."""
        await self._refresh()
        return await super().Check(request, context)

    async def Watch(  # noqa: N802 - the protocol's name
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> None:
        """Send the status of now, and each change within a second; unknown services stay unknown."""

        async def keep_fresh() -> None:
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                await self._refresh()

        await self._refresh()
        fresh = asyncio.create_task(keep_fresh())
        try:
            await super().Watch(request, context)
        finally:
            fresh.cancel()

    async def _refresh(self) -> None:
        """Set the statuses by this process's health."""
        status = health_pb2.HealthCheckResponse.ServingStatus
        await self.set("liveness", status.SERVING)
        await self.set("", status.NOT_SERVING if await self._health.obstacle() else status.SERVING)
