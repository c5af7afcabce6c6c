"""Telegram's platform with the real library, against a Bot API server over TCP that fails on request."""

from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from activities.platforms.platform import VoiceNote
from activities.platforms.telegram.platform import TelegramPlatform
from activities.values import Address
from tests.support.platforms.telegram import TOKEN, BotApi
from workers.roles.telegram import build_bot
from workers.settings import TelegramSettings

CHAT, GROUP = 5, -100
NOTE = VoiceNote(b"OggS and so on", 2.4)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        yield server


@pytest.fixture
def api(server: BotApi) -> BotApi:
    server.clear()
    return server


@pytest.fixture(scope="module")
def bot(server: BotApi) -> Bot:
    return build_bot(TelegramSettings.model_validate({"token": TOKEN, "base_url": server.url}))


@pytest.fixture
def platform(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> TelegramPlatform:
    platform = TelegramPlatform(bot)
    monkeypatch.setattr(platform._pacing, "delay", lambda _chat: 0.0)
    return platform


def to(message: int, chat: int = CHAT, thread: str | None = None) -> Address:
    return Address(platform="telegram", chat=str(chat), message=str(message), thread=thread)
