"""Whatever is asked of the page's server, it answers, refuses or hangs up: never a fault of its own."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.testing import WorkflowEnvironment

from bots.web import sessions
from bots.web.app import build_app
from tests.support.page_client import opened, page_of
from tests.support.ports import free_port
from tests.support.world import World
from workers import http
from workers.http import listen, serving

pytestmark = pytest.mark.slow

WEIRD = [
    r'"\ud800"',
    r'"\udfff\ud800"',
    r'"a\u0000b"',
    '"' + "é" * 9 + '"',
    "1" + "0" * 5000,
    "-1",
    "1.5",
    "1e999",
    "NaN",
    "-Infinity",
    "[" * 5000 + "]" * 5000,
    '{"a":' * 5000 + "1" + "}" * 5000,
    "null",
    "true",
    "[]",
    "{}",
    '""',
    '["message-1"]',
    r'["message-\ud800"]',
    "[" + '"message-1",' * 200 + '"message-1"]',
    "",
    "'x'",
]
BODIES = ["text", "password", "heard", "heard_chars", "unsent", "before"]
HEADERS = ["Content-Type", "Cookie", "Range", "Accept-Language", "Origin", "Host", "Content-Length", "X-Forwarded-For"]
TARGETS = [
    *("/", "/api/session", "/api/login", "/api/stop", "/api/messages", "/api/messages?id=12345678", "/api/events"),
    *("/api/audio/", f"/api/audio/{'0' * 64}.pcm?rate=", "/static/", "/static/main.js", "/static/../app.py"),
]
TOKENS = st.sampled_from([b"%00", b"%ff", b"%ed%a0%80", b"..", b"/", b"?", b"&id=", b"=", b"9" * 4500, b"\xc3\xa9"])
PIECES = st.lists(st.one_of(TOKENS, st.binary(max_size=20)), max_size=4).map(b"".join)


class Server:
    """The page's server, as a hostile client sees it."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port = port
        self._cookie = cookie

    async def status(self, method: str, target: bytes, headers: dict[str, bytes], body: bytes = b"") -> int:
        """Ask; return the status, 0 when there is no answer but the end of the connection."""
        given = {
            "Host": b"localhost",
            "Origin": b"http://localhost",
            "Cookie": self._cookie.encode(),
            "Content-Length": str(len(body)).encode(),
            "Connection": b"close",
        } | headers
        head = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in given.items())
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(method.encode() + b" " + target + b" HTTP/1.1\r\n" + head + b"\r\n" + body)
        try:
            async with asyncio.timeout(30):
                answer = await reader.readline()
        except ConnectionError:
            return 0
        finally:
            writer.transport.abort()
        return int(answer.split()[1]) if answer else 0


@pytest.fixture(params=["", "open sesame"])
async def server(
    request: pytest.FixtureRequest,
    world: World,
    dev_server: WorkflowEnvironment,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Server]:
    """Serve the page, with a password or without; nothing may be logged as an error meanwhile."""
    monkeypatch.setattr(sessions, "GUESS_SECONDS", 0)
    monkeypatch.setattr(sessions, "FREE_GUESSES", 1_000_000)
    monkeypatch.setattr(http, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(http, "HEAD_SECONDS", 2.0)
    monkeypatch.setattr(http, "LINGER_SECONDS", 0.1)
    page, port = page_of(dev_server.client, request.param), free_port()
    client = await opened(page_of(dev_server.client))
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    async with serving(build_app(page), listen("127.0.0.1", port, str), 500):
        server = Server(port, cookie)
        yield server
        if not request.param:  # no turn is left to the next test
            assert await server.status("POST", b"/api/stop", {}, b"{}") == 200
        page.stopping.set()
    assert [record for record in caplog.records if record.levelname == "ERROR" or record.exc_info] == []


@pytest.mark.parametrize("weird", WEIRD, ids=lambda weird: weird[:12])
async def test_json_that_is_none_of_the_pages_is_refused(server: Server, weird: str) -> None:
    json = {"Content-Type": b"application/json"}
    for encoding in ("utf-8", "utf-8-sig", "latin-1", "utf-16"):
        for name in BODIES:
            body = f'{{"{name}": {weird}, "{name}": {weird}}}'.encode(encoding)
            for target in (b"/api/login", b"/api/stop", b"/api/messages?id=12345678"):
                assert await server.status("POST", target, json, body) < 500
        for target in (b"/api/login", b"/api/stop", b"/api/messages?id=12345678"):
            status = await server.status("POST", target, json, weird.encode(encoding))
            assert status in {400, 401} or (weird, target) == ("{}", b"/api/stop")


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_request_is_a_fault(server: Server, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS", "TRACE"]))
    target = data.draw(st.sampled_from(TARGETS)).encode() + data.draw(PIECES)
    headers = data.draw(st.dictionaries(st.sampled_from(HEADERS), PIECES, max_size=3))
    status = await server.status(method, target, headers, data.draw(st.binary(max_size=50)))
    assert status == 0 or 200 <= status < 500


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_value_that_a_browser_claims_is_a_fault(server: Server, data: st.DataObject) -> None:
    value = st.one_of(st.text(max_size=20), st.integers().map(str), st.sampled_from(["9" * 4500, "٣", "1e9", "nan"]))
    names = st.sampled_from(["id", "heard", "heard_chars", "interrupts", "language", "seconds", "rate"])
    claimed = data.draw(st.dictionaries(names, value)) | {"interrupts": "1"}
    query = str(httpx.QueryParams({"id": "12345678"} | claimed)).encode()
    ranges = data.draw(st.sampled_from([b"bytes=0-", b"bytes=" + b"9" * 4500 + b"-", b"bytes=-" + b"9" * 4500]))
    for path in (b"/api/messages?", b"/api/audio/" + b"0" * 64 + b".pcm?", b"/static/main.js?"):
        method = "POST" if b"messages" in path else "GET"
        status = await server.status(method, path + query, {"Range": ranges}, b"")
        assert status == 0 or 200 <= status < 500
