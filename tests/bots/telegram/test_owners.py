"""Owners are told in their private chats, with the group's title."""

import pytest
from telegram import Bot

from activities.values import Notice
from bots.telegram.owners import Owners
from tests.support.platforms.telegram import BotApi

LOST = Notice(key="topic-gone", params={"chat": -100, "topic": 9})


async def test_each_owner_is_told(api: BotApi, bot: Bot) -> None:
    api.titles[-100] = "Friends"
    api.blocked_by.add(1)
    await Owners(bot, ("1", "x", "2")).tell(LOST, "de-AT")
    (post,) = api.by_bot(2)
    assert post.text.startswith("In Friends wurde ein Thema geschlossen")


async def test_a_group_without_a_title_is_told_by_its_id(
    api: BotApi, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    api.fail("getChat", 400, "Bad Request: chat not found")
    await Owners(bot, ("2",)).tell(LOST, None)
    assert "-100" in api.by_bot(2)[0].text
    assert not [record for record in caplog.records if record.exc_info]
