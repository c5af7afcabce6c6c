"""A browser on june's page, in this process: the page's real server over Temporal's real one."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import httpx
from starlette.requests import Request
from starlette.types import ASGIApp, Message
from temporalio.client import Client

from activities.blobs import BlobStore
from activities.platforms.web import WebPlatform
from bots.access import Policy
from bots.coding import CodingRules
from bots.commands import Commands
from bots.inbox import InboundLimits, Inbox
from bots.web.app import Page, build_app
from bots.web.feed import Feeds
from bots.web.sessions import Lock, Sessions
from bots.web.tasks import Tasks
from bots.web.turns import Turns

URL = "http://localhost:8088"
HERE = {"Origin": URL}
KEY = b"k" * 32
MAX_BYTES = 100_000
VOICES = ["en_US-joe-medium", "de_DE-thorsten-medium"]

View = dict[str, Any]
Told = tuple[str, View]
"""An event: its name, and what it says."""


def page_of(client: Client, password: str = "", max_bytes: int = MAX_BYTES) -> Page:
    blobs = BlobStore.open("memory://")
    coding = CodingRules(for_all=True)
    commands = Commands(client, VOICES, 24, shows_outcomes_alone=True, coding=coding)
    turns = Turns(client, WebPlatform(blobs).recent_text, "http://ui", {"limit_bytes": max_bytes})
    return Page(
        inbox=Inbox(client, Policy(everyone=True), InboundLimits(max_bytes=max_bytes), commands, signal_sentences=True),
        store=blobs,
        turns=turns,
        feeds=Feeds(turns, Tasks(client, turns.link)),
        sessions=Sessions(KEY, password),
        lock=Lock(password),
        stopping=asyncio.Event(),
        max_bytes=max_bytes,
        voices=VOICES,
    )


def browser(page: Page, **options: object) -> httpx.AsyncClient:
    """A browser with cookies of its own, on june's page."""
    transport = Streaming(build_app(page))
    return httpx.AsyncClient(**{"transport": transport, "base_url": URL, "headers": HERE} | options)  # type: ignore[arg-type] # options of several types


async def opened(page: Page) -> httpx.AsyncClient:
    """A browser with a session."""
    client = browser(page)
    assert (await client.post("/api/session", json={})).status_code == 200
    return client


def chat_of(page: Page, client: httpx.AsyncClient) -> str:
    cookie = httpx.Request("GET", URL, cookies=client.cookies).headers["cookie"]
    headers = [(b"cookie", cookie.encode())]
    chat = page.sessions.chat(Request({"type": "http", "headers": headers}))
    assert chat
    return chat


@asynccontextmanager
async def stream(client: httpx.AsyncClient, language: str = "en") -> AsyncIterator[AsyncIterator[Told]]:
    """Listen to what the page's server tells."""
    async with client.stream("GET", f"/api/events?language={language}", timeout=60) as answer:
        assert answer.status_code == 200
        async with aclosing(_events(answer)) as events:
            yield events


async def _events(answer: httpx.Response) -> AsyncGenerator[Told]:
    name = ""
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def turns(client: httpx.AsyncClient) -> list[View]:
    """List the last turns."""
    async with stream(client) as events:
        async for name, data in events:
            assert name == "turns"
            return list(data["turns"])
    return []


async def told(client: httpx.AsyncClient, message: str) -> list[View]:
    """Follow a turn to its end."""
    views: list[View] = []
    async with stream(client) as events:
        async for name, data in events:
            found: list[View] = [data] if name == "turn" else data.get("turns", [])
            views += [view for view in found if view["message"] == message]
            if views and views[-1]["done"]:
                break
    return views


class Streaming(httpx.AsyncBaseTransport):
    """Calls an ASGI application, and hands its answer on piece by piece, as httpx's own transport does not."""

    def __init__(self, app: ASGIApp) -> None:
        """Call this application."""
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Call the application; it runs until its answer is complete, or closed."""
        answer = _Answer(self._app, request)
        start = await answer.next()
        return httpx.Response(start["status"], headers=start["headers"], stream=answer)


class _Answer(httpx.AsyncByteStream):
    def __init__(self, app: ASGIApp, request: httpx.Request) -> None:
        self._sent: asyncio.Queue[Message | None] = asyncio.Queue()
        self._body = aiter(request.stream)  # type: ignore[arg-type] # an asynchronous one
        self._read = False
        self._left = asyncio.Event()
        scope: dict[str, Any] = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": request.url.scheme,
            "http_version": "1.1",
            "client": ("127.0.0.1", 123),
            "server": (request.url.host, request.url.port),
            "root_path": "",
        }
        self._running = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._sent.put)
        finally:
            await self._sent.put(None)

    async def _receive(self) -> Message:
        if self._read:
            await self._left.wait()
            return {"type": "http.disconnect"}
        piece = await anext(self._body, None)
        self._read = piece is None
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def next(self) -> Message:
        """Return what the application sends next; its own error when it broke down."""
        message = await self._sent.get()
        if message is None:
            await self._running
            raise RuntimeError("the application has answered nothing")
        return message

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._sent.get()
            if message is None:
                return
            yield message.get("body", b"")
            if not message.get("more_body"):
                return

    async def aclose(self) -> None:
        """Leave, as a browser does."""
        self._left.set()
        with suppress(asyncio.CancelledError):
            await self._running
