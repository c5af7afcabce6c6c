"""Temporal's Web UI as june serves it: who is let in, and what is passed on to a server that stands for Temporal's."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bots.web import sessions
from bots.web.sessions import Lock, Sessions
from bots.web.temporal_ui import build_ui
from tests.support.page_client import KEY
from tests.support.ports import free_port
from tests.support.static_page import served

URL = "http://localhost:8233"
WORKFLOW = "/api/v1/namespaces/default/workflows/chat%2Ffile%2Fa/terminate?x=%2F&y"
PASSWORD = "open sesame"
LETTERS = {"Content-Type": "application/x-www-form-urlencoded", "Origin": URL}


class Temporal:
    """Stands for Temporal's own Web UI server: says what it was asked."""

    def __init__(self) -> None:
        self.going_on = asyncio.Event()

    async def __call__(self, request: Request) -> Response:
        """Answer what was asked, settings, or the beginning of an answer whose end comes later."""
        if request.url.path == "/api/v1/settings":
            return JSONResponse({"Codec": {"Endpoint": "", "PassAccessToken": False}, "Version": "2"})
        if request.url.path == "/slow":
            return StreamingResponse(self._slow())
        asked = {
            "method": request.method,
            "target": request.scope["raw_path"].decode() + "?" + request.url.query,
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        }
        headers = {"X-Frame-Options": "SAMEORIGIN", "Set-Cookie": "_csrf=token; Path=/"}
        return JSONResponse(asked, 201, headers)

    async def _slow(self) -> AsyncIterator[bytes]:
        yield b"one"
        await self.going_on.wait()
        yield b"two"


@pytest.fixture
async def temporal() -> AsyncIterator[tuple[str, Temporal]]:
    """A server in Temporal's place, and its address."""
    own = Temporal()
    methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
    async with served(Starlette(routes=[Route("/{path:path}", own.__call__, methods=methods)])) as url:
        yield url, own


def person(server: str, password: str = "", **more: object) -> httpx.AsyncClient:
    """A browser with cookies of its own."""
    ui = build_ui(server, Sessions(KEY, password), Lock(password), **more)  # type: ignore[arg-type] # of several types
    return httpx.AsyncClient(transport=httpx.ASGITransport(ui), base_url=URL)


async def test_everything_is_passed_on_as_it_was_asked(temporal: tuple[str, Temporal]) -> None:
    async with person(temporal[0]) as browser:
        cookies = {"Cookie": "june=secret; _csrf=token"}
        answer = await browser.post(
            WORKFLOW, json={"reason": "ü"}, headers={"Origin": URL, "X-CSRF-Token": "t", **cookies}
        )
    asked = answer.json()
    assert (answer.status_code, asked["method"], asked["target"]) == (201, "POST", WORKFLOW)
    assert json.loads(asked["body"]) == {"reason": "ü"}
    assert asked["headers"]["cookie"] == "_csrf=token"
    assert asked["headers"]["accept-encoding"] == browser.headers["accept-encoding"]
    assert asked["headers"]["x-csrf-token"] == "t"
    assert asked["headers"]["host"] == temporal[0].removeprefix("http://")
    assert answer.headers["set-cookie"].startswith("_csrf=token")


@pytest.mark.parametrize("path", ["/", "/namespaces/default/workflows", "/api/v1/namespaces", "//evil.example/x"])
async def test_what_is_read_is_passed_on(temporal: tuple[str, Temporal], path: str) -> None:
    async with person(temporal[0]) as browser:
        answer = await browser.get(URL + path)
    assert (answer.json()["method"], answer.json()["target"], answer.json()["body"]) == ("GET", f"{path}?", "")
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "script-src" not in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "rebound.example:8233"}, 421),
        ({"Host": "127.0.0.1.nip.io"}, 421),
        ({"Origin": "https://site.example"}, 403),
        ({"Origin": "http://localhost:8088"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({}, 403),
        ({"Origin": URL}, 201),
        ({"Host": "ui.example.org", "Origin": "https://ui.example.org"}, 201),
    ],
)
async def test_only_the_web_ui_itself_changes_anything(
    temporal: tuple[str, Temporal], headers: dict[str, str], status: int
) -> None:
    async with person(temporal[0], origins=["https://ui.example.org"]) as browser:
        assert (await browser.post(WORKFLOW, content="{}", headers=headers)).status_code == status


async def test_other_sites_may_link_to_its_pages_and_read_nothing(temporal: tuple[str, Temporal]) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    async with person(temporal[0], codec="/codec") as browser:
        assert (await browser.get("/namespaces/default/workflows", headers=elsewhere)).is_success
        for path in ("/api/v1/namespaces", "/codec/decode"):
            assert (await browser.get(path, headers=elsewhere)).status_code == 403


async def test_the_password_is_asked_for_once(temporal: tuple[str, Temporal], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "GUESS_SECONDS", 0)
    where = "/namespaces/default/workflows/chat%2Ffile%2Fa?tab=x"
    async with person(temporal[0], PASSWORD) as browser:
        assert (await browser.get("/api/v1/namespaces")).status_code == 401
        assert (await browser.post(WORKFLOW, content="{}", headers={"Origin": URL})).status_code == 401
        form = await browser.get(where, headers={"Accept-Language": "de-AT"})
        assert (form.status_code, "Passwort" in form.text, "lang=de" in form.text) == (401, True, True)
        wrong = await browser.post(where, data={"password": "x"}, headers=LETTERS)
        assert (wrong.status_code, "the password" in wrong.text) == (403, True)
        assert (await browser.post(where, data={"password": PASSWORD})).status_code == 403, "no origin"
        entered = await browser.post(where, data={"password": PASSWORD}, headers=LETTERS)
        assert (entered.status_code, entered.headers["location"]) == (303, where)
        assert (await browser.get(where)).json()["target"] == where
        assert (await browser.get("/api/v1/namespaces")).is_success


async def test_whoever_is_logged_in_on_the_page_is_here(temporal: tuple[str, Temporal]) -> None:
    own = Sessions(KEY, PASSWORD)
    answer = Response()
    own.keep(answer, "0" * 32, secure=False)
    cookie = {"Cookie": answer.headers["set-cookie"].split(";")[0]}
    async with person(temporal[0], PASSWORD) as browser:
        assert (await browser.get("/api/v1/namespaces", headers=cookie)).is_success
    async with person(temporal[0], "another") as browser:
        assert (await browser.get("/api/v1/namespaces", headers=cookie)).status_code == 401


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "///x"])
async def test_the_password_leads_nowhere_else(
    temporal: tuple[str, Temporal], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(sessions, "GUESS_SECONDS", 0)
    async with person(temporal[0], PASSWORD) as browser:
        entered = await browser.post(URL + path, data={"password": PASSWORD}, headers=LETTERS)
        assert entered.status_code == 303
        assert httpx.URL(URL).join(entered.headers["location"]).host == "localhost"
        assert not entered.headers["location"].startswith(("//", "/\\"))


async def test_guesses_are_slowed_down(temporal: tuple[str, Temporal], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "GUESS_SECONDS", 0)
    async with person(temporal[0], PASSWORD) as browser:
        long = await browser.post("/", data={"password": "x" * 5000}, headers=LETTERS)
        assert long.status_code == 413
        tries = [await browser.post("/", data={"password": "x"}, headers=LETTERS) for _ in range(sessions.FREE_GUESSES)]
        assert {answer.status_code for answer in tries} == {403}
        last = await browser.post("/", data={"password": PASSWORD}, headers=LETTERS)
    assert last.status_code == 429
    assert int(last.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("localhost:8233", "http://localhost:8233/codec"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/codec"),
        ("UI.example.org", "https://ui.example.org/codec"),
    ],
)
async def test_the_web_ui_is_told_of_the_codec_server_by_the_name_in_use(
    temporal: tuple[str, Temporal], host: str, endpoint: str
) -> None:
    routes = [Route("/codec/decode", lambda _: JSONResponse({"payloads": []}), methods=["POST"])]
    origins = ["https://ui.example.org/"]
    async with person(temporal[0], origins=origins, codec="/codec", routes=routes) as browser:
        found = (await browser.get("/api/v1/settings", headers={"Host": host})).json()
        assert found["Codec"] == {"Endpoint": endpoint, "PassAccessToken": False, "IncludeCredentials": True}
        assert found["Version"] == "2"
        decoded = await browser.post("/codec/decode", json={}, headers={"Origin": URL})
        assert decoded.json() == {"payloads": []}


async def test_a_codec_server_is_for_those_who_know_the_password(temporal: tuple[str, Temporal]) -> None:
    routes = [Route("/codec/decode", lambda _: JSONResponse({"payloads": []}), methods=["POST"])]
    async with person(temporal[0], PASSWORD, codec="/codec", routes=routes) as browser:
        for headers in ({"Origin": URL}, LETTERS):
            assert (await browser.post("/codec/decode", content="{}", headers=headers)).status_code == 401


async def test_programs_read_through_the_codec_server(temporal: tuple[str, Temporal]) -> None:
    routes = [Route("/codec/decode", lambda _: JSONResponse({"payloads": []}), methods=["POST"])]
    async with person(temporal[0], codec="/codec", routes=routes) as program:
        assert (await program.post("/codec/decode", json={})).status_code == 200
        assert (await program.post("/codec/decode", content="{}")).status_code == 403  # a form may have sent it
        for told in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await program.post("/codec/decode", json={}, headers=told)).status_code == 403
        assert (await program.post("/api/v1/namespaces", json={})).status_code == 403
    async with person(temporal[0], PASSWORD, codec="/codec", routes=routes) as program:
        for given, status in ((f"Bearer {PASSWORD}", 200), ("Bearer guess", 403), ("Basic x", 401), ("", 401)):
            answer = await program.post("/codec/decode", json={}, headers={"Authorization": given})
            assert answer.status_code == status, given
        elsewhere = await program.get("/api/v1/namespaces", headers={"Authorization": f"Bearer {PASSWORD}"})
        assert elsewhere.status_code == 401


async def test_without_a_codec_server_the_settings_are_temporal_s(temporal: tuple[str, Temporal]) -> None:
    async with person(temporal[0]) as browser:
        assert (await browser.get("/api/v1/settings")).json()["Codec"]["Endpoint"] == ""


async def test_answers_come_as_they_are_written(temporal: tuple[str, Temporal]) -> None:
    """Served for real: the test's own transport waits for whole answers."""
    server, own = temporal
    async with (
        served(build_ui(server, Sessions(KEY, ""), Lock(""))) as url,
        httpx.AsyncClient() as browser,
        browser.stream("GET", f"{url}/slow") as answer,
    ):
        pieces = answer.aiter_raw()
        assert await anext(pieces) == b"one"
        own.going_on.set()
        assert b"".join([piece async for piece in pieces]) == b"two"


@pytest.mark.parametrize("target", [b"/\xff", b"/" + b"x" * 70_000, b"/\x01", b"/api/v1/settings?\xe2\x82"])
async def test_odd_addresses_are_no_fault(temporal: tuple[str, Temporal], target: bytes) -> None:
    async with served(build_ui(temporal[0], Sessions(KEY, ""), Lock(""))) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
        writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        status = int((await reader.readline()).split()[1])
        writer.close()
    assert status in {200, 201, 400}


async def test_a_person_types_the_password_and_is_where_the_link_led(
    temporal: tuple[str, Temporal], view_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "GUESS_SECONDS", 0)
    async with served(build_ui(temporal[0], Sessions(KEY, PASSWORD), Lock(PASSWORD))) as url:
        context = await view_browser.new_context(locale="es")
        page = await context.new_page()
        await page.goto(f"{url}/namespaces/default/workflows?query=x")
        for password in ("wrong", PASSWORD):
            await page.get_by_label("Contraseña").fill(password)
            await page.get_by_role("button", name="Entrar").click()
            await page.get_by_text("Esa no es la contraseña." if password == "wrong" else '"method"').wait_for()
        assert page.url == f"{url}/namespaces/default/workflows?query=x"
        assert "/namespaces/default/workflows?query=x" in await page.locator("body").inner_text()
        await context.close()


async def test_a_server_that_is_away_is_said() -> None:
    async with person(f"http://127.0.0.1:{free_port()}") as browser:
        for path in ("/api/v1/settings", "/api/v1/namespaces", "/"):
            answer = await browser.get(path, headers={"Accept-Language": "fr"})
            assert answer.status_code == 503
            assert "Temporal" in answer.text
            assert "instant" in answer.text
