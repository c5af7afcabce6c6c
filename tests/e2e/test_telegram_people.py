"""What Telegram's groups, clients and servers really do, with the bot as a process: nothing lost, and no noise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bots.telegram.polling import EMPTY_PAUSE_SECONDS
from tests.support.platforms.telegram import BotApi, Fault, Post
from tests.support.platforms.telegram_forms import RefusedError
from tests.support.ports import free_port
from tests.support.telegram_bot import OWNER, USERS, BotProcess, holds, result
from tests.support.waiting import until
from workers.engines.noop import ANSWER
from workers.local.stack import Embedded
from workflows.names import conversation_id, voice_message_id
from workflows.voice.contracts import Memory

pytestmark = pytest.mark.e2e

LONG = ("Please sum this up. " * 220)[:4090]


@asynccontextmanager
async def without_noise(bot: BotProcess, *ordinary: str) -> AsyncIterator[None]:
    """Expect no traceback, no error, and warnings of these codes alone, in the bot's log of the block."""
    before = len(bot.log)
    yield
    lines = bot.log[before:].splitlines()
    assert not [line for line in lines if "Traceback" in line or "ERROR" in line]
    assert not [line for line in lines if "WARNING" in line and not any(word in line for word in ordinary)]


def too_many(seconds: int) -> RefusedError:
    return RefusedError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


async def answered(api: BotApi, message: int, chat: int = OWNER) -> Post:
    """Wait for the reply to a message; return it."""

    def replies() -> list[Post]:
        return [post for post in api.by_bot(chat) if post.answers == message]

    await until(holds(lambda: bool(replies())), 20)
    return replies()[-1]


def mentioned(api: BotApi, chat: int, text: str, **more: object) -> int:
    """Write to june in a group."""
    entities = [{"type": "mention", "offset": 0, "length": 14}]
    return api.write(chat, f"@june_test_bot {text}", entities=entities, user=USERS[33], **more)


async def test_a_long_paste_gets_one_answer(idle: Embedded, api: BotApi, bot: BotProcess) -> None:
    chat = USERS[32]
    await bot.start()
    async with without_noise(bot):
        first = api.write(chat, LONG, user=chat)
        second = api.write(chat, "And that is all.", user=chat)
        turn = await result(idle, chat, second)
        assert turn.transcript == f"{LONG.strip()}\nAnd that is all."
        later = api.write(chat, "Thanks!", user=chat)
        await answered(api, later, chat)
    assert [post.answers for post in api.by_bot(chat)] == [second, later]
    with pytest.raises(Exception, match="not found"):
        await idle.client.get_workflow_handle(voice_message_id("telegram", str(chat), str(first))).describe()


async def test_a_long_paste_by_webhook_and_over_a_kill(idle: Embedded, api: BotApi) -> None:
    chat, port = USERS[34], free_port()
    where = {"JUNE_TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}/hook", "JUNE_TELEGRAM_WEBHOOK_PORT": str(port)}
    bot = BotProcess(api, idle, **where, JUNE_TELEGRAM_WEBHOOK_SECRET="open-sesame")
    await bot.start("setWebhook")
    try:
        api.write(chat, LONG, user=chat)
        second = api.write(chat, "And that is all.", user=chat)
        assert set(await api.post_updates()) == {200}
        await bot.kill()
        await bot.start("setWebhook")
        assert (await result(idle, chat, second)).transcript == f"{LONG.strip()}\nAnd that is all."
    finally:
        await bot.kill()
        api.webhook = {}
    assert [post.answers for post in api.by_bot(chat)] == [second]


async def test_a_group_that_becomes_a_supergroup_is_known(idle: Embedded, api: BotApi, bot: BotProcess) -> None:
    old, new = -501, -100501
    await bot.start()
    await answered(api, api.write(old, "/allow", user=OWNER), old)
    await answered(api, api.write(old, "/voice off", user=OWNER), old)
    await answered(api, mentioned(api, old, "We like tea."), old)
    api.migrated[old] = new
    api.write(old, user=OWNER, migrate_to_chat_id=new)
    await bot.kill()  # before, amid or after the move
    api.write(new, user=OWNER, migrate_from_chat_id=old)
    await bot.start()
    async with without_noise(bot):
        asked = mentioned(api, new, "What do we like?")
        assert (await answered(api, asked, new)).text == ANSWER
    handle = idle.client.get_workflow_handle(conversation_id("telegram", str(new)))
    assert (await handle.query("settings"))["reply_mode"] == "off"

    async def remembers_both() -> bool:  # a turn that the kill has met takes a while to end
        memory: Memory = await handle.query("history", result_type=Memory)
        return {"Ann: We like tea.", "Ann: What do we like?"} <= {exchange.user for exchange in memory.window}

    await until(remembers_both)


async def test_where_a_topic_is_closed_the_answer_is_in_the_group_and_the_owner_knows(
    idle: Embedded, api: BotApi, bot: BotProcess
) -> None:
    group, topic = -100502, {"message_thread_id": 9, "is_topic_message": True}
    api.titles[group] = "Tea party"
    await bot.start()
    await answered(api, api.write(group, "/allow", user=OWNER), group)
    api.lost_topics[group, 9] = "TOPIC_CLOSED"
    told = len(api.by_bot(OWNER))
    async with without_noise(bot, "topic-gone"):
        for text in ("When?", "Where?"):
            asked = mentioned(api, group, text, **topic)
            assert (await result(idle, group, asked)).error is None
        api.write(group, "/status", user=OWNER, **topic)
        await until(holds(lambda: len(api.by_bot(group)) == 4), 20)
        await until(holds(lambda: len(api.by_bot(OWNER)) == told + 1), 20)
    answers = api.by_bot(group)[1:]
    assert [post.thread for post in answers] == [None] * 3
    assert [post.text for post in answers[:2]] == [ANSWER] * 2
    assert "Tea party" in api.by_bot(OWNER)[-1].text
    assert bot.log.count("topic-gone") == 1


async def test_a_commands_answer_waits_its_turn(api: BotApi, bot: BotProcess) -> None:
    chat = USERS[35]
    await bot.start()
    async with without_noise(bot):
        for _ in range(2):
            api.faults["sendMessage"].append(Fault(chat=chat, refusal=too_many(1)))
        asked = [api.write(chat, text, user=chat) for text in ("/status", "/privacy", "/help")]
        for message in asked:
            await answered(api, message, chat)
    assert [post.answers for post in api.by_bot(chat)] == asked


async def test_a_server_that_does_not_wait_is_asked_at_a_pace(api: BotApi, bot: BotProcess) -> None:
    api.impatient = True
    try:
        await bot.start()
        before = len(api.called("getUpdates"))
        await asyncio.sleep(2)
        assert len(api.called("getUpdates")) - before <= 2 / EMPTY_PAUSE_SECONDS + 2
    finally:
        api.impatient = False


async def test_what_is_ordinary_is_no_noise(idle: Embedded, api: BotApi, bot: BotProcess) -> None:
    gone, slow, away = USERS[36], USERS[37], USERS[38]
    await bot.start()
    async with without_noise(bot, "chat-gone"):
        api.fail("getUpdates", 429, "Too Many Requests: retry after 1", retry_after=1)
        api.faults["sendMessage"].append(Fault(chat=slow, refusal=too_many(1)))
        asked = api.write(slow, "Hello?", user=slow)
        await answered(api, asked, slow)
        api.blocked_by.add(gone)
        asked = api.write(gone, "Hello?", user=gone)
        assert (await result(idle, gone, asked)).error == "chat-gone"
        api.fail("sendMessage", 502, "Bad Gateway")
        asked = api.write(away, "Hello?", user=away)
        await answered(api, asked, away)


async def test_six_quick_texts_get_six_answers_in_order_and_no_notice(
    idle: Embedded, api: BotApi, bot: BotProcess
) -> None:
    chat = USERS[29]
    await bot.start()
    async with without_noise(bot):
        asked = [api.write(chat, f"Question {number}?", user=chat) for number in range(6)]
        await answered(api, asked[-1], chat)
    assert [(post.answers, post.text) for post in api.by_bot(chat)] == [(message, ANSWER) for message in asked]
