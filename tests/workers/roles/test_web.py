"""The web page's process: it opens to others only with a password, and says what is in its way."""

import asyncio
import socket
from pathlib import Path

import httpx
import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.ports import free_port
from workers.errors import JuneError, UnavailableError
from workers.roles.web import build, is_loopback


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """A port for the page, in the settings."""
    port = free_port()
    monkeypatch.setenv("JUNE_WEB_PORT", str(port))
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    return port


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("box", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


async def test_open_to_others_only_with_a_password(
    dev_server: WorkflowEnvironment, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUNE_WEB_HOST", "192.0.2.1")
    with pytest.raises(JuneError, match="JUNE_WEB_PASSWORD"):
        await build(dev_server.client)


async def test_a_taken_port_is_said(dev_server: WorkflowEnvironment, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), pytest.raises(UnavailableError, match="JUNE_WEB_PORT"):
        await build(dev_server.client)


async def test_an_address_of_another_machine_is_said(
    dev_server: WorkflowEnvironment, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUNE_WEB_HOST", "192.0.2.1")
    monkeypatch.setenv("JUNE_WEB_PASSWORD", "open sesame")
    with pytest.raises(UnavailableError, match=rf"cannot listen on 192\.0\.2\.1:{port} \(JUNE_WEB_HOST\)"):
        await build(dev_server.client)


@pytest.fixture
def ui_port(monkeypatch: pytest.MonkeyPatch, port: int) -> int:
    """A port for Temporal's Web UI, in the settings; of its own server nothing answers."""
    ui_port = free_port()
    monkeypatch.setenv("JUNE_EMBEDDED_UI_PORT", str(ui_port))
    monkeypatch.setenv("JUNE_WEB_UI_SERVER", f"http://127.0.0.1:{free_port()}")
    return ui_port


async def test_the_web_ui_is_open_to_others_only_with_a_password(
    dev_server: WorkflowEnvironment, ui_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUNE_EMBEDDED_UI_HOST", "0.0.0.0")  # noqa: S104 - what is refused
    with pytest.raises(JuneError, match=r"Web UI would be open .* JUNE_WEB_PASSWORD.*JUNE_EMBEDDED_UI_HOST"):
        await build(dev_server.client)


async def test_a_taken_port_of_the_web_ui_is_said(dev_server: WorkflowEnvironment, ui_port: int) -> None:
    with (
        socket.create_server(("127.0.0.1", ui_port)),
        pytest.raises(UnavailableError, match="JUNE_EMBEDDED_UI_PORT"),
    ):
        await build(dev_server.client)


@pytest.mark.parametrize("password", ["", "open sesame"])
async def test_the_web_ui_is_served_beside_the_page_with_its_login(
    dev_server: WorkflowEnvironment, port: int, ui_port: int, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("JUNE_WEB_PASSWORD", password)
    work = await build(dev_server.client)
    assert work.background is not None
    background = asyncio.ensure_future(work.background())
    urls = (f"http://localhost:{port}", f"http://localhost:{ui_port}")
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{urls[0]}/")).is_success
        assert (await client.get(f"{urls[1]}/api/v1/namespaces")).status_code == (401 if password else 503)
        login, given = ("login", {"password": password}) if password else ("session", {})
        opened = await client.post(f"{urls[0]}/api/{login}", json=given, headers={"Origin": urls[0]})
        assert opened.json()["link"].startswith(urls[1])
        assert (await client.get(f"{urls[1]}/api/v1/namespaces")).status_code == 503, "let in; nobody answers behind it"
        assert (await client.get(f"{urls[1]}/", headers={"Host": "site.example"})).status_code == 421
    background.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(background, 10)
    for used in (port, ui_port):
        socket.create_server(("127.0.0.1", used)).close()


async def test_it_serves_until_it_is_cancelled(dev_server: WorkflowEnvironment, port: int) -> None:
    work = await build(dev_server.client)
    assert work.background is not None
    background = asyncio.ensure_future(work.background())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert "june" in (await client.get("/")).text
    background.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(background, 5)
    socket.create_server(("127.0.0.1", port)).close()
