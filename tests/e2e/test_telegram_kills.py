"""The Telegram bot's process is killed, amid a send and at 30 moments: nothing is lost, nothing said twice."""

import asyncio
import random

import pytest
from temporalio.client import WorkflowFailureError

from activities.error_codes import ErrorCode
from tests.support.audio_samples import voice_note
from tests.support.platforms.telegram import BotApi, Fault, Post
from tests.support.telegram_bot import USERS, BotProcess, holds, result, texts, voices
from tests.support.waiting import until
from workers.engines.noop import ANSWER
from workers.local.stack import Embedded
from workflows.voice.contracts import VoiceMessageResult

pytestmark = pytest.mark.e2e

KILLS = MESSAGES = 30
TIMEOUT_SECONDS = 150
"""A task that was lost with its worker several times waits up to half a minute for the next try."""


@pytest.mark.parametrize(
    ("method", "arrived", "user"),
    [
        ("sendMessage", True, USERS[7]),
        ("sendMessage", False, USERS[8]),
        ("sendVoice", True, USERS[9]),
    ],
)
async def test_a_kill_amid_a_send_is_recorded(
    idle: Embedded, api: BotApi, bot: BotProcess, method: str, arrived: bool, user: int
) -> None:
    await bot.start()
    api.faults[method].append(Fault(hang_after=arrived, hang_before=not arrived, chat=user))
    sent = api.speak(user, voice_note(), user=user)
    await until(holds(lambda: not api.faults[method]))
    await bot.kill()
    await bot.start()
    assert (await result(idle, user, sent)).error is ErrorCode.REPLY_UNCERTAIN
    posts = api.by_bot(user)
    assert (len(texts(posts)), len(voices(posts))) == (int(arrived), 1)


UNSURE = "I'm not sure my last answer reached you. Send /again and I'll send it again."


async def test_what_a_kill_has_lost_is_told_and_sent_again(idle: Embedded, api: BotApi, bot: BotProcess) -> None:
    user = USERS[26]
    await bot.start()
    api.faults["sendMessage"].append(Fault(hang_before=True, chat=user))
    sent = api.speak(user, voice_note(), user=user)
    await until(holds(lambda: not api.faults["sendMessage"]))
    await bot.kill()
    await bot.start()
    assert (await result(idle, user, sent)).uncertain
    assert [post.text for post in texts(api.by_bot(user))] == []
    another = api.speak(user, voice_note(), user=user)  # or a minute
    await until(lambda: any(post.text == UNSURE for post in api.by_bot(user)))
    assert (await result(idle, user, another)).error is None
    before = len(api.by_bot(user))
    api.write(user, "/again", user=user)
    again: list[Post] = []

    async def sent_again() -> bool:
        again[:] = [post for post in api.by_bot(user)[before:] if post.answers == sent]
        return len(voices(again)) == 1

    await until(sent_again)
    assert any(ANSWER in post.text for post in texts(again))
    assert sum(post.text == UNSURE for post in api.by_bot(user)) == 1


async def test_a_kill_at_any_moment_costs_at_most_certainty(idle: Embedded, api: BotApi, bot: BotProcess) -> None:
    chance = random.Random(7)  # noqa: S311 - it hides nothing
    users = USERS[10:25]
    await bot.start()
    talking = asyncio.create_task(talk(api, users, chance))
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.5, 5.5))  # from amid its start to well after
        await bot.kill()
        await bot.launch()
    sent = await talking
    outcomes = await asyncio.gather(*(ended(idle, *one) for one in sent))
    uncertain = 0
    for (chat, message), outcome in zip(sent, outcomes, strict=True):
        posts = [post for post in api.by_bot(chat) if post.answers == message]
        said = [post for post in texts(posts) if ANSWER in post.text]
        assert len(said) <= 1
        assert len(voices(posts)) <= 1
        if outcome.error is ErrorCode.REPLY_UNCERTAIN:
            uncertain += 1
        else:
            assert (outcome.error, len(said), len(voices(posts))) == (None, 1, 1)
    all_posts = [post for user in users for post in api.by_bot(user)]
    answers = sum(ANSWER in post.text for post in all_posts)
    notes = len(voices(all_posts))
    print(f"{KILLS} kills, {MESSAGES} messages: {answers} texts, {notes} notes, {uncertain} uncertain")  # noqa: T201
    assert MESSAGES - uncertain <= min(answers, notes) <= max(answers, notes) <= MESSAGES
    assert len(sent) == MESSAGES


async def talk(api: BotApi, users: range, chance: random.Random) -> list[tuple[int, int]]:
    """Say something now and then, in one chat after the other."""
    sent = []
    for number in range(MESSAGES):
        user = users[number % len(users)]
        sent.append((user, api.speak(user, voice_note(), user=user)))
        await asyncio.sleep(chance.uniform(0.5, 5.5))
    return sent


async def ended(stack: Embedded, chat: int, message: int) -> VoiceMessageResult:
    try:
        return await result(stack, chat, message, TIMEOUT_SECONDS)
    except WorkflowFailureError as error:
        raise AssertionError(f"message {message} of chat {chat}") from error
