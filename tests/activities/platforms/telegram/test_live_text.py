"""What Telegram shows of a turn under way: drafts in private chats, a message in groups, the chat action."""

import asyncio

import pytest
from temporalio.exceptions import ApplicationError

from activities.platforms.platform import MessageText, VoiceNote
from activities.platforms.telegram.platform import TelegramPlatform
from tests.activities.platforms.telegram.conftest import CHAT, GROUP, to
from tests.support.platforms.telegram import BotApi, Fault
from tests.support.platforms.telegram_forms import Params
from tests.support.waiting import until


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
        await platform.send_text(to(1), MessageText("One. Two. Three."))
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
        assert await platform.send_text(to(1, GROUP), MessageText("One. Two. Three. Four.")) == presence.shown
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
        await platform.send_text(to(1, GROUP), MessageText("One. Two."))
    assert [post.text for post in api.by_bot(GROUP)] == ["One. Two."]


@pytest.mark.usefixtures("quick")
async def test_a_text_too_long_for_a_message_is_shown_once(api: BotApi, platform: TelegramPlatform) -> None:
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        for length in (5000, 6000, 7000):
            await presence.show("a" * length)
            await asyncio.sleep(0.06)
        await presence.show(" ")
        await platform.send_text(to(1, GROUP), MessageText("a" * 7000))
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
    await platform.send_text(to(1, GROUP), MessageText("One. Two."))
    await accompanying
    assert [(post.text, post.edits) for post in api.by_bot(GROUP)] == [("One. Two.", 1)]


@pytest.mark.usefixtures("quick")
async def test_the_text_of_another_process_is_not_deleted(api: BotApi, platform: TelegramPlatform) -> None:
    final = await platform.send_text(to(1, GROUP), MessageText("The answer."))
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=final):
        pass
    assert [post.text for post in api.by_bot(GROUP)] == ["The answer."]


@pytest.mark.usefixtures("quick")
async def test_a_live_message_that_was_deleted_is_sent_anew(api: BotApi, platform: TelegramPlatform) -> None:
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("One.")
        api.posts.clear()
        await platform.send_text(to(1, GROUP), MessageText("One. Two."))
    assert [post.text for post in api.by_bot(GROUP)] == ["One. Two."]


@pytest.mark.usefixtures("quick")
async def test_an_edit_without_an_answer_is_tried_again(api: BotApi, platform: TelegramPlatform) -> None:
    async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
        await presence.show("One.")
        api.faults["editMessageText"].append(Fault(drop_after=True))
        with pytest.raises(ApplicationError):
            await platform.send_text(to(1, GROUP), MessageText("One. Two."))
    await platform.send_text(to(1, GROUP), MessageText("One. Two."))
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


@pytest.mark.usefixtures("quick")
async def test_a_reply_while_the_live_message_is_deleted_is_a_message_of_its_own(
    api: BotApi, platform: TelegramPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleting, answered = asyncio.Event(), asyncio.Event()
    delete = api._methods["deleteMessage"]

    async def slowly(params: Params) -> object:
        deleting.set()
        await answered.wait()
        return await delete(params)

    monkeypatch.setitem(api._methods, "deleteMessage", slowly)

    async def turn() -> None:
        async with platform.presence(to(1, GROUP), speaks=False, captioned=False, shown=None) as presence:
            await presence.show("One.")

    showing = asyncio.create_task(turn())
    await asyncio.wait_for(deleting.wait(), 5)
    await platform.send_text(to(1, GROUP), MessageText("One. Two."))
    answered.set()
    await showing
    assert [post.text for post in api.by_bot(GROUP)] == ["One. Two."]


@pytest.mark.usefixtures("quick")
async def test_beside_a_captioned_voice_note_a_sentence_is_shown_and_gone(
    api: BotApi, platform: TelegramPlatform
) -> None:
    async with platform.presence(to(1, GROUP), speaks=True, captioned=True, shown=None) as presence:
        await presence.tell("It takes long.")
        assert [post.text for post in api.by_bot(GROUP)] == ["It takes long. …"]
        await presence.show("One.")
        await platform.send_voice(to(1, GROUP), VoiceNote(b"OggS", 1, MessageText("One.")))
    (note,) = api.by_bot(GROUP)
    assert (note.text, note.media) == ("One.", b"OggS")
