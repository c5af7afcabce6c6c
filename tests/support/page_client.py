"""A browser on june's page, in this process: the page's real server over Temporal's real one."""

import asyncio
import json

import httpx
from starlette.requests import Request
from temporalio.client import Client

from activities.blobs import BlobStore
from activities.platforms.web import WebPlatform
from bots.access import Policy
from bots.commands import Commands
from bots.inbox import InboundLimits, Inbox
from bots.web.app import Page, build_app
from bots.web.sessions import Lock, Sessions
from bots.web.turns import Turns

URL = "http://localhost:8088"
HERE = {"Origin": URL}
KEY = b"k" * 32
MAX_BYTES = 100_000


def page_of(client: Client, password: str = "") -> Page:
    blobs = BlobStore.open("memory://")
    commands = Commands(client, ["en_US-joe-medium"], 24)
    return Page(
        inbox=Inbox(client, Policy(everyone=True), InboundLimits(max_bytes=MAX_BYTES), commands, signal_sentences=True),
        store=blobs,
        turns=Turns(client, WebPlatform(blobs).recent_text, "http://ui", {"limit_bytes": MAX_BYTES}),
        sessions=Sessions(KEY, password),
        lock=Lock(password),
        stopping=asyncio.Event(),
        max_bytes=MAX_BYTES,
    )


def browser(page: Page, **options: object) -> httpx.AsyncClient:
    """A browser with cookies of its own, on june's page."""
    transport = httpx.ASGITransport(app=build_app(page))
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


async def told(client: httpx.AsyncClient, message: str) -> list[dict[str, object]]:
    """Follow a turn to its end."""
    answer = await client.get(f"/api/turns/{message}/events", timeout=20)
    assert answer.status_code == 200
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")]
