"""Where an answer cannot go as it is, it goes another way, whatever it is: text, voice, live text, notice, action."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, TelegramError

from activities.errors import BadInputError
from activities.platforms.platform import MessageText
from activities.platforms.telegram.platform import TelegramPlatform
from activities.platforms.telegram.ways import MUTED, TOPIC_GONE, Way, another_way
from activities.values import Notice
from tests.activities.platforms.telegram.conftest import CHAT, GROUP, NOTE, to
from tests.support.platforms.telegram import BotApi

WAY = Way(GROUP, 9, 5, formatted=True)
WHOLE = MessageText("**Yes.**")
Send = Callable[[TelegramPlatform], Awaitable[object]]


@pytest.mark.parametrize(
    ("error", "other"),
    [
        *(
            (BadRequest(text), Way(GROUP, formatted=True))
            for text in (
                "Message thread not found",
                "Topic_closed",
                "TOPIC_DELETED",
                "Topic_id_invalid",
                "The chat is not a forum",
                "Forum topic not found",
            )
        ),
        *(
            (BadRequest(text), WAY._replace(replied=None))
            for text in ("Message to be replied not found", "Replied message not found", "REPLY_MESSAGE_ID_INVALID")
        ),
        *(
            (BadRequest(text), WAY._replace(formatted=False))
            for text in (
                "Can't parse entities: unsupported start tag",
                "Can't parse message entities",
                "ENTITY_BOUNDS_INVALID",
                "ENTITIES_TOO_LONG",
                "Wrong HTTP URL specified",
                "Something new",
            )
        ),
        (ChatMigrated(-200), Way(-200, formatted=True)),
        (ChatMigrated(GROUP), None),
        *(
            (error, None)
            for error in (
                BadRequest("Chat not found"),
                BadRequest("Voice_messages_forbidden"),
                BadRequest("Message is too long"),
                BadRequest("Message is not modified: specified new message content"),
                BadRequest("Message to edit not found"),
                Forbidden("Forbidden: bot was kicked"),
                NetworkError("Bad Gateway"),
            )
        ),
    ],
    ids=str,
)
def test_ways(error: TelegramError, other: Way | None) -> None:
    assert another_way(WAY, error) == other


def test_there_is_an_end_of_ways() -> None:
    for text in ("Topic_closed", "Message to be replied not found", "Something new"):
        way: Way | None = WAY
        for _ in range(4):
            way = another_way(way, BadRequest(text)) if way else None
        assert way is None


SENDS = [
    lambda platform: platform.send_text(to(1, GROUP, "9"), WHOLE),
    lambda platform: platform.send_notice(to(1, GROUP, "9"), "Yes."),
    lambda platform: platform.send_voice(to(1, GROUP, "9"), NOTE),
    lambda platform: platform.send_voice(to(1, GROUP, "9"), replace(NOTE, caption=WHOLE)),
    lambda platform: platform.send_text(to(1, GROUP, "9"), MessageText("word " * 1500)),
]


@pytest.mark.parametrize("send", SENDS, ids=["text", "notice", "voice", "caption", "parts"])
@pytest.mark.parametrize("reason", ["message thread not found", "TOPIC_CLOSED", "TOPIC_DELETED"])
async def test_where_the_topic_is_gone_the_chat_around_it_gets_it(
    api: BotApi, platform: TelegramPlatform, send: Send, reason: str
) -> None:
    asked = api.write(GROUP, "Hello?")
    api.posts[GROUP, asked].params["message_thread_id"] = 9
    api.lost_topics[GROUP, 9] = reason
    await send(platform)
    posts = api.by_bot(GROUP)
    assert posts
    assert {(post.thread, post.answers) for post in posts} == {(None, None)}


async def test_live_text_and_actions_go_to_the_chat_around_a_lost_topic(api: BotApi, bot: Bot) -> None:
    platform = TelegramPlatform(bot)
    api.lost_topics = {(GROUP, 9): "TOPIC_CLOSED", (CHAT, 9): "message thread not found"}
    for chat in (GROUP, CHAT):
        async with platform.presence(to(1, chat, "9"), speaks=False, captioned=False, shown=None) as presence:
            await presence.show("One.")
            await asyncio.sleep(0.05)
            await platform.send_text(to(1, chat, "9"), MessageText("One. Two."))
        assert [post.text for post in api.by_bot(chat)] == ["One. Two."]
    assert [call.params.get("message_thread_id") for call in api.called("sendMessageDraft")] == ["9", None]
    assert [call.params.get("message_thread_id") for call in api.called("sendChatAction")] == ["9", None] * 2


async def test_owners_are_told_once_of_a_lost_topic(api: BotApi, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    told = list[Notice]()

    async def tell(notice: Notice, language: str | None) -> None:
        told.append(notice)
        raise Forbidden("Forbidden: bot was blocked by the user")  # it is tried, and no more

    platform = TelegramPlatform(bot, tell_owners=tell)
    api.lost_topics[GROUP, 9] = "TOPIC_CLOSED"
    with caplog.at_level(logging.INFO):
        for number in (1, 2):
            await platform.send_text(to(number, GROUP, "9"), WHOLE)
    assert told == [Notice(key=TOPIC_GONE, params={"chat": GROUP, "topic": 9})]
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage().split(":")[0] for record in warnings] == [TOPIC_GONE]


async def test_owners_are_told_where_june_may_not_write(api: BotApi, bot: Bot) -> None:
    told = list[Notice]()

    async def tell(notice: Notice, language: str | None) -> None:
        told.append(notice)

    platform = TelegramPlatform(bot, tell_owners=tell)
    for number in (1, 2):
        api.fail("sendMessage", 400, "Bad Request: not enough rights to send text messages to the chat")
        with pytest.raises(BadInputError):
            await platform.send_text(to(number, GROUP), MessageText("Yes."))
    assert [notice.key for notice in told] == [MUTED]


@pytest.mark.parametrize(
    "description",
    ["Bad Request: message to be replied not found", "Bad Request: REPLY_MESSAGE_ID_INVALID"],
)
async def test_where_the_question_is_gone_the_answer_stands_by_itself(
    api: BotApi, platform: TelegramPlatform, description: str
) -> None:
    api.fail("sendMessage", 400, description)
    await platform.send_text(to(404), WHOLE)
    (post,) = api.by_bot(CHAT)
    assert (post.text, post.answers, post.marked) == ("Yes.", None, [("bold", "Yes.")])


async def test_where_formatting_is_refused_the_plain_text_is_sent(api: BotApi, platform: TelegramPlatform) -> None:
    api.plain_only = True
    answer = "**Yes**, see [june](https://j.example).\n" * 150
    await platform.send_text(to(1), MessageText(answer))
    await platform.send_voice(to(2), replace(NOTE, caption=MessageText("**Yes**, see [june](https://j.example).")))
    posts = api.by_bot(CHAT)
    assert posts[0].text.startswith("Yes, see june (https://j.example).\nYes, see june")
    assert "".join(post.text for post in posts).count("Yes") == 151
    assert (posts[-1].media, posts[-1].text) == (NOTE.data, "Yes, see june (https://j.example).")
    assert not any(post.entities for post in posts)


async def test_live_text_without_formatting(api: BotApi, platform: TelegramPlatform) -> None:
    api.plain_only = True
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("**One.**")
        assert [post.text for post in api.by_bot(GROUP)] == ["One. …"]
        await platform.send_text(to(1, GROUP), MessageText("**One. Two.**"))
    assert [(post.text, post.edits) for post in api.by_bot(GROUP)] == [("One. Two.", 1)]


async def test_a_text_that_a_server_finds_too_long_is_halved(api: BotApi, platform: TelegramPlatform) -> None:
    api.fail("sendMessage", 400, "Bad Request: message is too long")
    text = "Some words. " * 200
    await platform.send_text(to(1), MessageText(text))
    assert len(api.by_bot(CHAT)) == 2
    assert " ".join(post.text for post in api.by_bot(CHAT)) == text.strip()


async def test_a_live_message_that_cannot_be_edited_is_replaced(api: BotApi, platform: TelegramPlatform) -> None:
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("One.")
        api.fail("editMessageText", 400, "Bad Request: message can't be edited")
        await platform.send_text(to(1, GROUP), MessageText("One. Two."))
    assert [(post.text, post.edits) for post in api.by_bot(GROUP)] == [("One. Two.", 0)]


async def test_where_drafts_are_refused_a_message_shows_the_text(api: BotApi, platform: TelegramPlatform) -> None:
    api.fail("sendMessageDraft", 400, "Bad Request: TEXTDRAFT_PEER_INVALID")
    async with platform.presence(to(1), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("One.")
        await presence.show("One. Two.")
        assert [post.text for post in api.by_bot(CHAT)] == ["One. Two. …"]
        await platform.send_text(to(1), MessageText("One. Two. Three."))
    assert [post.text for post in api.by_bot(CHAT)] == ["One. Two. Three."]
    assert len(api.called("sendMessageDraft")) == 1


async def test_the_supergroup_of_a_group_gets_all_of_an_answer(api: BotApi, platform: TelegramPlatform) -> None:
    asked = api.write(GROUP, "Hello?")
    async with platform.presence(to(asked, GROUP), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("One.")
        api.migrated[GROUP] = -200
        await platform.send_text(to(asked, GROUP), MessageText("**One.** Two."))
        await platform.send_voice(to(asked, GROUP), NOTE)
    moved = api.by_bot(-200)
    assert [(post.text, bool(post.media), post.answers) for post in moved] == [
        ("One. Two.", False, None),
        ("", True, None),
    ]
