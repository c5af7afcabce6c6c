"""However long its messages are and however many wait, a conversation goes on: on Temporal's real server."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from tests.support.conversation import Chat
from tests.support.waiting import until
from tests.support.world import PLATFORM, World, wait_for
from workflows.voice.contracts import (
    MAX_JOINED_CHARS,
    MAX_WAITING_BYTES,
    ConversationState,
    Limits,
    QueuedMessage,
)
from workflows.voice.conversation import MAX_HISTORY_BYTES, Conversation

pytestmark = pytest.mark.slow

LIMITS = Limits(waiting=300, messages_per_minute=10_000)


@pytest.fixture(scope="module")
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


async def queue(chat: Chat) -> list[QueuedMessage]:
    return await chat.handle.query(Conversation.queue)


async def run_of(chat: Chat) -> str | None:
    return (await chat.handle.describe()).run_id


async def test_three_hundred_long_messages_are_answered_or_refused_kindly(world: World, chat: Chat) -> None:
    state = ConversationState(platform=PLATFORM, chat=chat.name, limits=LIMITS, turns_per_run=3)
    await chat.open(state)
    gate = asyncio.Event()
    world.behaviours["infer"] = wait_for(gate)
    first_run = await run_of(chat)
    sent = [await chat.send(f"{number} " + "x" * 8000, user="ada", accompanied=True) for number in range(300)]
    accepted = [queued.message for queued in await queue(chat)]
    assert accepted == sent[: len(accepted)]
    assert MAX_WAITING_BYTES / 10_000 < len(accepted) < 300
    await until(lambda: "queue-full" in world.notices())
    (told,) = [asked for asked in world.asked("reply") if asked.notice and asked.notice.key == "queue-full"]
    assert told.to.message == sent[len(accepted)], "one of the flood is told"
    assert told.notice.params["waiting"] == len(accepted) - 3, "as many as wait, three being under way"
    gate.set()
    await chat.result(accepted[0])

    async def continued() -> bool:
        return await run_of(chat) != first_run and len(await queue(chat)) > 20

    await until(continued)
    for message in accepted[1:]:
        assert (await chat.result(message)).status == "answered"
    assert (await chat.ask("hello")).status == "answered"


async def test_a_flood_while_an_answer_is_under_way_ends_the_run_and_not_the_conversation(
    world: World, chat: Chat
) -> None:
    await chat.open(ConversationState(platform=PLATFORM, chat=chat.name, limits=LIMITS))
    gate = asyncio.Event()
    world.behaviours["infer"] = wait_for(gate)
    await chat.send("first")
    await until(lambda: bool(world.asked("infer")))
    first_run = await run_of(chat)
    largest = "\x01" * MAX_JOINED_CHARS  # of six bytes each
    for _ in range(MAX_HISTORY_BYTES // (6 * MAX_JOINED_CHARS) + 10):
        await chat.send(largest)

    async def continued() -> bool:
        return await run_of(chat) != first_run

    await until(continued, 120)
    assert (await chat.turn("1").describe()).close_time is None, "it goes on by itself"
    await until(lambda: len(world.asked("infer")) > 1)
    gate.set()
    await until(lambda: chat_has_ended(chat, "1"))
    assert (await chat.result("1")).status == "answered"
    await chat.handle.execute_update(Conversation.cancel, rpc_timeout=timedelta(seconds=30))
    last = await chat.send("hello")
    await until(lambda: chat_has_ended(chat, last), 60)
    assert (await chat.result(last)).status == "answered"


async def chat_has_ended(chat: Chat, message: str) -> bool:
    with suppress(RPCError):
        return (await chat.turn(message).describe()).close_time is not None
    return False
