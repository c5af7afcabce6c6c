"""Cancellation: the turn under way stops, so do those that wait, and the chat goes on."""

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError

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
        with pytest.raises(WorkflowFailureError) as failure:
            await chat.result(message)
        assert isinstance(failure.value.cause, CancelledError)
    await chat.conversation.execute_update(Conversation.configure, SettingsChange(system_prompt=TERSE.system_prompt))
    await chat.answer(await chat.say("Say hello."))

    async def told_of_both() -> bool:
        return len([notice for notice in await chat.told() if "cancelled" in notice]) == 2

    await until(told_of_both)
    await until(chat.idle)
