"""Temporal's Web UI for those who may use the page: what they ask for is passed on to Temporal's own server.

That server asks nobody who they are, so it listens where no browser connects (``workers.ports.REFUSED_BY_BROWSERS``).
"""

import logging
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from html import escape
from urllib.parse import parse_qs

import httpx2
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from activities.values import Notice
from bots.texts.catalogue import say, spoken_language
from bots.web.guard import Guard
from bots.web.sessions import COOKIE, Lock, Sessions, new_chat

API = "/api/"
SETTINGS = f"{API}v1/settings"
"""What the Web UI's script asks for first."""
CONNECT_SECONDS = 5.0
MAX_FORM_BYTES = 4000
FORM = "application/x-www-form-urlencoded"
HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
HEADERS = {
    # Where scripts and styles come from is said by Temporal's own page.
    "Content-Security-Policy": "base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",  # with none, the password's form would be from no origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_LANGUAGE = re.compile(r"[A-Za-z]{2}")

logger = logging.getLogger(__name__)


def build_ui(
    server: str,
    sessions: Sessions,
    lock: Lock,
    *,
    hosts: Iterable[str] = (),
    origins: Iterable[str] = (),
    codec: str = "",
    routes: Sequence[BaseRoute] = (),
) -> Guard:
    """Build the application.

    Args:
        server: URL of Temporal's own Web UI server.
        sessions: those of the page, whose login this is.
        lock: that of the page; without a password everybody is let in whom the checks of ``Guard`` let in.
        hosts: host names besides loopback's.
        origins: further origins, as behind a reverse proxy.
        codec: path of a codec server among ``routes``, which the Web UI is told of; empty for none.
        routes: more to serve to those who may see the Web UI, such as a codec server.

    """
    origins = frozenset(origin.rstrip("/").lower() for origin in origins)
    forwarding = _Forwarding(server.rstrip("/"), codec, origins)
    app = Starlette(routes=[*routes, Route(SETTINGS, forwarding.settings), Mount("/", forwarding)])
    programs = (f"{codec}/",) if codec else ()
    private = (API, *programs)
    login = _Login(app, sessions, lock, private, programs)
    return Guard(login, hosts, origins, private=private, programs=programs, headers=HEADERS)


class _Forwarding:
    """An ASGI application that is Temporal's own server."""

    def __init__(self, server: str, codec: str, origins: frozenset[str]) -> None:
        self._server = httpx2.URL(server)
        self._codec = codec
        self._origins = origins

    @cached_property
    def _client(self) -> httpx2.AsyncClient:
        """Made when it is first needed, as it takes a tenth of a second."""
        timeout = httpx2.Timeout(None, connect=CONNECT_SECONDS)  # the Web UI waits for news of a workflow
        return httpx2.AsyncClient(trust_env=False, timeout=timeout, limits=httpx2.Limits(max_connections=None))

    async def settings(self, request: Request) -> Response:
        """Return the Web UI's settings: what it shows is decoded by this origin's codec server, if there is one."""
        try:
            answer = await self._client.get(self._server.copy_with(path=SETTINGS))
            found = answer.raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            return _away(request, error)
        if self._codec:
            own = {"Endpoint": f"{self._origin(request)}{self._codec}", "IncludeCredentials": True}
            found["Codec"] = {**found.get("Codec", {}), **own}
        return JSONResponse(found)

    def _origin(self, request: Request) -> str:
        """Return the origin by whose name the browser knows this server."""
        host = request.headers["host"].lower()
        return f"https://{host}" if f"https://{host}" in self._origins else f"{request.url.scheme}://{host}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back as it comes."""
        request = Request(scope, receive)
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        body = request.stream() if has_body else None
        try:
            url = self._server.copy_with(raw_path=target)
            asked = self._client.build_request(request.method, url, headers=_passed_on(request), content=body)
            answer = await self._client.send(asked, stream=True)
        except (httpx2.InvalidURL, UnicodeDecodeError):
            await JSONResponse({"message": "that is no address"}, 400)(scope, receive, send)
            return
        except httpx2.TransportError as error:
            await _away(request, error)(scope, receive, send)
            return
        try:
            response = StreamingResponse(answer.aiter_raw(), answer.status_code)
            response.raw_headers = [
                (name.lower(), value) for name, value in answer.headers.raw if name.lower().decode() not in HOP_BY_HOP
            ]
            await response(scope, receive, send)
        finally:
            await answer.aclose()


def _passed_on(request: Request) -> list[tuple[str, str]]:
    """Return the headers that Temporal's server gets: all but those of the connection, and june's own cookie."""
    left_out = {*HOP_BY_HOP, "host", "cookie"}
    headers = [(name, value) for name, value in request.headers.items() if name not in left_out]
    cookies = "; ".join(f"{name}={value}" for name, value in request.cookies.items() if name != COOKIE)
    headers += [("cookie", cookies)] if cookies else []
    # Otherwise the client would name what it could unpack.
    return headers if "accept-encoding" in request.headers else [*headers, ("accept-encoding", "identity")]


class _Login:
    """ASGI middleware that lets in who has a session of the page's, and asks others for its password, if it has one.

    Programs give it as ``Authorization: Bearer <password>``, as Temporal's command line does by ``--codec-auth``.
    """

    def __init__(
        self, app: ASGIApp, sessions: Sessions, lock: Lock, private: tuple[str, ...], programs: tuple[str, ...]
    ) -> None:
        self._app = app
        self._sessions, self._lock = sessions, lock
        self._private, self._programs = private, programs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer by a form."""
        app = self._app
        if scope["type"] == "http" and self._lock.locked:
            request = Request(scope, receive)
            if self._sessions.chat(request) is None:
                try:
                    app = await self._ask(request)
                except HTTPException as error:
                    app = JSONResponse({"message": error.detail}, error.status_code, error.headers)
        await app(scope, receive, send)

    async def _of_program(self, request: Request, password: str) -> ASGIApp:
        address = request.client.host if request.client else ""
        if wait := self._lock.wait_seconds(address):
            return JSONResponse({"message": "too many guesses"}, 429, {"Retry-After": str(int(wait) + 1)})
        if not await self._lock.opens(address, password):
            return JSONResponse({"message": "wrong password"}, 403)
        return self._app

    async def _ask(self, request: Request) -> ASGIApp:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if bearer and scheme.lower() == "bearer" and request.url.path.startswith(self._programs):
            return await self._of_program(request, bearer)
        if request.url.path.startswith(self._private):
            return JSONResponse({"message": "password needed"}, 401)
        if request.method != "POST" or not request.headers.get("content-type", "").startswith(FORM):
            return _form(request, 401)
        address = request.client.host if request.client else ""
        if wait := self._lock.wait_seconds(address):
            return _form(request, 429, "ui-wait", {"Retry-After": str(int(wait) + 1)})
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_FORM_BYTES:
                return _form(request, 413, "ui-wrong")
        given = parse_qs(body.decode(errors="replace")).get("password", [""])[0]
        if not await self._lock.opens(address, given):
            return _form(request, 403, "ui-wrong")
        # A path alone, which begins with one slash: it can lead nowhere else.
        there = "/" + request.scope["raw_path"].decode("latin-1").lstrip("/\\")
        answer = RedirectResponse(f"{there}?{request.url.query}" if request.url.query else there, 303)
        self._sessions.keep(answer, new_chat(), secure=request.headers.get("origin", "").startswith("https:"))
        return answer


def _form(request: Request, status: int, trouble: str = "", headers: dict[str, str] | None = None) -> Response:
    """Ask for the password; the answer goes to the same address."""

    def text(key: str) -> str:
        return escape(say(Notice(key=key), _language(request)))

    said = f"<p role=alert>{text(trouble)}" if trouble else ""
    page = (
        f"<!doctype html><html lang={spoken_language(_language(request))}><meta charset=utf-8><title>june</title>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        "<meta name=color-scheme content='light dark'>"
        f"<form method=post><p>{text('ui-locked')}{said}<p><label for=password>{text('ui-password')}</label> "
        "<input id=password name=password type=password autocomplete=current-password required autofocus> "
        f"<button>{text('ui-enter')}</button></form>"
    )
    return HTMLResponse(page, status, MutableHeaders({"Cache-Control": "no-store"} | (headers or {})))


def _away(request: Request, error: Exception) -> Response:
    """Answer that Temporal's server cannot be asked."""
    logger.info("Temporal's Web UI server does not answer: %r", error)
    said = say(Notice(key="ui-away"), _language(request))
    if request.url.path.startswith(API):
        return JSONResponse({"message": said}, 503, headers={"Retry-After": "2"})
    return HTMLResponse(f"<!doctype html><meta charset=utf-8><title>june</title><p>{escape(said)}", 503)


def _language(request: Request) -> str | None:
    """Return the first language that the browser's user reads."""
    match = _LANGUAGE.match(request.headers.get("accept-language", ""))
    return match[0].lower() if match else None
