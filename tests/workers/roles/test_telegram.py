"""How the Telegram bot's process begins, how it receives updates, and in which sentence it ends when it cannot."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.platforms.telegram import TOKEN, BotApi
from tests.support.ports import free_port
from tests.support.waiting import until
from workers.errors import JuneError, UnavailableError
from workers.roles.spec import WorkerSpec
from workers.roles.telegram import REFUSED, build


@pytest.fixture
async def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[BotApi]:
    """A Bot API server that the environment names."""
    async with BotApi() as api:
        monkeypatch.setenv("JUNE_HOME", str(tmp_path))
        monkeypatch.setenv("JUNE_TELEGRAM_TOKEN", TOKEN)
        monkeypatch.setenv("JUNE_TELEGRAM_BASE_URL", api.url)
        yield api


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> int:
    """A webhook on a free port, in the settings."""
    port = free_port()
    monkeypatch.setenv("JUNE_TELEGRAM_WEBHOOK_URL", f"http://127.0.0.1:{port}/hook")
    monkeypatch.setenv("JUNE_TELEGRAM_WEBHOOK_SECRET", "open-sesame")
    monkeypatch.setenv("JUNE_TELEGRAM_WEBHOOK_PORT", str(port))
    return port


@asynccontextmanager
async def receiving(spec: WorkerSpec) -> AsyncIterator[asyncio.Task[object]]:
    """Run the background task for a block."""
    assert spec.background
    background = spec.background()
    assert isinstance(background, Coroutine)
    task: asyncio.Task[object] = asyncio.create_task(background)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, JuneError):
            await task


async def test_it_serves_its_queue_before_telegram_is_reached(api: BotApi, dev_server: WorkflowEnvironment) -> None:
    spec = await build(dev_server.client)
    assert [activity.__name__ for activity in spec.activities] == [
        *("fetch", "reply", "send_file", "show_progress", "retract"),
    ]
    assert api.calls == []


async def test_it_asks_until_telegram_answers_and_then_polls(
    api: BotApi, dev_server: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    api.fail("getMe", 502, "Bad Gateway")
    async with receiving(await build(dev_server.client)):
        await until(lambda: api.called("getUpdates"))
        await until(lambda: len(api.commands) == 5)
    assert len(api.called("getMe")) == 2
    assert "Telegram was not reached: Bad Gateway" in caplog.text
    assert TOKEN not in caplog.text


async def test_a_webhook_is_registered_once_it_is_served(
    api: BotApi, dev_server: WorkflowEnvironment, webhook: int
) -> None:
    async with receiving(await build(dev_server.client)):
        await until(lambda: api.webhook)
        api.push({"poll": {"id": "not for june"}})
        assert await api.post_updates() == [200]
    assert not api.called("getUpdates")
    socket.create_server(("127.0.0.1", webhook)).close()


async def test_a_token_that_telegram_refuses_ends_it(
    api: BotApi, dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUNE_TELEGRAM_TOKEN", "123456:another")
    async with receiving(await build(dev_server.client)) as background:
        with pytest.raises(JuneError) as refused:
            await asyncio.wait_for(background, 10)
    assert str(refused.value) == REFUSED


async def test_an_address_that_telegram_refuses_ends_it(
    api: BotApi, dev_server: WorkflowEnvironment, webhook: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUNE_TELEGRAM_WEBHOOK_URL", "http://june.example.org/hook")
    async with receiving(await build(dev_server.client)) as background:
        with pytest.raises(JuneError, match=r"JUNE_TELEGRAM_WEBHOOK_URL\): .*https url"):
            await asyncio.wait_for(background, 10)


@pytest.mark.usefixtures("api", "webhook")
@pytest.mark.parametrize("setting", ["JUNE_TELEGRAM_TOKEN", "JUNE_TELEGRAM_WEBHOOK_SECRET"])
async def test_what_must_be_set(dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv(setting, "")
    with pytest.raises(JuneError, match=f"set {setting} to"):
        await build(dev_server.client)


@pytest.mark.usefixtures("api")
async def test_a_taken_port_is_said(dev_server: WorkflowEnvironment, webhook: int) -> None:
    sentence = rf"^The webhook cannot listen on 127\.0\.0\.1:{webhook} \(JUNE_TELEGRAM_WEBHOOK_HOST, _PORT\): "
    with socket.create_server(("127.0.0.1", webhook)), pytest.raises(UnavailableError, match=sentence):
        await build(dev_server.client)
