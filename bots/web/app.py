"""The page's server: an ASGI application on Starlette, with everything it needs handed in."""

import asyncio
import logging
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from pydantic import BaseModel, Field, ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.values import BLOB_SCHEME, AudioSource, BlobRef, Notice
from bots.commands import LANGUAGES, parse
from bots.intake import InboundMessage
from bots.texts.catalogue import say
from bots.web.bounds import Bound, Bounded, Memory
from bots.web.feed import Event, Feeds
from bots.web.guard import Guard
from bots.web.sessions import Lock, Sessions, new_chat
from bots.web.sound import KINDS, as_wav, playable
from bots.web.tasks import PREFIX as TASK_PREFIX
from bots.web.turns import PLATFORM, Turns
from workflows.names import conversation_id
from workflows.voice.contracts import Stop

STATIC = Path(__file__).resolve().parent / "static"
MAX_JSON_BYTES = 64_000
PING_SECONDS = 15
RETRY_MS = 1000
"""A page whose stream has ended waits so long before it asks for the next."""
MESSAGES_PER_CHAT = 4
MESSAGES = 64
"""Messages that are received at once: by a chat, and in all. Pages send one after the other."""
LARGEST_HELD = 8
"""Recordings of the largest size that fit into memory together, until they are stored."""
STREAMS_PER_CHAT = 8
STREAMS = 200
"""Of events; a browser has one, whatever its tabs."""
SOUNDS_PER_CHAT = 8
SOUNDS = 32
"""Sounds that are sent at once. Browsers make six connections to a host."""
TAKEN_BACK_AT_ONCE = 100
TAKEN_BACK_KEPT = 1000
"""Messages remembered that a page took back while they were on their way."""
SOUND_RATES = range(8_000, 48_001)
MESSAGE = r"^[0-9A-Za-z-]{8,64}$"
_MESSAGE = re.compile(MESSAGE)
_SOUND = re.compile(r"(?P<digest>[0-9a-f]{64})\.(?P<ending>pcm|ogg)")
_FILE = re.compile(r"[0-9a-f]{64}\.file")
_FILE_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")

logger = logging.getLogger(__name__)

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
    feeds: Feeds
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

    async def report_aborted(_request: Request, _error: Exception) -> Response:
        return JSONResponse({"error": "the body ended before its end"}, 400)

    async def report_away(_request: Request, _error: Exception) -> Response:
        return JSONResponse({"error": "Temporal is out of reach"}, 503, headers={"Retry-After": "2"})

    api = _Api(page)
    routes = [
        Route("/", index),
        Route("/api/session", api.session, methods=["POST"]),
        Route("/api/login", api.login, methods=["POST"]),
        Route("/api/messages", api.mine(api.message, Bound(MESSAGES_PER_CHAT, MESSAGES)), methods=["POST"]),
        Route("/api/stop", api.mine(api.stop), methods=["POST"]),
        Route("/api/events", api.mine(api.events, Bound(STREAMS_PER_CHAT, STREAMS))),
        Route("/api/files/{name}", api.mine(api.file, Bound(SOUNDS_PER_CHAT, SOUNDS))),
        Route("/api/audio/{name}", api.mine(api.audio, Bound(SOUNDS_PER_CHAT, SOUNDS))),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    handlers = {
        HTTPException: refuse,
        ClientDisconnect: report_aborted,
        RPCError: report_away,
        WorkflowUpdateRPCTimeoutOrCancelledError: report_away,
    }
    return Guard(Starlette(routes=routes, exception_handlers=handlers), page.hosts, page.origins)  # type: ignore[arg-type] # handlers of one kind of error each


class _Api:
    """The interface that the page's script speaks."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._memory = Memory(LARGEST_HELD * page.max_bytes)
        self._order: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._taken_back: OrderedDict[tuple[str, str], None] = OrderedDict()

    def mine(
        self, endpoint: Endpoint, bound: Bound | None = None
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Let only browsers with a session in, as many at once as the bound allows; the endpoint gets their chat."""

        async def guarded(request: Request) -> Response:
            chat = self._page.sessions.chat(request)
            if chat is None:
                raise HTTPException(401, "no session")
            return Bounded(bound, chat, lambda: endpoint(request, chat)) if bound else await endpoint(request, chat)

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
        given = await _json(request, _Login)
        if not await self._page.lock.opens(address, given.password):
            raise HTTPException(403, "wrong password")
        return await self._opened(request, self._page.sessions.chat(request))

    async def _opened(self, request: Request, known: str | None) -> Response:
        chat = known or new_chat()
        response = JSONResponse({"new": known is None, **await self._settings(chat)})
        self._page.sessions.keep(response, chat, secure=request.headers.get("origin", "").startswith("https:"))
        return response

    async def _settings(self, chat: str) -> dict[str, object]:
        settings = await self._page.turns.settings(chat)
        return {
            "reply_mode": settings.reply_mode.value,
            "language": settings.language or "auto",
            "languages": LANGUAGES,
            "voice": settings.voice,
            "voices": list(self._page.voices),
            "link": self._page.turns.link(conversation_id(PLATFORM, chat)),
        }

    async def message(self, request: Request, chat: str) -> Response:
        """Accept a recording (the body as it is) or a text (JSON); it is durable when this answers.

        The page names the message (``?id=``), so that sending it again after a broken connection asks nothing twice.
        ``interrupts`` says that it was said over an answer: that to the message ``heard``, up to ``heard_chars``.
        """
        query = request.query_params
        message = query.get("id", "")
        if not _MESSAGE.fullmatch(message):
            raise HTTPException(400, "a message needs an id")
        inbound = InboundMessage(
            platform=PLATFORM,
            chat=chat,
            message=message,
            user=chat,
            language=_language(request),
            awaited=True,
            interrupts=_stop(query.get("heard"), query.get("heard_chars")) if query.get("interrupts") == "1" else None,
        )
        inbound = await self._filled(inbound, request)
        async with self._order.setdefault(chat, asyncio.Lock()):
            if (chat, message) in self._taken_back:
                raise HTTPException(410, "it was taken back")
            said = await self._page.inbox.receive(inbound)
        if said is None:
            self._follow(chat, inbound.interrupts, message)
        elif inbound.text and (command := parse(inbound.text)):
            await self._tell_outcome(inbound, command[0], said)
        return JSONResponse({"message": message, "said": said}, 200 if said else 202)

    async def _filled(self, inbound: InboundMessage, request: Request) -> InboundMessage:
        """Add what the body holds: a text, or a recording, which is stored."""
        if request.headers.get("content-type", "").startswith("application/json"):
            return replace(inbound, text=(await _json(request, _Text)).text)
        with self._memory.room() as take:
            data = await _body(request, self._page.max_bytes, take)
            stored = await self._page.store.put(
                PLATFORM, inbound.chat, data, mime="application/octet-stream", seconds=0, sample_rate=0, ending="upload"
            )
        source = AudioSource(locator=f"{BLOB_SCHEME}{stored.key}", claimed_bytes=len(data))
        return replace(inbound, audio=source, audio_seconds=_number(request.query_params.get("seconds")))

    async def _tell_outcome(self, inbound: InboundMessage, command: str, said: str) -> None:
        """Tell all pages of the chat what came of a command."""
        feeds, chat = self._page.feeds, inbound.chat
        failed = said in {say(Notice(key=key), inbound.language) for key in ("not-just-now", "internal")}
        if command == "forget" and not failed:
            feeds.clear(chat)
        line = {"id": inbound.message, "text": said, "at": time.time(), "command": command}
        feeds.tell(chat, "said", line, inbound.message)
        if feeds.of(chat):
            feeds.tell(chat, "settings", await self._settings(chat))
        if command == "code":
            feeds.follow(chat, f"{TASK_PREFIX}{inbound.message}")

    async def stop(self, request: Request, chat: str) -> Response:
        """End the answers under way; ``heard`` (a message) is the one that was heard, up to ``heard_chars``.

        Messages that are still on their way (``unsent``, their ids) are refused when they come. Nothing ends once the
        message ``before`` has come: a page tells of it while somebody still says it.
        """
        wanted = await _json(request, _Stopped)
        stop, before = _stop(wanted.heard, wanted.heard_chars), wanted.before
        for message in wanted.unsent:
            self._taken_back[chat, message] = None
        while len(self._taken_back) > TAKEN_BACK_KEPT:
            self._taken_back.popitem(last=False)
        async with self._order.setdefault(chat, asyncio.Lock()):
            if isinstance(before, str) and before in self._page.feeds.recent(chat):
                return JSONResponse({"stopped": 0})
            stopped = await self._page.turns.stop(chat, stop)
        self._follow(chat, stop)
        return JSONResponse({"stopped": stopped})

    def _follow(self, chat: str, stop: Stop | None, message: str = "") -> None:
        """Tell of a message, and of the answer that gave way to it, which may have been written to its end."""
        for changed in (message, stop.message if stop else None):
            if changed:
                self._page.feeds.follow(chat, changed)

    async def events(self, request: Request, chat: str) -> Response:
        """Stream what becomes of the chat: its last turns at once, then each change (``bots.web.feed``)."""
        return EventSourceResponse(self._events(chat, _language(request)), ping=PING_SECONDS, sep="\n")

    async def _events(self, chat: str, language: str | None) -> AsyncIterator[ServerSentEvent]:
        events = self._page.feeds.feed(chat).listen(language)
        stopping = asyncio.create_task(self._page.stopping.wait())
        coming: asyncio.Future[Event | None] | None = None
        try:
            while not stopping.done():
                coming = asyncio.ensure_future(anext(events, None))
                await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
                event = coming.result() if coming.done() else None
                if event is None:
                    return
                yield ServerSentEvent(event=event.name, data=event.data, retry=RETRY_MS)
        except RPCError:
            logger.info("a page has to ask again: Temporal is out of reach")
        finally:  # the browser may have left in the middle of it
            stopping.cancel()
            if coming:
                coming.cancel()
                await asyncio.wait({coming})
            await events.aclose()

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

    async def file(self, request: Request, chat: str) -> Response:
        """Serve a file of this browser's own chat, to be saved: a browser must not show what an agent has written."""
        match = _FILE.fullmatch(request.path_params["name"])
        name = request.query_params.get("name", "")
        if match is None or not _FILE_NAME.fullmatch(name):
            raise HTTPException(404, "no such file")
        try:
            data = await self._page.store.get(f"{PLATFORM}/{chat}/{match[0]}")
        except ApplicationError:
            raise HTTPException(404, "no such file") from None
        saved = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type="application/octet-stream", headers=saved)


class _Login(BaseModel):
    password: str


class _Text(BaseModel):
    text: str


class _Stopped(BaseModel):
    heard: object = None
    heard_chars: object = None
    unsent: list[Annotated[str, Field(pattern=MESSAGE)]] = Field(default=[], max_length=TAKEN_BACK_AT_ONCE)
    before: object = None


Asked = TypeVar("Asked", bound=BaseModel)


async def _json(request: Request, kind: type[Asked]) -> Asked:
    """Read a small JSON object. Pydantic's parser takes no lone surrogate, no endless number and no depth."""
    try:
        return kind.model_validate_json(await _body(request, MAX_JSON_BYTES))
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(key) for key in wrong["loc"])
        raise HTTPException(400, f"{place}: {wrong['msg']}" if place else wrong["msg"]) from None


async def _body(request: Request, most: int, take: Callable[[int], None] = lambda _: None) -> bytes:
    """Read a body up to a size; one that is larger is refused before more of it is read.

    Args:
        request: whose body.
        most: bytes.
        take: takes room for so many bytes, or refuses.

    """
    if (_number(request.headers.get("content-length")) or 0) > most:
        raise HTTPException(413, "too large")
    data = bytearray()
    async for piece in request.stream():
        if len(data) + len(piece) > most:
            raise HTTPException(413, "too large")
        take(len(piece))
        data += piece
    return bytes(data)


def _number(text: str | None) -> float | None:
    """Read a number that a browser claims; None for what is none."""
    return float(text) if text and re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text) else None


def _stop(heard: object, chars: object) -> Stop:
    """Read which answer was heard, and how much of it, as a browser claims it."""
    try:
        return Stop.model_validate({"message": heard, "heard_chars": chars})
    except ValidationError:
        raise HTTPException(400, "heard is a message, heard_chars a number") from None


def _language(request: Request) -> str | None:
    """Return the first language that the browser's user reads."""
    match = _LANGUAGE.match(request.query_params.get("language") or request.headers.get("accept-language", ""))
    return match[0].lower() if match else None
