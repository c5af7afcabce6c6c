"""Telegram's Bot API as a double, june's client of it, and an intake whose inbox fails as it is told to."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from telegram import Bot
from temporalio.service import RPCError, RPCStatusCode

from activities.values import Address, Notice
from bots.intake import InboundMessage
from bots.telegram.intake import TelegramIntake
from bots.texts.catalogue import say
from tests.support.platforms.telegram import TOKEN, BotApi
from workers.roles.telegram import build_bot
from workers.settings import TelegramSettings

CHAT, OTHER = 5, 6
DOWN = RPCError("down", RPCStatusCode.UNAVAILABLE, b"")
HOPELESS = RPCError("Blob data size exceeds limit.", RPCStatusCode.INVALID_ARGUMENT, b"")
SORRY = say(Notice(key="internal"), None)


class Inbox:
    """Takes messages, unless it is told to fail."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str | None]] = []
        self.inbounds: list[InboundMessage] = []
        self.failures: dict[str, list[Exception]] = {}
        self.sentences: dict[str, str] = {}
        self.said: list[tuple[str, str]] = []
        self.moved: list[tuple[str, str, str | None]] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def receive(self, inbound: InboundMessage) -> str | None:
        text = inbound.text or ""
        await self.hold.wait()
        if self.failures.get(text):
            raise self.failures[text].pop()
        self.taken.append((inbound.chat, text))
        self.inbounds.append(inbound)
        return self.sentences.get(text)

    async def say(self, to: Address, text: str) -> str:
        if text == "fail":
            raise RuntimeError("no")
        self.said.append((to.message, text))
        return "1"

    async def move(self, old: str, new: str, title: str | None) -> None:
        if self.failures.get("move"):
            raise self.failures["move"].pop()
        self.moved.append((old, new, title))

    @property
    def texts(self) -> list[str | None]:
        return [text for _, text in self.taken]


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        yield server


@pytest.fixture(scope="module")
async def bot(server: BotApi) -> Bot:
    bot = build_bot(TelegramSettings.model_validate({"token": TOKEN, "base_url": server.url}))
    await bot.initialize()
    return bot


@pytest.fixture
def api(server: BotApi) -> BotApi:
    server.clear()
    return server


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def intake(bot: Bot, inbox: Inbox) -> TelegramIntake:
    return TelegramIntake(inbox, inbox.say, bot.bot, inbox.move)
