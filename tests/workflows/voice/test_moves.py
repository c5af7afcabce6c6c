"""A chat goes on under another id with what it had chosen and remembered, once, whatever is told how often."""

import asyncio

from temporalio.client import Client

from tests.support.conversation import Chat
from tests.support.waiting import until
from tests.support.world import PLATFORM, World, wait_for
from workflows.voice.contracts import ChatSettings, ConversationState, Exchange, Former, Memory, ReplyMode
from workflows.voice.conversation import Conversation
from workflows.voice.moves import adopted

FORMER = Former(
    chat="-5",
    settings=ChatSettings(reply_mode=ReplyMode.OFF),
    memory=Memory(summary="They like tea.", window=(Exchange(user="Hi.", assistant="Hello."),)),
)


def test_what_was_said_before_a_chat_moved_came_first() -> None:
    here = Memory(summary="So.", window=(Exchange(user="a", assistant="b"),))
    assert adopted(here, FORMER) == Memory(summary="They like tea.\nSo.", window=(*FORMER.memory.window, *here.window))
    assert adopted(Memory(), FORMER) == FORMER.memory


async def test_a_chat_goes_on_with_what_it_was_once(world: World, chat: Chat) -> None:
    await chat.open(ConversationState(platform=PLATFORM, chat=chat.name))
    for former in (FORMER, FORMER, Former(chat="-6", memory=Memory(summary="No."))):
        await chat.handle.execute_update("adopt", former)
    assert await chat.handle.query(Conversation.history) == FORMER.memory
    assert await chat.handle.query(Conversation.settings) == FORMER.settings


async def test_settings_that_were_chosen_since_stay(world: World, chat: Chat) -> None:
    chosen = ChatSettings(language="de")
    await chat.open(ConversationState(platform=PLATFORM, chat=chat.name, settings=chosen))
    await chat.handle.execute_update("adopt", FORMER)
    assert await chat.handle.query(Conversation.settings) == chosen


async def test_a_turn_under_way_is_remembered_where_the_chat_is_now(world: World, chat: Chat, client: Client) -> None:
    go_on, there = asyncio.Event(), Chat(client)
    await there.open(ConversationState(platform=PLATFORM, chat=there.name))
    world.behaviours["infer"] = wait_for(go_on)
    await chat.send("We like tea.")
    await until(lambda: bool(world.asked("infer")))
    for known in (False, True):
        await chat.handle.execute_update("become", args=[there.name, known])
    go_on.set()

    async def remembered() -> bool:
        window = (await there.handle.query(Conversation.history)).window
        return [exchange.user for exchange in window] == ["We like tea."]

    await until(remembered)
    assert await chat.handle.query(Conversation.history) == Memory()
    await there.handle.terminate()


async def test_where_the_chat_is_gone_the_turn_is_answered_all_the_same(world: World, chat: Chat) -> None:
    await chat.open(ConversationState(platform=PLATFORM, chat=chat.name))
    await chat.handle.execute_update("become", args=["-999", True])
    assert (await chat.ask("Hello?")).status == "answered"
    assert len(world.answers()) == 1
