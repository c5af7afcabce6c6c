"""Which of a person's messages belong together, by what Telegram tells of them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from telegram import Bot

from bots.intake import InboundMessage
from bots.telegram import continuations
from bots.telegram.continuations import LONG_UNITS, Continuations
from bots.telegram.intake import TelegramIntake
from tests.bots.telegram.conftest import CHAT, DOWN, Inbox
from tests.bots.telegram.test_polling import polling
from tests.support.platforms.telegram import BotApi
from tests.support.waiting import until

LONG = "word " * (LONG_UNITS // 5)
NOW = int(datetime.now(UTC).timestamp())
FORWARDED = {"forward_origin": {"type": "hidden_user", "date": NOW - 999, "sender_user_name": "Bob"}}
PHOTO = {"photo": [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]}
TOPIC = {"message_thread_id": 9, "is_topic_message": True}
GROUP = -100
MENTION = {"entities": [{"type": "mention", "offset": 0, "length": 14}]}

Written = tuple[str, dict[str, Any]]


async def taken(
    api: BotApi, bot: Bot, intake: TelegramIntake, inbox: Inbox, *written: Written, chat: int = CHAT
) -> list[InboundMessage]:
    """Have messages written a second or less apart, if not told otherwise; return what reaches the inbox."""
    for text, more in written:
        api.write(chat, text, **{"date": NOW, **more})
    async with polling(bot, intake.receive):
        await until(lambda: api.confirmed == len(written))
    return inbox.inbounds


@pytest.mark.parametrize(
    ("first", "second", "continues"),
    [
        ((LONG, {}), ("the rest", {}), True),
        ((LONG, {}), ("the rest", {"date": NOW + 1}), True),
        ((LONG, {}), ("later", {"date": NOW + 2}), False),
        ((LONG, {}), ("somebody else", {"user": 8}), False),
        ((LONG, {}), ("another topic", TOPIC), False),
        ((LONG, {}), ("/status", {}), False),
        ((LONG, FORWARDED), ("the rest", FORWARDED), True),
        ((LONG, FORWARDED), ("What is that?", {}), False),
        (("short", {}), ("short too", {}), False),
        (("What does he mean?", {}), ("Tea at five.", FORWARDED), True),
        (("What does he mean?", {}), ("", {**FORWARDED, "caption": "Look!", **PHOTO}), True),
        (("Tea at four.", FORWARDED), ("Tea at five.", FORWARDED), False),
        (("What does he mean?", {}), ("Tea at five.", {**FORWARDED, "date": NOW + 2}), False),
        (
            ("", {"media_group_id": "1", "caption": "This,", **PHOTO}),
            ("", {"media_group_id": "1", "caption": "or that?", **PHOTO}),
            True,
        ),
        (
            ("", {"media_group_id": "1", "caption": "This,", **PHOTO}),
            ("", {"media_group_id": "2", "caption": "or that?", **PHOTO}),
            False,
        ),
    ],
)
async def test_what_belongs_together(
    api: BotApi, bot: Bot, intake: TelegramIntake, inbox: Inbox, first: Written, second: Written, continues: bool
) -> None:
    one, two = await taken(api, bot, intake, inbox, first, second)
    assert (one.continues, two.continues) == (False, continues)
    assert (one.may_continue, two.may_continue) == (first[0] == LONG, False)


async def test_three_parts(api: BotApi, bot: Bot, intake: TelegramIntake, inbox: Inbox) -> None:
    parts = await taken(api, bot, intake, inbox, (LONG, {}), (LONG, {}), ("end", {}))
    assert [(part.continues, part.may_continue) for part in parts] == [(False, True), (True, True), (True, False)]


async def test_of_an_album_without_words_june_says_one_thing(
    api: BotApi, bot: Bot, intake: TelegramIntake, inbox: Inbox
) -> None:
    pictures = await taken(api, bot, intake, inbox, *[("", {"media_group_id": "1", **PHOTO})] * 4)
    assert len(pictures) == 1


async def test_what_follows_a_message_that_named_june_is_meant_for_it(
    api: BotApi, bot: Bot, intake: TelegramIntake, inbox: Inbox
) -> None:
    parts = await taken(
        api, bot, intake, inbox, (f"@june_test_bot {LONG}", MENTION), ("rest", {}), ("chatter", {}), chat=GROUP
    )
    assert [part.addressed for part in parts] == [True, True, False]


async def test_a_part_that_was_not_taken_keeps_its_place(
    api: BotApi, bot: Bot, intake: TelegramIntake, inbox: Inbox
) -> None:
    inbox.failures[LONG.strip()] = [DOWN] * 2
    inbox.failures["rest"] = [DOWN]
    parts = await taken(api, bot, intake, inbox, (LONG, {}), ("rest", {}))
    assert [(part.text, part.continues) for part in parts] == [(LONG.strip(), False), ("rest", True)]


async def test_few_people_are_remembered(
    api: BotApi, bot: Bot, intake: TelegramIntake, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(continuations, "REMEMBERED", 2)
    await taken(api, bot, intake, inbox, *[("Hi.", {"user": user}) for user in range(20, 26)])
    known: Continuations = intake._continuations
    assert len(known._last) == 2
