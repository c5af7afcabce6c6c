"""The campaign's platform, asked by the library that june's bot is made with."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from telegram import Bot, ReplyParameters
from telegram.error import NetworkError, RetryAfter, TelegramError

from activities.platforms.telegram.platform import TelegramPlatform
from activities.values import AudioSource
from workers.bench.faults.bot_api import TOKEN, BotApi, Mode
from workers.local.free_ports import free_ports
from workers.local.session import QUESTION
from workers.roles.telegram import build_bot
from workers.settings import TelegramSettings


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    api = BotApi(QUESTION.read_bytes())
    async with api.serve(free_ports(1)):
        yield api


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with build_bot(TelegramSettings(token=TOKEN, base_url=api.url)) as bot:
        yield bot


async def send(bot: Bot) -> int:
    return (await bot.send_message(1001, "yes", reply_parameters=ReplyParameters(4))).message_id


async def test_messages_come_until_they_are_confirmed(api: BotApi, bot: Bot) -> None:
    typed, spoken = api.say(1001, "typed", spoken=False), api.say(1002, "spoken", spoken=True)
    first = await bot.get_updates()
    assert [(one.message.message_id, one.message.text or one.message.caption) for one in first if one.message] == [
        (typed, "typed"),
        (spoken, "spoken"),
    ]
    assert [one.update_id for one in await bot.get_updates(first[1].update_id)] == [first[1].update_id]
    assert api.unread == 1
    assert list(await bot.get_updates(first[1].update_id + 1, timeout=0)) == []


async def test_a_message_ends_the_wait_for_it(api: BotApi, bot: Bot) -> None:
    waiting = asyncio.create_task(bot.get_updates(timeout=10))
    await asyncio.sleep(0)
    api.say(1001, "typed", spoken=False)
    assert len(await waiting) == 1


async def test_a_recording_can_be_fetched(api: BotApi, bot: Bot) -> None:
    api.say(1001, "spoken", spoken=True)
    (update,) = await bot.get_updates()
    assert update.message
    assert update.message.voice
    source = AudioSource(locator=update.message.voice.file_id)
    assert await TelegramPlatform(bot).download(source, 10**6) == QUESTION.read_bytes()


async def test_what_is_sent_is_recorded_and_twice_is_twice(api: BotApi, bot: Bot) -> None:
    await send(bot)
    await send(bot)
    await bot.send_voice(1001, b"OggS", reply_parameters=ReplyParameters(4))
    assert [(one.chat, one.answers, one.text, one.voice) for one in api.sent] == [
        (1001, 4, "yes", False),
        (1001, 4, "yes", False),
        (1001, 4, "", True),
    ]


async def test_what_is_deleted_is_gone(api: BotApi, bot: Bot) -> None:
    await bot.delete_message(1001, await send(bot))
    assert api.sent == []


@pytest.mark.parametrize(
    ("mode", "raised", "arrived"),
    [
        (Mode.WAIT, RetryAfter, 0),
        (Mode.FAILS, NetworkError, 0),
        (Mode.AWAY, NetworkError, 0),
        (Mode.SILENT, NetworkError, 1),
    ],
)
async def test_it_refuses(api: BotApi, bot: Bot, mode: Mode, raised: type[TelegramError], arrived: int) -> None:
    api.mode = mode
    with pytest.raises(raised):
        await send(bot)
    assert len(api.sent) == arrived
