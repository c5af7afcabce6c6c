"""One HTTP server for all that a worker serves beside its queue, whoever its clients are."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from email.utils import parsedate_to_datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from tests.support.ports import free_port
from tests.support.waiting import until
from workers import http
from workers.errors import UnavailableError
from workers.http import listen, serving


async def answer(request: Request) -> PlainTextResponse:
    """Answer, after so many seconds."""
    await asyncio.sleep(float(request.query_params.get("seconds", 0)))
    return PlainTextResponse("served")


APP = Starlette(routes=[Route("/", answer)])


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("::1", "[::1]")])
async def test_it_serves_for_as_long_as_the_block_runs(host: str, url: str) -> None:
    port = free_port()
    async with serving(APP, listen(host, port, str)), httpx.AsyncClient(base_url=f"http://{url}:{port}") as client:
        response = await client.get("/")
    assert response.text == "served"
    assert "server" not in response.headers
    assert parsedate_to_datetime(response.headers["date"])
    listen(host, port, str).close()


async def test_requests_under_way_are_finished() -> None:
    port = free_port()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        async with serving(APP, listen("127.0.0.1", port, str)):
            request = asyncio.create_task(client.get("/", params={"seconds": 0.3}))
            await asyncio.sleep(0.1)
        assert (await request).text == "served"


@pytest.mark.slow
async def test_requests_that_take_too_long_end_with_the_server(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    over.clear()
    started.clear()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        async with serving(HOSTILE, listen("127.0.0.1", port, str)):
            request = asyncio.create_task(client.get("/wait", timeout=60))
            await until(lambda: started)
        assert (await request).status_code == 503
    assert not [record for record in caplog.records if record.exc_info]


async def test_it_ends_with_who_waits_for_it() -> None:
    async def serve() -> None:
        async with serving(APP, listener, 10) as server:
            await asyncio.shield(server)

    listener = listen("127.0.0.1", free_port(), str)
    background = asyncio.create_task(serve())
    await asyncio.sleep(0.05)
    background.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(background, 5)
    assert listener.fileno() == -1


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_cannot_be_listened_on_is_explained_by_the_caller(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UnavailableError, match=f"^Set JUNE_X, not {port}: "):
            listen(host, port, lambda error: f"Set JUNE_X, not {port}: {error}")


# Clients that are slow, silent or hostile


async def wait(request: Request) -> PlainTextResponse:
    """Answer only when the test is over."""
    started.append(request)
    await over.wait()
    return PlainTextResponse("")


async def read(request: Request) -> PlainTextResponse:
    """Read the whole body."""
    return PlainTextResponse(str(len(await request.body())))


async def refuse(_request: Request) -> PlainTextResponse:
    """Read nothing of the body."""
    return PlainTextResponse("no", 403)


async def flood(_request: Request) -> PlainTextResponse:
    """Answer more than any buffer holds."""
    return PlainTextResponse("x" * 50_000_000)


async def stream(_request: Request) -> StreamingResponse:
    """Begin an answer, and never end it."""

    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"piece"
            await asyncio.sleep(0.05)

    return StreamingResponse(pieces())


async def aborted(_request: Request, _error: Exception) -> PlainTextResponse:
    """Answer whom nobody hears any more."""
    return PlainTextResponse("aborted", 400)


started: list[Request] = []
over = asyncio.Event()
HOSTILE = Starlette(
    routes=[
        Route("/", answer),
        Route("/wait", wait),
        Route("/read", read, methods=["POST"]),
        Route("/refuse", refuse, methods=["POST"]),
        Route("/flood", flood),
        Route("/stream", stream, methods=["GET", "POST"]),
    ],
    exception_handlers={ClientDisconnect: aborted},
)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def port(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server for few connections; nothing that a client does makes it log an error."""
    monkeypatch.setattr(http, "LINGER_SECONDS", 0.1)
    port = free_port()
    started.clear()
    over.clear()
    async with serving(HOSTILE, listen("127.0.0.1", port, str), 20):
        yield port
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def said(port: int, *sent: bytes) -> bytes:
    """Send this, and return all that is answered until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in sent:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        async with asyncio.timeout(30):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("begun", [b"", b"GET / HT", GET[:-2], GET[:-2] + b"X: y\r\n", GET + GET[:10], GET])
async def test_a_request_that_does_not_come_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.2)
    answered = await said(port, begun)
    assert answered.count(b"HTTP/1.1 200") == begun.count(GET)


async def test_headers_that_trickle_are_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.3)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET[:-2])

    async def trickle() -> None:
        while True:
            writer.write(b"X: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(trickle(), 30)


@pytest.mark.parametrize("head", [CHUNKED % b"/read", b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n"])
async def test_a_body_that_is_too_slow_is_refused(port: int, monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.2)
    answered = await said(port, head, b"3\r\nabc\r\n")
    assert answered.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answered.lower()


@pytest.mark.slow
async def test_a_body_that_keeps_its_pace_is_read(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 1.0)
    monkeypatch.setattr(http, "BODY_BYTES_PER_SECOND", 100)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield b"x" * 1000
            await asyncio.sleep(0.2)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.post("/read", content=body())).text == "8000"


@pytest.mark.parametrize("path", [b"/refuse", b"/nothing", b"/wait"])
async def test_nothing_more_is_read_after_a_refusal(port: int, path: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    writer.write(CHUNKED % path)
    sent = 0

    async def send() -> None:
        nonlocal sent
        while True:
            writer.write(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
            await writer.drain()
            sent += 1 << 16

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(send(), 30)
    with suppress(ConnectionError):
        assert (await reader.read(12)).startswith(b"HTTP/1.1 4")
    assert sent < 16_000_000  # what the kernel's buffers hold of it; the server reads two pieces


async def test_a_small_body_that_nobody_reads_costs_no_connection(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answers = [await client.post("/refuse", content=b"{}") for _ in range(3)]
    assert [answer.headers.get("connection") for answer in answers] == [None] * 3


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_reading_takes_no_body(port: int, method: bytes) -> None:
    answered = await said(port, method + b" /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    assert answered.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "request_line",
    [
        b"\x00\xff\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        CHUNKED % b"/read" + b"nonsense\r\n",
        CHUNKED % b"/read" + b"f" * 5000,
        CHUNKED % b"/stream" + b"nonsense\r\n",
        CHUNKED % b"/stream" + b"1\r\nabc",
        CHUNKED % b"/refuse" + b"nonsense\r\n",
        GET + b"nonsense\r\n\r\n",
    ],
)
async def test_what_is_no_http_ends_the_connection(
    port: int, monkeypatch: pytest.MonkeyPatch, request_line: bytes
) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(http, "BODY_SECONDS", 0.3)
    await said(port, request_line)
    await said(port, *[request_line[at : at + 1000] for at in range(0, len(request_line), 1000)])


async def test_who_leaves_in_the_middle_is_no_error(port: int) -> None:
    for sent in (CHUNKED % b"/read" + b"3\r\nabc\r\n", CHUNKED % b"/stream", GET.replace(b"/ ", b"/stream "), GET):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        await writer.drain()
        if b"/read" not in sent:
            await reader.read(1)
        writer.transport.abort()
    assert await said(port, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))


async def test_of_too_many_connections_those_go_that_wait_for_their_client(port: int) -> None:
    kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    for _, writer in kept:
        writer.write(GET.replace(b"/ ", b"/wait "))
    await until(lambda: len(started) == 3)
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
    for _, writer in silent:
        writer.write(CHUNKED % b"/read")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(3):
            assert (await client.get("/")).text == "served"
    assert len(started) == 3
    assert not any(reader.at_eof() for reader, _ in kept)
    over.set()
    for _, writer in (*kept, *silent):
        writer.transport.abort()


async def test_who_takes_nothing_of_an_answer_is_left(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "STALLED_SECONDS", 0.3)
    lost = asyncio.Event()
    connection_lost = http._Connection.connection_lost

    def noted(self: http._Connection, error: Exception | None) -> None:
        connection_lost(self, error)
        lost.set()

    monkeypatch.setattr(http._Connection, "connection_lost", noted)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    writer.write(GET.replace(b"/ ", b"/flood "))
    await asyncio.wait_for(lost.wait(), 30)
    writer.transport.abort()
    del reader


async def test_requests_may_follow_each_other_without_waiting(port: int) -> None:
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert (await said(port, GET * 5 + last)).count(b"HTTP/1.1 200") == 6
