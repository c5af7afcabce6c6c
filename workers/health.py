"""Liveness and readiness of one process, over HTTP (``/livez``, ``/readyz``) and gRPC's health protocol.

Live: the event loop turns. Ready: engines are loaded, the worker polls, the Temporal server answers.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from datetime import timedelta
from enum import StrEnum

import grpc
import uvicorn
from grpc_health.v1 import health_pb2, health_pb2_grpc
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from temporalio.client import Client
from temporalio.service import RPCError

from workers.errors import UnavailableError
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
        """Begin as loading."""
        self.phase = Phase.STARTING
        self._client: Client | None = None
        self._checked = 0.0
        self._answered = 0.0

    def serving(self, client: Client) -> None:
        """Engines are loaded and the worker polls, by this client."""
        self._client, self.phase = client, Phase.SERVING
        self._checked = self._answered = time.monotonic()

    def stopping(self) -> None:
        """No new work from here on."""
        self.phase = Phase.STOPPING

    async def obstacle(self) -> str | None:
        """Say why this process is not ready; None when it is."""
        if self.phase is not Phase.SERVING:
            return self.phase.value
        if time.monotonic() - self._checked >= CHECK_SECONDS:
            await self._check()
        if time.monotonic() - self._answered > UNREACHABLE_SECONDS:
            return "the Temporal server does not answer"
        return None

    async def _check(self) -> None:
        self._checked = time.monotonic()
        try:
            if self._client and await self._client.service_client.check_health(timeout=CHECK_TIMEOUT):
                self._answered = time.monotonic()
        except RPCError:
            return


@asynccontextmanager
async def serve_health(health: Health, settings: TelemetrySettings) -> AsyncIterator[None]:
    """Answer probes, by HTTP and by gRPC, on the addresses that are set, for as long as the block runs."""
    async with AsyncExitStack() as stack:
        if settings.health_address:
            await stack.enter_async_context(_serve_http(health, settings.health_address))
        if settings.grpc_health_address:
            await stack.enter_async_context(_serve_grpc(health, settings.grpc_health_address))
        yield


def build_app(health: Health) -> Starlette:
    """Build the HTTP application: ``/livez`` always 200, ``/readyz`` 200 or 503 with the reason."""

    async def livez(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("live")

    async def readyz(_request: Request) -> PlainTextResponse:
        obstacle = await health.obstacle()
        return PlainTextResponse(obstacle or Phase.SERVING.value, status_code=503 if obstacle else 200)

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz)])


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers: the process's own decide when it ends."""

    def capture_signals(self) -> nullcontext[None]:  # type: ignore[override] # a context manager as well
        return nullcontext()


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    try:
        return socket.create_server((host, int(port)))
    except OSError as error:
        raise _taken(address) from error


def _taken(address: str) -> UnavailableError:
    return UnavailableError(f"The health address {address} cannot be listened on: another process may hold it.")


@asynccontextmanager
async def _serve_http(health: Health, address: str) -> AsyncIterator[None]:
    server = _Server(uvicorn.Config(build_app(health), log_config=None, access_log=False, lifespan="off", ws="none"))
    serving = asyncio.create_task(server.serve([_listen(address)]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class GrpcHealth(health_pb2_grpc.HealthServicer):  # type: ignore[misc] # grpc_health has no types
    """gRPC's health protocol: service ``""`` is readiness, service ``liveness`` is liveness."""

    def __init__(self, health: Health) -> None:
        """Answer from this process's health."""
        self._health = health

    async def Check(  # noqa: N802 - the protocol's name
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Answer once."""
        if request.service not in ("", "liveness"):
            await context.abort(grpc.StatusCode.NOT_FOUND, "known services: '' (readiness), 'liveness'")
        return health_pb2.HealthCheckResponse(status=await self._status(request.service))

    async def Watch(  # noqa: N802 - the protocol's name
        self, request: health_pb2.HealthCheckRequest, _context: grpc.aio.ServicerContext
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Answer now and at every change; unknown services stay unknown, as the protocol says."""
        last = None
        while True:
            status = await self._status(request.service)
            if status != last:
                yield health_pb2.HealthCheckResponse(status=status)
            last = status
            await asyncio.sleep(CHECK_SECONDS)

    async def _status(self, service: str) -> int:
        known = health_pb2.HealthCheckResponse
        if service == "liveness":
            return int(known.SERVING)
        if service:
            return int(known.SERVICE_UNKNOWN)
        return int(known.NOT_SERVING if await self._health.obstacle() else known.SERVING)


@asynccontextmanager
async def _serve_grpc(health: Health, address: str) -> AsyncIterator[None]:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])  # a taken port is an error
    health_pb2_grpc.add_HealthServicer_to_server(GrpcHealth(health), server)
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise _taken(address) from error
    await server.start()
    try:
        yield
    finally:
        await server.stop(grace=None)
