"""What the inbox says at once is sent, a few sentences at a time; the menu of commands is published."""

import asyncio

import pytest
from telegram import Bot

from activities.values import Address
from bots.telegram.intake import TelegramIntake, publish_commands
from tests.bots.telegram.conftest import CHAT, Inbox
from tests.bots.telegram.test_polling import polling
from tests.support.platforms.telegram import BotApi
from tests.support.waiting import until


async def test_what_the_inbox_says_is_sent(api: BotApi, bot: Bot, inbox: Inbox, intake: TelegramIntake) -> None:
    inbox.sentences = {"/start": "Welcome!", "/help": "fail"}
    numbers = [api.write(CHAT, text) for text in ("/help", "/start")]
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 2)
    await intake.settle()
    assert inbox.said == [(str(numbers[1]), "Welcome!")]


async def test_the_menu_of_commands(api: BotApi, bot: Bot) -> None:
    await publish_commands(bot)
    assert api.commands.keys() == {"", "en", "de", "es", "fr"}
    assert {"start", "voice", "forget"} <= set(api.commands["de"])
    assert "block" not in api.commands["de"]


async def test_a_flood_of_commands_gets_few_answers(
    api: BotApi, bot: Bot, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.telegram.answers.MAX_ANSWERS", 2)
    go_on, sent = asyncio.Event(), list[str]()

    async def say_slowly(to: Address, text: str) -> None:
        await go_on.wait()
        sent.append(to.message)

    intake = TelegramIntake(inbox, say_slowly, bot.bot, inbox.move)
    inbox.sentences = {"/help": "Help."}
    numbers = [api.write(CHAT, "/help") for _ in range(3)]
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == 3)
    go_on.set()
    await intake.settle()
    assert sent == [str(number) for number in numbers[:2]]
