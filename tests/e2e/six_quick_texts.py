"""Measure six texts that are sent at once over Telegram: ``python -m tests.e2e.six_quick_texts``.

Real engines and the default model, the bot a process of its own beside a Bot API server, all on this machine. Rounds
alternate: the same six questions, each sent when the one before is answered, and all six at once, in chats of their
own. The last answer of the six is to come no later than the sum of the plain turns, and a tenth.
"""

# ruff: noqa: T201 - the table is its output

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from tests.support.platforms.telegram import BotApi, Post
from tests.support.telegram_bot import USERS, BotProcess, holds
from tests.support.waiting import until
from tests.workers.conftest import prepared_home
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.settings import LlmSettings
from workflows.names import CONVERSATION, WORKFLOW_QUEUE, conversation_id
from workflows.voice.contracts import ChatSettings, ConversationState

ROUNDS = 3
QUESTIONS = tuple(f"What is {number} plus {number}?" for number in range(2, 8))
TERSE = ChatSettings(system_prompt="You are a polite assistant. Answer in one short sentence.", temperature=0)
ANSWER_SECONDS = 120.0


async def answered(api: BotApi, chat: int, message: int) -> None:
    """Wait for the answer to a message, which is text alone."""

    def replies() -> list[Post]:
        return [post for post in api.by_bot(chat) if post.answers == message]

    await until(holds(lambda: bool(replies())), ANSWER_SECONDS)


async def one_by_one(api: BotApi, chat: int) -> float:
    """Return the seconds of the six turns, added up."""
    seconds = 0.0
    for question in QUESTIONS:
        began = time.monotonic()
        await answered(api, chat, api.write(chat, question, user=chat))
        seconds += time.monotonic() - began
    return seconds


async def at_once(api: BotApi, chat: int) -> float:
    """Return the seconds until the last of the six was answered; fail where they are not answered in order."""
    began = time.monotonic()
    asked = [api.write(chat, question, user=chat) for question in QUESTIONS]
    await answered(api, chat, asked[-1])
    seconds = time.monotonic() - began
    posts = [post for post in api.by_bot(chat) if post.text]
    if [post.answers for post in posts if post.answers] != asked:
        raise AssertionError(f"not six answers in order: {[(post.answers, post.text) for post in posts]}")
    print(f"  notices among the messages: {sum(post.answers is None for post in posts)}")
    return seconds


async def measure() -> None:
    """Alternate; print the seconds of each round, and the median of their ratios."""
    with tempfile.TemporaryDirectory() as temporary:
        storage, ratios = prepared_home(Path(temporary) / "home"), []
        async with BotApi() as api, Embedded(storage, own_ports(), LlmSettings(), optional=()) as stack:
            chats = USERS[1 : 2 * ROUNDS + 2]
            for chat in chats:
                state = ConversationState(platform="telegram", chat=str(chat), settings=TERSE)
                await stack.client.start_workflow(
                    CONVERSATION, state, id=conversation_id("telegram", str(chat)), task_queue=WORKFLOW_QUEUE
                )
            bot = BotProcess(api, stack)
            await bot.start()
            await one_by_one(api, chats[-1])
            for number in range(ROUNDS):
                plain = await one_by_one(api, chats[2 * number])
                quick = await at_once(api, chats[2 * number + 1])
                ratios.append(quick / plain)
                print(f"one by one {plain:.2f} s, at once {quick:.2f} s, ratio {ratios[-1]:.2f}")
            await bot.stop()
        print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    asyncio.run(measure())
