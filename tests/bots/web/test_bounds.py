"""Whatever one session does, the recordings of others are taken and answered."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.exceptions import HTTPException

from bots.web import app
from bots.web.app import Page, build_app
from bots.web.bounds import Bound, Memory
from tests.support.page_client import opened, stream, told
from tests.support.ports import free_port
from tests.support.waiting import until
from tests.support.world import World
from workers import http
from workers.http import listen, serving

RECORDING = "POST /api/messages?id={} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nCookie: {}\r\n"


@pytest.fixture
async def port(page: Page, caplog: pytest.LogCaptureFixture) -> AsyncIterator[int]:
    """The page's server on a port; nothing that a browser does makes it log an error."""
    port = free_port()
    async with serving(build_app(page), listen("127.0.0.1", port, str), 500):
        yield port
        page.stopping.set()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def visitor(port: int) -> httpx.AsyncClient:
    """A browser with a session of its own."""
    client = httpx.AsyncClient(base_url=f"http://localhost:{port}", headers={"Origin": f"http://localhost:{port}"})
    assert (await client.post("/api/session", json={})).status_code == 200
    return client


class Sender:
    """Who sends a recording, byte by byte."""

    def __init__(self, cookies: httpx.Cookies, name: str, head: str) -> None:
        self.said = b""
        self._head = RECORDING.format(name, "; ".join(f"{key}={value}" for key, value in cookies.items())) + head
        self._task: asyncio.Task[None] | None = None

    def start(self, port: int) -> None:
        self._task = asyncio.create_task(self._run(port))

    async def _run(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{self._head}\r\n".encode())
        listening = asyncio.create_task(self._listen(reader))
        try:
            while not self.ended:
                writer.write(b"1\r\nx\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            listening.cancel()
            writer.transport.abort()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        self.said = await reader.readline()

    @property
    def ended(self) -> bool:
        return bool(self.said)

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})


@pytest.mark.slow
@pytest.mark.parametrize("head", ["Transfer-Encoding: chunked\r\n", "Content-Length: 90000\r\n"])
async def test_fifty_slow_senders_of_one_session_stop_nobody(page: Page, world: World, port: int, head: str) -> None:
    attacker, other = await visitor(port), await visitor(port)
    senders = [Sender(attacker.cookies, f"message-{n}", head) for n in range(50)]
    for sender in senders:
        sender.start(port)
    await until(lambda: sum(sender.ended for sender in senders) == 50 - app.MESSAGES_PER_CHAT)
    assert {sender.said for sender in senders if sender.ended} == {b"HTTP/1.1 429 Too Many Requests\r\n"}
    taken = await other.post("/api/messages?id=message-1&seconds=1", content=b"sound of a kind")
    assert taken.status_code == 202
    assert (await told(other, "message-1"))[-1]["done"]
    assert sum(sender.ended for sender in senders) == 50 - app.MESSAGES_PER_CHAT, "they went on meanwhile"
    for sender in senders:
        await sender.stop()

    async def free() -> bool:
        return (await attacker.post("/api/messages?id=message-1", json={"text": "/help"})).status_code == 200

    await until(free)  # the places of those who left


@pytest.mark.slow
async def test_slow_senders_are_sent_away(page: Page, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.5)
    sender = Sender((await visitor(port)).cookies, "message-1", "Transfer-Encoding: chunked\r\n")
    sender.start(port)
    await until(lambda: sender.ended)
    assert sender.said == b"HTTP/1.1 408 Request Timeout\r\n"
    await sender.stop()


async def test_recordings_that_do_not_fit_into_memory_are_sent_again(
    page: Page, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "LARGEST_HELD", 1)
    gone_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(60_000)
        begun.set()
        await gone_on.wait()

    begun = asyncio.Event()
    shared = build_app(page)
    monkeypatch.setattr("tests.support.page_client.build_app", lambda _: shared)
    one, other = await opened(page), await opened(page)
    first = asyncio.create_task(one.post("/api/messages?id=message-1", content=slow()))
    await begun.wait()
    refused = await other.post("/api/messages?id=message-1", content=bytes(60_000))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert (await other.post("/api/messages?id=message-1", content=bytes(30_000))).status_code == 202
    gone_on.set()
    assert (await first).status_code == 202
    assert (await other.post("/api/messages?id=message-2", content=bytes(60_000))).status_code == 202
    for client, message in ((one, "message-1"), (other, "message-2")):  # no turn is left to the next test
        assert (await told(client, message))[-1]["done"]


async def test_a_session_has_few_streams(page: Page, port: int) -> None:
    attacker, other = await visitor(port), await visitor(port)
    cookies = "; ".join(f"{key}={value}" for key, value in attacker.cookies.items())
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(app.STREAMS_PER_CHAT)]
    for _, writer in streams:
        writer.write(f"GET /api/events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n\r\n".encode())

    async def status() -> int:
        async with attacker.stream("GET", "/api/events") as answer:
            return answer.status_code

    async def full() -> bool:
        return await status() == 429

    async def free() -> bool:
        return await status() == 200

    await until(full)
    async with stream(other) as events:
        assert (await anext(events))[0] == "turns"
    for _, writer in streams:
        writer.transport.abort()
    await until(free)


def test_places_are_bounded_for_each_and_in_all() -> None:
    bound = Bound(2, 3)
    with bound.place("a"), bound.place("a"):
        with pytest.raises(HTTPException) as caught, bound.place("a"):
            pass
        assert caught.value.status_code == 429
        with bound.place("b"), pytest.raises(HTTPException) as caught, bound.place("c"):
            pass
        assert caught.value.status_code == 503
        with pytest.raises(ValueError, match="x"), bound.place("c"):
            raise ValueError("x")
        with bound.place("c"):
            pass


def test_room_is_free_again() -> None:
    memory = Memory(10)
    with memory.room() as take:
        take(6)
        take(4)
        with memory.room() as other, pytest.raises(HTTPException):
            other(1)
    with memory.room() as take:
        take(10)
