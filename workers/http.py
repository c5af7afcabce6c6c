"""HTTP servers beside a worker: an ASGI application on a listening socket, until the worker stops.

Whoever connects may be slow, silent or hostile: connections and bodies that do not come along are closed, so that they
are in nobody's way.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from email.utils import formatdate
from typing import Any

import h11
import uvicorn
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from bots.web.guard import LOOPBACK, SAFE_METHODS, host_name
from workers.errors import UnavailableError

SHUTDOWN_SECONDS = 2
"""Timeout for requests under way when the server is told to stop."""
HEAD_SECONDS = 10.0
"""From the connection, or the answer before, to the end of a request's headers."""
HEAD_BYTES = 16_384
STALLED_SECONDS = 30.0
"""A client that takes nothing of its answer for so long is gone."""
BODY_SECONDS = 10.0
BODY_BYTES_PER_SECOND = 8_000
"""A body may take ``BODY_SECONDS``, and longer for what has come of it, at this pace."""
LINGER_SECONDS = 1.0
LINGER_BYTES = 65_536
"""After an answer to a request whose body was not read, until the connection is closed: a client that still sends may
miss the answer otherwise."""
MAX_CONNECTIONS = 100


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


def listen_at(address: str, explain: Callable[[OSError], str]) -> socket.socket:
    """Listen at ``host:port``, as ``listen`` does; an address that is none is an error of the same kind."""
    host, _, port = address.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) >= 1 << 16:
        raise UnavailableError(explain(OSError("it is not host:port")))
    return listen(host.strip("[]"), int(port), explain)


class ExpectedHosts:
    """ASGI middleware that answers only requests for loopback, for the address they came to, or for given names.

    A page on the web whose name is rebound to this machine asks under that name, and is refused.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        """Let requests for these host names in."""
        self._app = app
        self._hosts = LOOPBACK | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or pass the request on."""
        app, reached, headers = self._app, scope.get("server"), Headers(scope=scope)
        expected = self._hosts | ({reached[0]} if reached else set())
        if "host" in headers and host_name(headers) not in expected:  # HTTP/1.0 of old probes names none; browsers do
            app = PlainTextResponse("june is not to be asked under this name (JUNE_TELEMETRY_HOSTS)", 421)
        await app(scope, receive, send)


class _Connection(H11Protocol):
    """Uvicorn's connection, which ends when nothing comes of it; of too many, those go first that wait for a client."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self._most, self.limit_concurrency = self.limit_concurrency, None  # uvicorn would refuse whoever comes next
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self.since = self.loop.time()
        """When the client's turn began, in seconds of the loop."""

    @property
    def idle(self) -> bool:
        """No request is under way: none has come, or not all of its headers."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._await_head()
        if self._most and len(self.connections) > self._most:
            waiting = [
                other
                for other in self.connections
                if isinstance(other, _Connection) and other is not self and (other.idle or other.cycle.more_body)
            ]
            least = min(waiting, key=lambda other: (not other.idle, other.since), default=self)
            least.transport.abort()

    def on_response_complete(self) -> None:
        self._await_head()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head_timer, self._stall_timer):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            super().send_400_response(msg)
        else:  # the answer has begun
            self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stall_timer:
            self._stall_timer.cancel()
        super().resume_writing()

    def _await_head(self) -> None:
        self.since = self.loop.time()
        if self._head_timer:
            self._head_timer.cancel()
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if self.idle:
            self.transport.abort()


class _Bodies:
    """ASGI middleware: bodies come at a pace or are refused, and what nobody reads of them is not waited for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(Headers(scope=scope), receive)
        if body.unread and scope["method"] in SAFE_METHODS:
            app: ASGIApp = PlainTextResponse("this request has no body", 400)
        else:
            app = self._app

        async def close_after(message: Message) -> None:
            if message["type"] == "http.response.start":
                await body.take_what_came()
                headers = MutableHeaders(scope=message)
                headers.setdefault("Date", formatdate(usegmt=True))
                if body.unread:
                    headers["Connection"] = "close"
                body.answered = True
            elif body.unread and not message.get("more_body"):
                await send({**message, "more_body": True})
                await body.linger()
                message = {"type": "http.response.body"}
            await send(message)

        try:
            await app(scope, body.receive, close_after)
        except asyncio.CancelledError:  # the server stops, and has waited; uvicorn would log that as a fault
            if not body.answered:
                await PlainTextResponse("june stops", 503, headers={"Connection": "close"})(scope, receive, send)


class _Body:
    """The body of one request, as it comes."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0
        self._waited = 0.0
        self.unread = "transfer-encoding" in headers or headers.get("content-length", "0").strip("0") != ""
        """There is more of it."""
        self.answered = False

    async def receive(self) -> Message:
        """Receive the next piece.

        Raises:
            HTTPException: 408, it comes too slowly.

        """
        if self.answered or not self.unread:
            return await self._receive()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(BODY_SECONDS + self._bytes / BODY_BYTES_PER_SECOND - self._waited):
                return await self._next()
        except TimeoutError:
            raise HTTPException(408, "too slow") from None
        finally:
            self._waited += loop.time() - began

    async def take_what_came(self) -> None:
        """Read over what has come already: mostly all of it."""
        await self._read_over(0)

    async def linger(self) -> None:
        """Wait for the client to read the answer and to close."""
        await self._read_over(LINGER_SECONDS)

    async def _read_over(self, seconds: float) -> None:
        most = self._bytes + LINGER_BYTES
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.unread and self._bytes < most:
                    if (await self._next())["type"] == "http.disconnect":
                        return

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
            self.unread = message.get("more_body", False)
        return message


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers, as the worker has its own, and without a look at its state ten times a second.

    That takes 0.2 % of a core, of each of the fifteen servers of an idle machine.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Finish requests, and stop."""
        self.should_exit = True
        self._ended.set()

    async def main_loop(self) -> None:
        await self._ended.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, listener: socket.socket, max_connections: int = MAX_CONNECTIONS
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve for as long as the block runs; then finish requests, and close.

    Args:
        app: what is served.
        listener: where.
        max_connections: with more, those are closed that wait for their client, the longest first.

    Yields:
        The server's task, to be awaited by ``asyncio.shield``: before the block it ends only by an error.

    """
    config = uvicorn.Config(
        _Bodies(app),
        http=_Connection,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,  # it would be that of the start; ``_Bodies`` sets it
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        limit_concurrency=max_connections,
        h11_max_incomplete_event_size=HEAD_BYTES,
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
        server.end()
        await asyncio.wait({task})
