"""Who gets to the web page: names, origins, cookies, the password."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from bots.web import sessions
from bots.web.app import Page
from bots.web.sessions import secret_key
from tests.support.page_client import URL, browser, chat_of, opened, page_of


@pytest.fixture
def page(dev_server: WorkflowEnvironment) -> Page:
    """A page without a password, whose store is memory."""
    return page_of(dev_server.client)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "[::1", "10.0.0.1"])
async def test_other_names_are_refused(page: Page, host: str) -> None:
    answer = await browser(page).get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("host", ["localhost:8088", "127.0.0.1:8088", "[::1]:8088", "june.example.org"])
async def test_own_names_are_let_in(page: Page, host: str) -> None:
    page = replace(page, origins=("https://june.example.org",))
    assert (await browser(page, headers={"Host": host}).get("/")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": URL}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://june.example.org"}, 200),
    ],
)
async def test_only_the_page_itself_changes_anything(page: Page, headers: dict[str, str], status: int) -> None:
    page = replace(page, origins=("https://june.example.org",))
    answer = await browser(page, headers=headers).post("/api/session", json={})
    assert answer.status_code == status
    assert ("set-cookie" in answer.headers) == (status == 200)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_other_sites_may_link_and_no_more(page: Page, site: str) -> None:
    client = await opened(page)
    del client.headers["Origin"]
    assert (await client.get("/", headers={"Sec-Fetch-Site": site})).status_code == 200
    assert (await client.get("/api/turns", headers={"Sec-Fetch-Site": site})).status_code == 403


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/turns", "/nothing"])
async def test_headers_guard_every_answer(page: Page, path: str) -> None:
    headers = (await browser(page).get(path)).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("no-store" if path.startswith("/api/") else "no-cache")


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere() -> None:
    static = Path(sessions.__file__).parent / "static"
    page = (static / "index.html").read_text()
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)
    for file in static.iterdir():
        assert "//" not in file.read_text().replace("http://www.w3.org", "").replace("// ", ""), file.name


async def test_the_cookie_is_for_this_site_and_no_script(page: Page) -> None:
    cookie = (await browser(page).post("/api/session", json={})).headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in cookie.split(";")}


async def test_a_session_outlives_the_server(page: Page, dev_server: WorkflowEnvironment) -> None:
    client = await opened(page)
    chat = chat_of(page, client)
    later = page_of(dev_server.client)
    async with browser(later, cookies=client.cookies) as again:
        assert (await again.post("/api/session", json={})).json()["new"] is False
        assert chat_of(later, again) == chat


@pytest.mark.parametrize("cookie", ["", "x", '"00000000000000000000000000000000".AAAA'])
async def test_without_a_session_nothing_is_told(page: Page, cookie: str) -> None:
    client = browser(page, cookies={"june": cookie})
    for path in ("/api/turns", "/api/turns/12345678/events", f"/api/audio/{'0' * 64}.ogg"):
        assert (await client.get(path)).status_code == 401
    assert (await client.post("/api/messages?id=12345678", json={"text": "hello"})).status_code == 401


async def test_the_password_opens(dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "GUESS_SECONDS", 0)
    page = page_of(dev_server.client, "open sesame")
    client = browser(page)
    assert (await client.post("/api/session", json={})).status_code == 401
    assert (await client.post("/api/login", json={"password": "wrong"})).status_code == 403
    assert (await client.post("/api/login", json={"password": 1})).status_code == 403
    assert (await client.post("/api/login", json={"password": "open sesame"})).status_code == 200
    assert (await client.post("/api/session", json={})).json()["new"] is False
    changed = browser(page_of(dev_server.client, "another"), cookies=client.cookies)
    assert (await changed.post("/api/session", json={})).status_code == 401


async def test_guesses_are_slowed_down(dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "GUESS_SECONDS", 0)
    client = browser(page_of(dev_server.client, "open sesame"))
    answers = [await client.post("/api/login", json={"password": str(n)}) for n in range(sessions.FREE_GUESSES + 1)]
    assert [answer.status_code for answer in answers] == [403] * sessions.FREE_GUESSES + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "home" / "web.key"
    key = secret_key(file)
    assert len(key) == 32
    assert secret_key(file) == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["web.key"]
