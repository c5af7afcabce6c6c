"""Checks before every request (the host that it names, the page that it comes from), and headers of every answer.

Starlette's TrustedHostMiddleware answers 400 in plain text; the page's script and people read a 421 with a reason.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PRIVATE = ("/api/",)
SAFE_METHODS = frozenset({"GET", "HEAD"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "media-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware against other sites: DNS rebinding, forged requests, framing, sniffing."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        origins: Iterable[str],
        *,
        private: tuple[str, ...] = PRIVATE,
        programs: tuple[str, ...] = (),
        headers: Mapping[str, str] = HEADERS,
    ) -> None:
        """Configure what is let in.

        Args:
            app: what is guarded.
            hosts: host names that requests may be for, besides loopback's and those of the origins.
            origins: further origins (``https://june.example.org``), as behind a reverse proxy.
            private: what paths begin with that other sites may not even link to.
            programs: what paths begin with that programs other than browsers may post JSON to.
            headers: added to each answer that has none of that name.

        """
        self._app = app
        self._private, self._programs, self._headers = private, programs, headers
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        named = {urlsplit(origin).hostname for origin in self._origins}
        self._hosts = LOOPBACK | {host.lower() for host in hosts} | {host for host in named if host}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store" if private else "no-cache")
            await send(message)

        headers, private = Headers(scope=scope), scope["path"].startswith(self._private)
        app = self._app
        if host_name(headers) not in self._hosts:
            app = JSONResponse({"error": "june is not to be reached under this name (JUNE_WEB_ORIGINS)"}, 421)
        elif not (
            self._is_own(headers, needed=scope["method"] not in SAFE_METHODS, private=private)
            or (scope["path"].startswith(self._programs) and _is_of_no_browser(headers))
        ):
            app = JSONResponse({"error": "this request comes from another site"}, 403)
        await app(scope, receive, headed)

    def _is_own(self, headers: Headers, *, needed: bool, private: bool) -> bool:
        """Check whether june's own page makes the request; links from elsewhere may open it, and do no more.

        Args:
            headers: those of the request.
            needed: proof of that is needed, as the request changes something.
            private: the request reads what other sites may not, even by a link.

        """
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None:
            host = headers.get("host", "").lower()
            return origin.lower() in {f"http://{host}", f"https://{host}", *self._origins}
        if site is None:
            return not needed
        return site == "same-origin" or (site == "none" and not needed) or not (needed or private)


def _is_of_no_browser(headers: Headers) -> bool:
    """Check for what no page can make a browser send to another site: JSON, and not a word of where it comes from."""
    told = "origin" in headers or "sec-fetch-site" in headers
    return not told and headers.get("content-type", "").partition(";")[0].strip() == "application/json"


def host_name(headers: Headers) -> str | None:
    """Return the host that a request is for, without its port, in lower case; None for what is none."""
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:
        return None
