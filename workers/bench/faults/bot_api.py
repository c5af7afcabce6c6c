"""A platform that can refuse: as much of Telegram's Bot API as june calls, on loopback, and a record of all messages.

It knows no idempotence, as Telegram does not: what is sent twice is there twice. The tests have a stricter one.
"""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.parser import BytesParser
from email.policy import HTTP
from enum import StrEnum
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from workers.http import listen, serving
from workers.ports import LOOPBACK

TOKEN = "1:campaign"  # noqa: S105 - of this server, on loopback
BOT = {"id": 1, "is_bot": True, "first_name": "june", "username": "june_bot", "can_join_groups": True}
VOICE = "question"
"""File id of the one recording."""
SENDS = frozenset({"sendMessage", "sendVoice"})
BATCH = 100
RETRY_AFTER_SECONDS = 1

Fields = dict[str, Any]


class Mode(StrEnum):
    """How calls are answered."""

    WELL = "well"
    WAIT = "wait"
    """With 429: come again later."""
    FAILS = "fails"
    """With 500, nothing done."""
    AWAY = "away"
    """Not: the connection is closed, nothing done."""
    SILENT = "silent"
    """A message is sent, and the connection closed without a word."""


class Sent(NamedTuple):
    """A message of june's."""

    chat: int
    message: int
    answers: int | None
    """The message that it replies to."""
    text: str
    voice: bool


class BotApi:
    """The server's state; ``serve`` answers by it."""

    def __init__(self, recording: bytes) -> None:
        """Begin without messages; people speak by this recording (Ogg/Opus)."""
        self.mode = Mode.WELL
        self.sent: list[Sent] = []
        """All that june has sent, in order; what it has deleted is not."""
        self.url = ""
        self._recording = recording
        self._ids = count(1)
        self._updates: deque[Fields] = deque()
        self._update_ids = count(1)
        self._news = asyncio.Event()

    # What people do

    def say(self, user: int, text: str, *, spoken: bool) -> int:
        """Send a message in a private chat: text, or a voice note with a caption; return its id."""
        message: Fields = {
            "message_id": next(self._ids),
            "date": int(time.time()),
            "chat": {"id": user, "type": "private"},
            "from": {"id": user, "is_bot": False, "first_name": f"User {user}", "language_code": "en"},
        }
        if spoken:
            file = {"file_id": VOICE, "file_unique_id": VOICE, "duration": 3, "file_size": len(self._recording)}
            message |= {"voice": file | {"mime_type": "audio/ogg"}, "caption": text}
        else:
            message["text"] = text
        self._updates.append({"update_id": next(self._update_ids), "message": message})
        self._news.set()
        return int(message["message_id"])

    @property
    def unread(self) -> int:
        """Messages that the bot has not confirmed."""
        return len(self._updates)

    # What june calls

    @asynccontextmanager
    async def serve(self, port: int) -> AsyncIterator[None]:
        """Serve on a port of loopback for as long as the block runs."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)  # of connections closed on purpose
        self.url = f"http://{LOOPBACK}:{port}"
        app = Starlette(
            routes=[
                Route(f"/bot{TOKEN}/{{method}}", self._answer, methods=["GET", "POST"]),
                Route(f"/file/bot{TOKEN}/{VOICE}", self._download),
            ]
        )
        listener = listen(LOOPBACK, port, lambda error: f"The campaign's platform cannot listen: {error}.")
        async with serving(app, listener):
            yield

    async def _answer(self, request: Request) -> Response:
        method, fields = request.path_params["method"], await _fields(request)
        mode = self.mode if method in SENDS or self.mode in {Mode.FAILS, Mode.AWAY} else Mode.WELL
        if mode is Mode.WAIT:
            body = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry later"}
            return JSONResponse(body | {"parameters": {"retry_after": RETRY_AFTER_SECONDS}}, 429)
        if mode is Mode.FAILS:
            return JSONResponse({"ok": False, "error_code": 500, "description": "Internal Server Error"}, 500)
        if mode is Mode.AWAY:
            return _closed()
        result = await self._updates_after(fields) if method == "getUpdates" else self._done(method, fields)
        return _closed() if mode is Mode.SILENT else JSONResponse({"ok": True, "result": result})

    async def _download(self, _request: Request) -> Response:
        return Response(self._recording) if self.mode in {Mode.WELL, Mode.WAIT, Mode.SILENT} else _closed()

    def _done(self, method: str, fields: Fields) -> object:
        chat = int(fields.get("chat_id", 0))
        if method == "getMe":
            return BOT
        if method == "getFile":
            return {"file_id": VOICE, "file_unique_id": VOICE, "file_size": len(self._recording), "file_path": VOICE}
        if method in SENDS:
            return self._send(method, chat, fields)
        if method == "deleteMessage":
            self.sent = [one for one in self.sent if (one.chat, one.message) != (chat, int(fields["message_id"]))]
        return True

    def _send(self, method: str, chat: int, fields: Fields) -> Fields:
        replied = json.loads(fields.get("reply_parameters") or "{}").get("message_id")
        voice, text = method == "sendVoice", fields.get("text") or fields.get("caption") or ""
        one = Sent(chat, next(self._ids), replied, text, voice)
        self.sent.append(one)
        shown: Fields = {
            "message_id": one.message,
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private"},
            "from": BOT,
        }
        if not voice:
            return shown | {"text": text}
        return shown | {"voice": {"file_id": "sent", "file_unique_id": "sent", "duration": 1}, "caption": text}

    async def _updates_after(self, fields: Fields) -> list[Fields]:
        """Return what comes after an offset, which confirms what is before it; wait for something to come."""
        offset = int(fields.get("offset") or 0)
        while self._updates and self._updates[0]["update_id"] < offset:
            self._updates.popleft()
        deadline = time.monotonic() + min(float(fields.get("timeout") or 0), 10.0)
        while not self._updates and self.mode is Mode.WELL and time.monotonic() < deadline:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), 0.5)
            except TimeoutError:
                continue
        return list(self._updates)[: min(int(fields.get("limit") or BATCH), BATCH)]


def _closed() -> Response:
    """Break the connection off in the middle of an answer."""

    async def nothing() -> AsyncIterator[bytes]:
        yield b'{"ok": '
        raise ConnectionAbortedError

    return StreamingResponse(nothing(), media_type="application/json", headers={"Content-Length": "1000"})


async def _fields(request: Request) -> Fields:
    """Read a form; of a file, its size."""
    body, kind = await request.body(), request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        read: Fields = json.loads(body or b"{}")
        return read
    if not kind.startswith("multipart/"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    form = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    fields: Fields = {}
    for part in form.walk():
        data = part.get_payload(decode=True)
        if isinstance(data, bytes):  # the form itself has none
            name = str(part.get_param("name", header="content-disposition"))
            fields[name] = len(data) if part.get_filename() else data.decode()
    return fields
