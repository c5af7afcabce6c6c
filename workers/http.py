"""HTTP servers beside a worker: an ASGI application on a listening socket, until the worker stops."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from workers.errors import UnavailableError

SHUTDOWN_SECONDS = 2
"""Timeout for requests under way when the server is told to stop."""


def listen(host: str, port: int, explain: Callable[[OSError], str]) -> socket.socket:
    """Listen on a host, IPv4, IPv6 or by name; connections wait until an application is served.

    Args:
        host: address or name.
        port: 1 to 65535.
        explain: returns the sentence of the error, which names the setting to change.

    Raises:
        UnavailableError: the port is taken, or the address is not this machine's.

    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UnavailableError(explain(error)) from error


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers: the worker has its own, and stops this server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, listener: socket.socket, max_connections: int | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve for as long as the block runs; then finish requests, and close.

    Yields:
        The server's task, to be awaited by ``asyncio.shield``: before the block it ends only by an error.

    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        limit_concurrency=max_connections,
    )
    server = _Server(config)

    async def serve() -> None:
        await server.serve(sockets=[listener])
        if not server.should_exit:
            raise RuntimeError("the HTTP server has ended by itself")

    task = asyncio.create_task(serve())
    try:
        yield task
    finally:
        server.should_exit = True
        await asyncio.wait({task})
