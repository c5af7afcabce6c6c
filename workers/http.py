"""An HTTP server beside a worker: an ASGI application on an open port, until its background task is cancelled."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

GOODBYE_SECONDS = 2
"""For requests under way when the server is told to stop."""


class _Server(uvicorn.Server):
    """Signals are the worker's affair, and reach this server as the cancellation of its background task."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket, most_connections: int) -> AsyncIterator[asyncio.Task[None]]:
    """Serve for as long as the block runs; then finish requests, and close.

    The task that the block is given ends only when the server does, which is a fault.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
        limit_concurrency=most_connections,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield task
    finally:
        server.should_exit = True
        await asyncio.wait({task})
