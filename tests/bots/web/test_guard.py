"""Who gets to the web page: names and origins; and the headers of every answer."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bots.web import sessions
from bots.web.app import Page
from tests.support.page_client import URL, browser, opened


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
        ({"Origin": "http://["}, 403),
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
    assert (await client.get("/api/events", headers={"Sec-Fetch-Site": site})).status_code == 403


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/events", "/nothing"])
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
    elsewhere = re.compile(r"""(from|import|src=|href=|url|fetch|Worker|URL|EventSource)[\s("'`]*(https?:)?//""")
    for file in static.iterdir():
        if file.suffix in {".css", ".html", ".js", ".svg"}:
            assert not elsewhere.search(file.read_text()), file.name
