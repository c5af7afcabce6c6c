"""Who a browser is: its cookie, the password, and the key that signs."""

from pathlib import Path

import pytest
from starlette.requests import HTTPConnection
from temporalio.testing import WorkflowEnvironment

from bots.web import sessions
from bots.web.app import Page
from bots.web.sessions import Sessions, secret_key
from tests.support.page_client import browser, chat_of, opened, page_of


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
    for path in ("/api/events", f"/api/audio/{'0' * 64}.ogg"):
        assert (await client.get(path)).status_code == 401
    assert (await client.post("/api/messages?id=12345678", json={"text": "hello"})).status_code == 401


async def test_the_password_opens(dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "GUESS_SECONDS", 0)
    page = page_of(dev_server.client, "open sesame")
    client = browser(page)
    assert (await client.post("/api/session", json={})).status_code == 401
    assert (await client.post("/api/login", json={"password": "wrong"})).status_code == 403
    assert (await client.post("/api/login", json={"password": 1})).status_code == 400
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


def test_a_cookie_of_0_1_0_is_honoured() -> None:
    cookie = ".eJxTMjA0MjYxNTO3sExMSk5JTUPnKwEAkmIJCQ.bJiTcMdodZqYgPdqptDTbLqSNVE"  # as it was made then, with this key
    headers = [(b"cookie", f"june={cookie}".encode())]
    assert Sessions(b"k" * 32, "").chat(HTTPConnection({"type": "http", "headers": headers})) == "0123456789abcdef" * 2
