"""Updates by webhook, with the real library: answered with 200 once they are safe, and not before."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession
from telegram import Bot

from bots.delivery import DROPPED, TRIES
from bots.telegram.intake import TelegramIntake
from bots.telegram.polling import TokenRefusedError
from bots.telegram.webhook import SECRET_HEADER, Webhook, register
from tests.bots.telegram.conftest import CHAT, DOWN, HOPELESS, OTHER, SORRY, Inbox
from tests.support.platforms.telegram import BotApi
from tests.support.ports import free_port
from workers.http import serving

SECRET = "open-sesame"


@asynccontextmanager
async def listening(bot: Bot, intake: TelegramIntake) -> AsyncIterator[str]:
    port = free_port()
    application = Webhook(bot, intake.receive, SECRET).application("/hook")
    async with serving(application, socket.create_server(("127.0.0.1", port)), 10):
        url = f"http://127.0.0.1:{port}/hook"
        await register(bot, url, SECRET)
        yield url


async def test_webhook(api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake) -> None:
    async with listening(bot, intake) as url:
        assert (api.webhook["url"], api.webhook["secret_token"]) == (url, SECRET)
        inbox.failures["1"] = [DOWN]
        for text in ("1", "2"):
            api.write(CHAT, text)
        assert await api.post_updates() == [503]
        assert await api.post_updates() == [200, 200]
    assert inbox.texts == ["1", "2"]


async def test_a_hopeless_update_is_reported_and_dropped(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.failures = {"large": [HOPELESS] * 9}
    large = api.write(CHAT, "large")
    api.write(CHAT, "next")
    async with listening(bot, intake):
        assert await api.post_updates() == [200, 200]
    await intake.settle()
    assert (inbox.texts, inbox.said) == (["next"], [(str(large), SORRY)])
    assert [record.message.split(":")[0] for record in caplog.records if record.levelname == "ERROR"] == [DROPPED]


async def test_a_transient_failure_loses_nothing_and_keeps_the_order(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake
) -> None:
    inbox.failures = {"1": [DOWN] * 4, "2": [DOWN]}
    for chat, text in ((CHAT, "1"), (OTHER, "2"), (CHAT, "3")):
        api.write(chat, text)
    async with listening(bot, intake):
        statuses = [await api.post_updates() for _ in range(6)]
    assert statuses == [[503]] * 4 + [[200, 503], [200, 200]]
    assert inbox.texts == ["1", "2", "3"]


async def test_an_update_with_a_fault_is_tried_a_few_times(
    api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake
) -> None:
    inbox.failures = {"poison": [ValueError("bad")] * 9}
    for text in ("poison", "next"):
        api.write(CHAT, text)
    async with listening(bot, intake):
        statuses = [await api.post_updates() for _ in range(TRIES)]
    assert statuses == [[503], [503], [200, 200]]
    assert inbox.texts == ["next"]


async def test_it_is_registered_once_telegram_answers(api: BotApi, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.telegram.webhook.PAUSE_SECONDS", 0.01)
    api.fail("setWebhook", 502, "Bad Gateway")
    await register(bot, "https://june.example.org/hook", SECRET)
    assert api.webhook["url"] == "https://june.example.org/hook"
    for status, description, error in ((401, "Unauthorized", TokenRefusedError), (400, "Bad Request: no", ValueError)):
        api.fail("setWebhook", status, description)
        with pytest.raises(error):
            await register(bot, "https://june.example.org/hook", SECRET)


async def test_the_webhook_is_for_telegram_alone(api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake) -> None:
    async with listening(bot, intake) as url, ClientSession() as session:
        for headers, body, status in (
            ({}, b"{}", 403),
            ({SECRET_HEADER: "guess"}, b"{}", 403),
            ({SECRET_HEADER: SECRET}, b"x" * (2 << 20), 200),
            ({SECRET_HEADER: SECRET}, b"no json", 200),
            ({SECRET_HEADER: SECRET}, b"[]", 200),
            ({SECRET_HEADER: SECRET}, b"[" * 100_000, 200),
        ):
            async with session.post(url, data=body, headers=headers) as response:
                assert response.status == status
    assert inbox.taken == []
