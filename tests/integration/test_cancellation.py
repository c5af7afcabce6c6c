"""Cancellation: the turn under way stops, so do those that wait, and the chat goes on."""

from tests.integration.chat import TERSE, OwnChat
from tests.support.waiting import until
from workflows.names import Stage
from workflows.voice.contracts import ChatSettings, SettingsChange
from workflows.voice.conversation import Conversation

LONG = "Write a long story about the sea, of twenty paragraphs."
VERBOSE = ChatSettings(system_prompt="You are a storyteller. You always tell long stories.", temperature=0)


async def test_a_turn_is_cancelled_and_the_next_is_answered(new_chat: OwnChat) -> None:
    chat = new_chat
    await chat.open(VERBOSE)
    running, waiting = await chat.say(LONG), await chat.say(LONG)
    await chat.reaches(running, Stage.INFER)
    assert await chat.conversation.execute_update(Conversation.cancel) == 2
    for message in (running, waiting):
        result = await chat.result(message)
        assert (result.status, result.transcript) == ("stopped", LONG)
        told = [ran.input.decode() for ran in await chat.ran(message) if ran.name == "reply"]
        assert ["cancelled" in notice for notice in told] == [True]
    await chat.conversation.execute_update(Conversation.configure, SettingsChange(system_prompt=TERSE.system_prompt))
    await chat.answer(await chat.say("Say hello."))

    await until(chat.idle)
