"""The page's server: an ASGI application on Starlette, with everything it needs handed in."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakValueDictionary

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.values import BLOB_SCHEME, AudioSource, BlobRef
from bots.commands import LANGUAGES
from bots.intake import InboundMessage
from bots.web.guard import Guard
from bots.web.sessions import Lock, Sessions, new_chat
from bots.web.sound import KINDS, as_wav, playable
from bots.web.turns import PLATFORM, Turns, TurnView
from workflows.names import conversation_id

STATIC = Path(__file__).resolve().parent / "static"
MAX_JSON_BYTES = 64_000
PING_SECONDS = 15
UPLOADS = 8
"""Recordings that are read at once, each held in memory until it is stored; others wait."""
UPLOAD_SECONDS = 300
SOUND_RATES = range(8_000, 48_001)
_MESSAGE = re.compile(r"[0-9A-Za-z-]{8,64}")
_SOUND = re.compile(r"(?P<digest>[0-9a-f]{64})\.(?P<ending>pcm|ogg)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")

Endpoint = Callable[[Request, str], Coroutine[Any, Any, Response]]


class Inbox(Protocol):
    """Receives messages; ``bots.inbox.Inbox``."""

    async def receive(self, inbound: InboundMessage) -> str | None:
        """Receive one; what it returns is said at once."""


class Store(Protocol):
    """Keeps sound; the store that the workers use."""

    async def put(
        self, platform: str, chat: str, data: bytes, *, mime: str, seconds: float, sample_rate: int, ending: str
    ) -> BlobRef:
        """Store sound; return its reference."""

    async def get(self, ref: BlobRef | str, max_bytes: int | None = None) -> bytes:
        """Read sound by its key; an ``ApplicationError`` when it is not there."""


@dataclass(frozen=True)
class Page:
    """What the page's server needs."""

    inbox: Inbox
    store: Store
    turns: Turns
    sessions: Sessions
    lock: Lock
    stopping: asyncio.Event
    """Set when the server is about to stop: streams end, and browsers come back to the next."""
    max_bytes: int
    """Largest recording, in bytes."""
    voices: Sequence[str] = ()
    hosts: Sequence[str] = ()
    """Host names besides loopback's."""
    origins: Sequence[str] = ()


def build_app(page: Page) -> Guard:
    """Build the application."""

    async def index(_request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def refuse(_request: Request, error: HTTPException) -> Response:
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)

    async def report_away(_request: Request, _error: RPCError) -> Response:
        return JSONResponse({"error": "Temporal is out of reach"}, 503, headers={"Retry-After": "2"})

    api = _Api(page)
    routes = [
        Route("/", index),
        Route("/api/session", api.session, methods=["POST"]),
        Route("/api/login", api.login, methods=["POST"]),
        Route("/api/messages", api.mine(api.message), methods=["POST"]),
        Route("/api/turns", api.mine(api.past)),
        Route("/api/turns/{message}/events", api.mine(api.events)),
        Route("/api/audio/{name}", api.mine(api.audio)),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    handlers = {HTTPException: refuse, RPCError: report_away}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), page.hosts, page.origins)  # type: ignore[arg-type] # handlers of one kind of error each


class _Api:
    """The interface that the page's script speaks."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._uploads = asyncio.Semaphore(UPLOADS)
        self._order: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def mine(self, endpoint: Endpoint) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Let only browsers with a session in; the endpoint gets their chat."""

        async def guarded(request: Request) -> Response:
            chat = self._page.sessions.chat(request)
            if chat is None:
                raise HTTPException(401, "no session")
            return await endpoint(request, chat)

        return guarded

    async def session(self, request: Request) -> Response:
        """Return this browser's chat and its settings; open one where no password is asked for."""
        chat = self._page.sessions.chat(request)
        if chat is None and self._page.lock.locked:
            return JSONResponse({"error": "password needed"}, 401)
        return await self._opened(request, chat)

    async def login(self, request: Request) -> Response:
        """Open a session with the password."""
        address = request.client.host if request.client else ""
        wait = self._page.lock.wait_seconds(address)
        if wait:
            raise HTTPException(429, "too many guesses", headers={"Retry-After": str(int(wait) + 1)})
        given = (await _json(request)).get("password")
        if not isinstance(given, str) or not await self._page.lock.opens(address, given):
            raise HTTPException(403, "wrong password")
        return await self._opened(request, self._page.sessions.chat(request))

    async def _opened(self, request: Request, known: str | None) -> Response:
        chat = known or new_chat()
        settings = await self._page.turns.settings(chat)
        response = JSONResponse(
            {
                "new": known is None,
                "reply_mode": settings.reply_mode.value,
                "language": settings.language or "auto",
                "languages": LANGUAGES,
                "voice": settings.voice,
                "voices": list(self._page.voices),
                "link": self._page.turns.link(conversation_id(PLATFORM, chat)),
            }
        )
        self._page.sessions.keep(response, chat, secure=request.headers.get("origin", "").startswith("https:"))
        return response

    async def message(self, request: Request, chat: str) -> Response:
        """Accept a recording (the body as it is) or a text (JSON); it is durable when this answers.

        The page names the message (``?id=``), so that sending it again after a broken connection asks nothing twice.
        """
        message = request.query_params.get("id", "")
        if not _MESSAGE.fullmatch(message):
            raise HTTPException(400, "a message needs an id")
        inbound = InboundMessage(platform=PLATFORM, chat=chat, message=message, user=chat, language=_language(request))
        if request.headers.get("content-type", "").startswith("application/json"):
            text = (await _json(request)).get("text")
            if not isinstance(text, str):
                raise HTTPException(400, "a message needs a text")
            inbound = replace(inbound, text=text)
        else:
            async with self._uploads:
                try:
                    data = await asyncio.wait_for(_body(request, self._page.max_bytes), UPLOAD_SECONDS)
                except TimeoutError:
                    raise HTTPException(408, "too slow") from None
                stored = await self._page.store.put(
                    PLATFORM, chat, data, mime="application/octet-stream", seconds=0, sample_rate=0, ending="upload"
                )
            source = AudioSource(locator=f"{BLOB_SCHEME}{stored.key}", claimed_bytes=len(data))
            inbound = replace(inbound, audio=source, audio_seconds=_number(request.query_params.get("seconds")))
        async with self._order.setdefault(chat, asyncio.Lock()):
            said = await self._page.inbox.receive(inbound)
        return JSONResponse({"message": message, "said": said}, 200 if said else 202)

    async def past(self, request: Request, chat: str) -> Response:
        """List the last turns."""
        turns = await self._page.turns.past(chat, _language(request))
        return JSONResponse({"turns": [turn.model_dump(mode="json") for turn in turns]})

    async def events(self, request: Request, chat: str) -> Response:
        """Stream a turn: an event ``turn`` with all of it whenever it has changed, until it is done."""
        message = request.path_params["message"]
        if not _MESSAGE.fullmatch(message):
            raise HTTPException(404, "no such message")
        return EventSourceResponse(self._views(chat, message, _language(request)), ping=PING_SECONDS, sep="\n")

    async def _views(self, chat: str, message: str, language: str | None) -> AsyncIterator[ServerSentEvent]:
        views = self._page.turns.watch(chat, message, language)
        stopping = asyncio.create_task(self._page.stopping.wait())
        look: asyncio.Future[TurnView | None] | None = None
        try:
            while not stopping.done():
                look = asyncio.ensure_future(anext(views, None))
                await asyncio.wait({look, stopping}, return_when=asyncio.FIRST_COMPLETED)
                view = look.result() if look.done() else None
                if view is None:
                    return
                yield ServerSentEvent(event="turn", data=view.model_dump_json())
        finally:  # the browser may have left in the middle of it
            stopping.cancel()
            if look:
                look.cancel()

    async def audio(self, request: Request, chat: str) -> Response:
        """Serve sound of this browser's own chat; the key is made here, so no other's can be asked for."""
        match = _SOUND.fullmatch(request.path_params["name"])
        if match is None:
            raise HTTPException(404, "no such sound")
        try:
            data = await self._page.store.get(f"{PLATFORM}/{chat}/{match[0]}")
        except ApplicationError:
            raise HTTPException(404, "no such sound") from None
        if match["ending"] == "pcm":
            rate = _number(request.query_params.get("rate"))
            if rate is None or rate not in SOUND_RATES:
                raise HTTPException(400, "a rate between 8000 and 48000 is needed")
            data = as_wav(data, int(rate))
        return playable(data, KINDS[match["ending"]], request.headers.get("range"))


async def _json(request: Request) -> dict[str, object]:
    """Read a small JSON object."""
    try:
        found: object = json.loads(await _body(request, MAX_JSON_BYTES))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise HTTPException(400, "that is no JSON") from None
    if not isinstance(found, dict):
        raise HTTPException(400, "that is no JSON object")
    return found


async def _body(request: Request, most: int) -> bytes:
    """Read a body up to a size; one that is larger is refused before more of it is read."""
    if (_number(request.headers.get("content-length")) or 0) > most:
        raise HTTPException(413, "too large")
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise HTTPException(413, "too large")
    return bytes(data)


def _number(text: str | None) -> float | None:
    """Read a number that a browser claims; None for what is none."""
    return float(text) if text and re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text) else None


def _language(request: Request) -> str | None:
    """Return the first language that the browser's user reads."""
    match = _LANGUAGE.match(request.query_params.get("language") or request.headers.get("accept-language", ""))
    return match[0].lower() if match else None
