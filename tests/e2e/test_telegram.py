"""The Telegram bot as a process, the real library, a Bot API server over TCP, engines that do nothing."""

import pytest

from activities.error_codes import ErrorCode
from tests.support.audio_samples import voice_note
from tests.support.encryption import opened_history
from tests.support.platforms.telegram import TOKEN, BotApi, Fault, Post
from tests.support.ports import free_port
from tests.support.telegram_bot import OWNER, USERS, BotProcess, holds, result, texts
from tests.support.waiting import until
from workers.engines.noop import ANSWER
from workers.local.stack import Embedded

pytestmark = pytest.mark.e2e

GROUP = -100
HEARD = "🎤 This is a question."


async def test_a_conversation(idle: Embedded, api: BotApi, bot: BotProcess) -> None:
    await bot.start()
    spoken = api.speak(OWNER, voice_note())
    assert (await result(idle, OWNER, spoken)).error is None
    typed = api.write(OWNER, "And now?")
    assert (await result(idle, OWNER, typed)).error is None
    first, note, second = api.by_bot(OWNER)
    assert (first.text, first.answers) == (f"{HEARD}\n\n{ANSWER}", spoken)
    assert (note.media[:4], note.answers, note.params["duration"]) == (b"OggS", spoken, "1")
    assert (second.text, second.answers) == (ANSWER, typed)
    actions = [call.params["action"] for call in api.called("sendChatAction")]
    assert actions[0] == "record_voice"
    assert api.commands["fr"]

    settings = api.write(OWNER, "/voice off")
    await answered(api, settings)
    silent = api.speak(OWNER, voice_note())
    assert (await result(idle, OWNER, silent)).reply is None
    stranger = api.write(200, "Hello?", user=200)
    await answered(api, stranger, 200)
    assert "200" in api.by_bot(200)[0].text
    assert await bot.stop() == 0
    assert len(api.updates) == 0
    assert "test-token" not in bot.log


async def test_a_chat_that_wants_one_message_gets_one(idle: Embedded, api: BotApi, bot: BotProcess) -> None:
    chat, whole = USERS[30], f"{HEARD}\n\n{ANSWER}"
    await bot.start()
    for place in (chat, GROUP):
        await answered(api, api.write(place, "/voice caption", user=OWNER), place)
    spoken = api.speak(chat, voice_note(), user=chat)
    in_group = ask_about_a_voice(api, "What does she say?")
    for place, sent in ((chat, spoken), (GROUP, in_group)):
        assert (await result(idle, place, sent)).error is None
        (note,) = answers(api, place, sent)
        assert (note.media[:4], note.text, note.edits) == (b"OggS", whole, 0)

    api.faults["sendVoice"].append(Fault(drop_after=True))
    sent = api.speak(chat, voice_note(), user=chat)
    assert (await result(idle, chat, sent)).error is ErrorCode.REPLY_UNCERTAIN
    assert [post.text for post in answers(api, chat, sent)] == [whole]

    api.without_voice.add(chat)
    sent = api.speak(chat, voice_note(), user=chat)
    assert (await result(idle, chat, sent)).error is ErrorCode.VOICE_FORBIDDEN
    assert [(post.media, post.text) for post in answers(api, chat, sent)] == [(b"", whole)]
    assert await bot.stop() == 0
    history = await opened_history(idle.client.get_workflow_handle(f"voice/telegram/{GROUP}/{in_group}"))
    assert "What does she say?" in str(history.events)


def ask_about_a_voice(api: BotApi, words: str) -> int:
    """Have the owner ask for an answer to what somebody has said in the group."""
    spoken = api.speak(GROUP, voice_note(), user=USERS[31])
    said = {"file_id": f"voice-{len(api.files) - 1}", "file_unique_id": "u", "duration": 1}
    group, speaker = {"id": GROUP, "type": "supergroup"}, {"id": USERS[31], "is_bot": False, "first_name": "Eve"}
    voice = {"message_id": spoken, "date": 1, "chat": group, "from": speaker, "voice": said}
    return api.write(GROUP, f"/ask {words}", user=OWNER, reply_to_message=voice)


def answers(api: BotApi, chat: int, message: int) -> list[Post]:
    return [post for post in api.by_bot(chat) if post.answers == message]


async def answered(api: BotApi, message: int, chat: int = OWNER) -> None:
    await until(holds(lambda: any(post.answers == message for post in api.by_bot(chat))), 20)


async def test_what_platforms_do(idle: Embedded, api: BotApi, bot: BotProcess) -> None:
    await bot.start()
    no_voice, gone, slow, broken = USERS[0], USERS[1], USERS[2], USERS[3]
    api.without_voice.add(no_voice)
    sent = api.speak(no_voice, voice_note(), user=no_voice)
    assert (await result(idle, no_voice, sent)).error is ErrorCode.VOICE_FORBIDDEN
    assert [post.answers for post in api.by_bot(no_voice)] == [sent]

    api.fail("sendVoice", 429, "Too Many Requests: retry after 2", retry_after=2)
    sent = api.speak(slow, voice_note(), user=slow)
    assert (await result(idle, slow, sent)).error is None
    text, note = api.by_bot(slow)
    assert note.at - text.at > 2

    api.faults["sendVoice"].append(Fault(drop_after=True, chat=broken))
    sent = api.speak(broken, voice_note(), user=broken)
    assert (await result(idle, broken, sent)).error is ErrorCode.REPLY_UNCERTAIN
    assert len(api.by_bot(broken)) == 2

    large = api.speak(broken, voice_note(), user=broken, size=20_000_001)
    await answered(api, large, broken)

    api.expired = 1
    sent = api.speak(broken, voice_note(), user=broken)
    assert (await result(idle, broken, sent)).error is None

    api.blocked_by.add(gone)
    sent = api.speak(gone, voice_note(), user=gone)
    assert (await result(idle, gone, sent)).error is ErrorCode.CHAT_GONE
    assert api.by_bot(gone) == []
    api.push({"edited_message": {"message_id": sent, "date": 1, "chat": {"id": OWNER, "type": "private"}}})
    assert await bot.stop() == 0


async def test_updates_by_webhook(idle: Embedded, api: BotApi) -> None:
    user, port = USERS[4], free_port()
    where = {"JUNE_TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}/hook", "JUNE_TELEGRAM_WEBHOOK_PORT": str(port)}
    bot = BotProcess(api, idle, **where, JUNE_TELEGRAM_WEBHOOK_SECRET="open-sesame")
    await bot.start("setWebhook")
    try:
        sent = api.speak(user, voice_note(), user=user)
        assert set(await api.post_updates()) == {200}  # what an earlier test has left is taken as well
        assert (await result(idle, user, sent)).error is None
        assert await bot.stop() == 0
    finally:
        await bot.kill()
        api.webhook = {}
    assert [bool(post.media) for post in api.by_bot(user)] == [False, True]
    assert "open-sesame" not in bot.log


async def test_a_refused_token_is_said_in_a_sentence(idle: Embedded, api: BotApi) -> None:
    bot = BotProcess(api, idle)
    for _ in range(2):
        api.fail("getUpdates", 401, "Unauthorized")
    await bot.start()
    try:
        assert await bot.end() == 1
    finally:
        await bot.kill()
        api.faults.clear()
    assert "Telegram refuses the bot's token (JUNE_TELEGRAM_TOKEN)" in bot.log
    assert TOKEN not in bot.log


async def test_a_flood_is_no_matter_to_others(idle: Embedded, api: BotApi) -> None:
    flooder, other = USERS[5], USERS[6]
    limits = {"JUNE_LIMIT_CHAT_MESSAGES_PER_MINUTE": "20", "JUNE_LIMIT_USER_MESSAGES_PER_MINUTE": "20"}
    bot = BotProcess(api, idle, **limits)
    await bot.start()
    try:
        for number in range(100):
            api.write(flooder, f"Number {number}?", user=flooder)
        asked = api.write(other, "And I?", user=other)
        assert (await result(idle, other, asked)).error is None
    finally:
        await bot.kill()
    (answer,) = api.by_bot(other)
    before = [post for post in texts(api.by_bot(flooder)) if ANSWER in post.text and post.at < answer.at]
    seconds = answer.at - api.posts[other, asked].at
    print(f"beside a flood: answered after {seconds:.1f} s, and {len(before)} answers to the flood")  # noqa: T201
    assert len(before) <= 4, "a burst, as the flood's answers come at one a second"
