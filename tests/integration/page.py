"""Somebody on june's web page, by the interface that the page's script speaks."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

import httpx
import pytest
from pydantic import TypeAdapter

from bots.web.turns import PLATFORM, TurnView
from tests.integration.chat import TERSE, forget
from tests.integration.june import HTTP_SECONDS, June
from tests.support.page_client import told
from workers.settings import WebSettings
from workflows.names import conversation_id
from workflows.voice.contracts import SettingsChange
from workflows.voice.conversation import Conversation

TURN = TypeAdapter(TurnView)


class Visitor:
    """A browser with a session, and so a chat, of its own."""

    def __init__(self, http: httpx.AsyncClient, chat: str, seconds: float) -> None:
        """Use this connection and chat; a turn may take so many seconds."""
        self.http = http
        self.chat = chat
        self._seconds = seconds

    async def send(self, message: str, body: bytes | str) -> TurnView:
        """Say something, spoken (a recording) or written, and follow the turn to its end."""
        path = f"/api/messages?id={message}"
        written = {"json": {"text": body}} if isinstance(body, str) else {"content": body}
        taken = await self.http.post(path, **written)
        assert (taken.status_code, taken.json()["said"]) == (202, None)
        async with asyncio.timeout(self._seconds):
            last = (await told(self.http, message))[-1]
        turn = TURN.validate_json(json.dumps(last))
        assert (turn.done, turn.error) == (True, None)
        return turn


@asynccontextmanager
async def visitor(june: June) -> AsyncIterator[Visitor]:
    """Open the page, with its password where it asks for one; the chat is forgotten afterwards."""
    headers = {"Origin": june.web_url}
    async with httpx.AsyncClient(base_url=june.web_url, headers=headers, timeout=HTTP_SECONDS) as http:
        opened = await _opened(http, june)
        chat = unquote(opened.json()["link"]).rsplit("/", 1)[-1]
        try:
            # A command of the page's own makes the conversation, whose answers are then kept short.
            assert (await http.post("/api/messages?id=settings", json={"text": "/voice on"})).is_success
            conversation = june.client.get_workflow_handle_for(Conversation.run, conversation_id(PLATFORM, chat))
            change = SettingsChange(system_prompt=TERSE.system_prompt)
            await conversation.execute_update(Conversation.configure, change)
            yield Visitor(http, chat, june.settings.turn_seconds)
        finally:
            await forget(june.client, PLATFORM, chat)


async def _opened(http: httpx.AsyncClient, june: June) -> httpx.Response:
    opened = await http.post("/api/session", json={})
    if opened.status_code != httpx.codes.UNAUTHORIZED:
        assert opened.is_success, opened.text
        return opened
    entered = await http.post("/api/login", json={"password": page_password(june)})
    assert entered.is_success, f"the web page does not take the password: {entered.status_code}"
    return entered


def page_password(june: June) -> str:
    """Return the password of the page, which has one; the test is skipped where nobody has said it."""
    password = june.settings.web_password.get_secret_value() or WebSettings().password.get_secret_value()
    if not password:
        pytest.skip("the web page asks for a password: set JUNE_INTEGRATION_WEB_PASSWORD")
    return password
