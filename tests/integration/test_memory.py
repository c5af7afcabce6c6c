"""Memory: the second prompt holds the first turn, a reset starts afresh, and what is forgotten is gone."""

import json

from temporalio.service import RPCError, RPCStatusCode

from tests.integration.chat import OwnChat
from tests.integration.june import June
from tests.support.waiting import until
from workflows.voice.conversation import Conversation

FIRST, SECOND = "My cat is called Mitzi.", "What is my cat called?"


async def test_the_second_prompt_holds_the_first_turn(chat: OwnChat) -> None:
    first = await chat.answer(await chat.say(FIRST))
    message = await chat.say(SECOND)
    second = await chat.answer(message)
    (infer,) = [ran for ran in await chat.ran(message) if ran.name == "infer"]
    said = [part["content"] for part in json.loads(infer.input)["messages"]]
    assert said[1:] == [FIRST, first.answer, SECOND]
    await remembers(chat, (FIRST, first.answer), (SECOND, second.answer))


async def test_a_reset_starts_afresh(chat: OwnChat) -> None:
    await chat.answer(await chat.say(FIRST))
    await chat.conversation.execute_update(Conversation.reset)
    await remembers(chat)


async def test_what_is_forgotten_is_gone(june: June, chat: OwnChat) -> None:
    message = await chat.say(FIRST)
    await chat.answer(message)
    await chat.conversation.execute_update(Conversation.forget)

    async def gone() -> bool:
        try:
            await chat.turn(message).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return True
            raise
        return False

    await until(gone)
    await remembers(chat)


async def remembers(chat: OwnChat, *turns: tuple[str, str]) -> None:
    """Wait until the conversation remembers just that."""

    async def so() -> bool:
        window = (await chat.conversation.query(Conversation.history)).window
        return tuple((exchange.user, exchange.assistant) for exchange in window) == turns

    await until(so)
