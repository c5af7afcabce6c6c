"""Telegram's platform with the real library, against a Bot API server over TCP that fails as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from telegram import Bot
from temporalio.exceptions import ApplicationError

from activities.errors import BadInputError
from activities.platforms.platform import Platform, SendUncertainError, VoiceForbiddenError, VoiceNote
from activities.platforms.telegram.platform import TelegramPlatform
from activities.text.message_parts import units
from activities.values import Address, AudioSource
from tests.support.platforms.telegram import TOKEN, BotApi, Fault
from tests.support.waiting import until
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


def test_it_is_an_edge(platform: TelegramPlatform) -> None:
    whole: Platform = platform
    assert (whole.platform, whole.repeatable) == ("telegram", False)


async def test_text_and_voice_reply_to_the_message(api: BotApi, platform: TelegramPlatform) -> None:
    asked = api.write(CHAT, "Hello?")
    text = await platform.send_text(to(asked, thread="9"), "Hello.")
    voice = await platform.send_voice(to(asked, thread="9"), NOTE)
    posts = api.by_bot(CHAT)
    assert [str(post.message_id) for post in posts] == [text, voice]
    assert [(post.text, post.media) for post in posts] == [("Hello.", b""), ("", NOTE.data)]
    assert [(post.answers, post.params["message_thread_id"]) for post in posts] == [(asked, "9"), (asked, "9")]
    assert posts[1].params["duration"] == "2"


async def test_a_caption_goes_with_the_note_and_ends_the_draft(api: BotApi, platform: TelegramPlatform) -> None:
    caption = "[1] " + "😀" * 510
    assert units(caption) == platform.caption_limit
    async with platform.presence(to(1), speaks=True, captioned=True, shown=None) as presence:
        await presence.show("One.")
        voice = await platform.send_voice(to(1), replace(NOTE, caption=caption))
        await presence.show("One. Two.")
    assert [(str(post.message_id), post.text, post.media) for post in api.by_bot(CHAT)] == [(voice, caption, NOTE.data)]
    assert [call.params["text"] for call in api.called("sendMessageDraft")] == ["One."]
    with pytest.raises(BadInputError):
        await platform.send_voice(to(1), replace(NOTE, caption=f"{caption}!"))


async def test_a_deleted_question_is_answered(api: BotApi, platform: TelegramPlatform) -> None:
    await platform.send_text(to(404), "Hello.")
    assert [post.text for post in api.by_bot(CHAT)] == ["Hello."]


async def test_a_message_of_its_own_answers_none(api: BotApi, platform: TelegramPlatform) -> None:
    await platform.send_text(to(0), "Tests failed.")
    (post,) = api.by_bot(CHAT)
    assert (post.text, post.params.get("reply_parameters")) == ("Tests failed.", None)


async def test_a_long_text_is_split(api: BotApi, platform: TelegramPlatform) -> None:
    text = "😀 word " * 1500
    await platform.send_text(to(1), text)
    parts = [post.text for post in api.by_bot(CHAT)]
    assert " ".join(parts) == text.strip()
    assert len(parts) == 3
    assert all(units(part) <= 4096 for part in parts)


@pytest.mark.slow
async def test_a_pause_between_parts_is_waited_for(api: BotApi, platform: TelegramPlatform) -> None:
    api.faults["sendMessage"].append(Fault())
    api.fail("sendMessage", 429, "Too Many Requests: retry after 1", retry_after=1)
    await platform.send_text(to(1), "a" * 5000)
    assert [len(post.text) for post in api.by_bot(CHAT)] == [4096, 904]


async def test_a_part_that_is_refused_leaves_the_text_uncertain(api: BotApi, platform: TelegramPlatform) -> None:
    api.faults["sendMessage"].append(Fault())
    api.fail("sendMessage", 403, "Forbidden: bot was blocked by the user")
    with pytest.raises(SendUncertainError):
        await platform.send_text(to(1), "a" * 5000)


async def test_telegrams_pause_is_temporals(api: BotApi, platform: TelegramPlatform) -> None:
    api.fail("sendMessage", 429, "Too Many Requests: retry after 17", retry_after=17)
    with pytest.raises(ApplicationError) as failed:
        await platform.send_text(to(1), "Hello.")
    assert failed.value.next_retry_delay == timedelta(seconds=17)
    assert not failed.value.non_retryable
    assert api.by_bot(CHAT) == []


@pytest.mark.parametrize(
    ("status", "description", "error", "code"),
    [
        (403, "Forbidden: bot was blocked by the user", BadInputError, "chat-gone"),
        (403, "Forbidden: bot was kicked from the supergroup chat", BadInputError, "chat-gone"),
        (400, "Bad Request: chat not found", BadInputError, "chat-gone"),
        (400, "Bad Request: TOPIC_CLOSED", BadInputError, "reply-failed"),
        (401, "Unauthorized", ApplicationError, "telegram-pause"),
        (500, "Internal Server Error", ApplicationError, "telegram-unreachable"),
        (502, "Bad Gateway", ApplicationError, "telegram-unreachable"),
    ],
)
async def test_what_errors_mean(
    api: BotApi, platform: TelegramPlatform, status: int, description: str, error: type[ApplicationError], code: str
) -> None:
    api.fail("sendVoice", status, description)
    with pytest.raises(error) as failed:
        await platform.send_voice(to(1), NOTE)
    assert failed.value.type == code
    assert failed.value.non_retryable is (error is BadInputError)
    assert TOKEN not in str(failed.value)


@pytest.mark.parametrize(
    "description", ["Bad Request: VOICE_MESSAGES_FORBIDDEN", "Bad Request: not enough rights to send voice notes"]
)
async def test_forbidden_voice(api: BotApi, platform: TelegramPlatform, description: str) -> None:
    api.fail("sendVoice", 400, description)
    with pytest.raises(VoiceForbiddenError):
        await platform.send_voice(to(1), NOTE)


@pytest.mark.parametrize("fault", [Fault(hang_after=True), Fault(hang_before=True), Fault(drop_after=True)])
async def test_silence_is_uncertain(
    api: BotApi, platform: TelegramPlatform, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr("activities.platforms.telegram.platform.UPLOAD_SECONDS", 0.2)
    api.faults["sendVoice"].append(fault)
    with pytest.raises(SendUncertainError):
        await platform.send_voice(to(1), NOTE)


async def test_a_gateway_that_gave_up_is_uncertain(api: BotApi, platform: TelegramPlatform) -> None:
    api.fail("sendVoice", 504, "Gateway Timeout")
    with pytest.raises(SendUncertainError):
        await platform.send_voice(to(1), NOTE)


async def test_an_unreachable_server_has_done_nothing() -> None:
    bot = build_bot(TelegramSettings.model_validate({"token": TOKEN, "base_url": "http://127.0.0.1:9"}))
    with pytest.raises(ApplicationError) as failed:
        await TelegramPlatform(bot).send_text(to(1), "Hello.")
    assert failed.value.type == "telegram-unreachable"
    assert not failed.value.non_retryable


async def test_a_group_that_moved_is_followed(api: BotApi, platform: TelegramPlatform) -> None:
    api.migrated[GROUP] = -200
    await platform.send_text(to(1, GROUP), "Hello.")
    await platform.send_voice(to(1, GROUP), NOTE)
    assert [post.chat for post in api.posts.values()] == [-200, -200]
    assert [call.chat for call in api.calls] == [GROUP, -200, -200]


async def test_a_full_chat_waits_without_a_slot(api: BotApi, bot: Bot) -> None:
    platform = TelegramPlatform(bot)
    platform._pacing.hold(CHAT, 60)
    with pytest.raises(ApplicationError) as failed:
        await platform.send_text(to(1), "Hello.")
    assert failed.value.next_retry_delay is not None
    assert 55 < failed.value.next_retry_delay.total_seconds() <= 60
    assert api.calls == []


# Downloads


async def test_download(api: BotApi, platform: TelegramPlatform) -> None:
    api.files["f"] = b"sound" * 100_000
    assert await platform.download(AudioSource(locator="f"), 10**6) == api.files["f"]


async def test_no_more_than_the_cap_is_read(api: BotApi, platform: TelegramPlatform) -> None:
    api.files["f"] = b"sound" * 100_000
    with pytest.raises(BadInputError) as failed:
        await platform.download(AudioSource(locator="f"), 1000)
    assert failed.value.type == "audio-too-large"
    read = await platform._read(await platform._bot.get_file("f"), 1001)
    assert len(read) == 1001


async def test_what_telegram_does_not_hand_over(api: BotApi, platform: TelegramPlatform) -> None:
    api.files["f"] = bytes((20 << 20) + 1)
    for locator, code in (("f", "audio-too-large"), ("nothing", "audio-missing")):
        with pytest.raises(BadInputError) as failed:
            await platform.download(AudioSource(locator=locator), 30 << 20)
        assert failed.value.type == code


async def test_an_expired_link_is_asked_for_again(api: BotApi, platform: TelegramPlatform) -> None:
    api.files["f"], api.expired = b"sound", 1
    with pytest.raises(ApplicationError) as failed:
        await platform.download(AudioSource(locator="f"), 1000)
    assert not failed.value.non_retryable
    assert TOKEN not in str(failed.value)
    assert await platform.download(AudioSource(locator="f"), 1000) == b"sound"


# The turn under way


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.platforms.telegram.live_text.SHOW_SECONDS", 0.05)
    monkeypatch.setattr("activities.platforms.telegram.live_text.ACTION_SECONDS", 0.1)
    monkeypatch.setattr("activities.platforms.telegram.live_text.HANDOVER_SECONDS", 0.2)


@pytest.mark.usefixtures("quick")
async def test_private_chats_see_a_draft(api: BotApi, platform: TelegramPlatform) -> None:
    async with platform.presence(to(1), speaks=True, captioned=False, shown=None) as presence:
        for text in ("One.", "One.", "One. Two.", "One. Two."):
            await presence.show(text)
            await asyncio.sleep(0.06)
        assert presence.shown is None
        await platform.send_text(to(1), "One. Two. Three.")
        await presence.show("One. Two. Three. Four.")
    drafts = api.called("sendMessageDraft")
    assert [call.params["text"] for call in drafts] == ["One.", "One. Two."]
    assert len({call.params["draft_id"] for call in drafts}) == 1
    assert [post.text for post in api.by_bot(CHAT)] == ["One. Two. Three."]
    actions = api.called("sendChatAction")
    assert {call.params["action"] for call in actions} == {"record_voice"}
    assert len(actions) in {2, 3, 4}


@pytest.mark.usefixtures("quick")
async def test_groups_see_a_message_that_becomes_the_answer(api: BotApi, platform: TelegramPlatform) -> None:
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        for text in ("One.", "One. Two.", "One. Two. Three."):
            await presence.show(text)
            await asyncio.sleep(0.06)
        (live,) = api.by_bot(GROUP)
        assert (live.text, live.edits, presence.shown) == ("One. Two. Three. …", 2, str(live.message_id))
        assert await platform.send_text(to(1, GROUP), "One. Two. Three. Four.") == presence.shown
    assert [post.text for post in api.by_bot(GROUP)] == ["One. Two. Three. Four."]
    assert {call.params["action"] for call in api.called("sendChatAction")} == {"typing"}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("speaks", "shown"), [(True, 0), (False, 1)])
async def test_groups_see_no_message_that_a_caption_would_leave_over(
    api: BotApi, platform: TelegramPlatform, speaks: bool, shown: int
) -> None:
    async with platform.presence(to(1, GROUP), speaks=speaks, captioned=True, shown=None) as presence:
        await presence.show("One.")
        assert len(api.by_bot(GROUP)) == shown
        await platform.send_text(to(1, GROUP), "One. Two.")
    assert [post.text for post in api.by_bot(GROUP)] == ["One. Two."]


@pytest.mark.usefixtures("quick")
async def test_a_text_too_long_for_a_message_is_shown_once(api: BotApi, platform: TelegramPlatform) -> None:
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        for length in (5000, 6000, 7000):
            await presence.show("a" * length)
            await asyncio.sleep(0.06)
        await presence.show(" ")
        await platform.send_text(to(1, GROUP), "a" * 7000)
    assert [len(post.text) for post in api.by_bot(GROUP)] == [4096, 2904]
    assert len(api.called("editMessageText")) == 1


@pytest.mark.usefixtures("quick")
async def test_no_partial_text_stays(api: BotApi, platform: TelegramPlatform) -> None:
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("One.")
    assert api.by_bot(GROUP) == []


@pytest.mark.usefixtures("quick")
async def test_the_reply_takes_over_a_moment_later(api: BotApi, platform: TelegramPlatform) -> None:
    async def turn() -> None:
        async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
            await presence.show("One.")

    accompanying = asyncio.create_task(turn())
    await asyncio.sleep(0.1)
    await platform.send_text(to(1, GROUP), "One. Two.")
    await accompanying
    assert [(post.text, post.edits) for post in api.by_bot(GROUP)] == [("One. Two.", 1)]


@pytest.mark.usefixtures("quick")
async def test_the_text_of_another_process_is_not_deleted(api: BotApi, platform: TelegramPlatform) -> None:
    final = await platform.send_text(to(1, GROUP), "The answer.")
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=final):
        pass
    assert [post.text for post in api.by_bot(GROUP)] == ["The answer."]


@pytest.mark.usefixtures("quick")
async def test_a_live_message_that_was_deleted_is_sent_anew(api: BotApi, platform: TelegramPlatform) -> None:
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("One.")
        api.posts.clear()
        await platform.send_text(to(1, GROUP), "One. Two.")
    assert [post.text for post in api.by_bot(GROUP)] == ["One. Two."]


@pytest.mark.usefixtures("quick")
async def test_an_edit_without_an_answer_is_tried_again(api: BotApi, platform: TelegramPlatform) -> None:
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("One.")
        api.faults["editMessageText"].append(Fault(drop_after=True))
        with pytest.raises(ApplicationError):
            await platform.send_text(to(1, GROUP), "One. Two.")
    await platform.send_text(to(1, GROUP), "One. Two.")
    assert [post.text for post in api.by_bot(GROUP)] == ["One. Two."]


@pytest.mark.usefixtures("quick")
async def test_showing_gives_way_to_telegrams_limits(api: BotApi, platform: TelegramPlatform) -> None:
    api.fail("sendMessageDraft", 429, "Too Many Requests: retry after 30", retry_after=30)
    api.fail("sendChatAction", 500, "Internal Server Error")
    async with platform.presence(to(1), speaks=False, captioned=False, shown=None) as presence:
        for text in ("One.", "One. Two."):
            await presence.show(text)
            await asyncio.sleep(0.06)
        await until(lambda: len(api.called("sendChatAction")) == 2)
    assert len(api.called("sendMessageDraft")) == 1


@pytest.mark.usefixtures("quick")
async def test_a_server_without_drafts_is_not_asked_again(api: BotApi, platform: TelegramPlatform) -> None:
    api.fail("sendMessageDraft", 404, "Not Found")
    async with platform.presence(to(1), speaks=False, captioned=False, shown=None) as presence:
        for text in ("One.", "One. Two."):
            await presence.show(text)
            await asyncio.sleep(0.06)
    assert len(api.called("sendMessageDraft")) == 1
