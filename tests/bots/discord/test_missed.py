"""Which messages were missed: those after the last that has a workflow, or that june has replied to."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock
from uuid import uuid4

import discord
import pytest
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.testing import WorkflowEnvironment

from bots.discord.messages import PLATFORM
from bots.discord.missed import MissedMessages
from tests.support.waiting import until
from workflows.names import (
    CHAT,
    CONVERSATION,
    VOICE_MESSAGE,
    chat_key,
    conversation_id,
    voice_message_id,
)
from workflows.names import PLATFORM as PLATFORM_KEY

ME, OTHER = 1, 2


def message(number: int, author: int = OTHER, answers: int | None = None) -> Any:  # noqa: ANN401 - stands for the library's
    reference = SimpleNamespace(message_id=answers) if answers else None
    return SimpleNamespace(id=number, author=SimpleNamespace(id=author), reference=reference)


@pytest.fixture
def channel() -> int:
    return uuid4().int >> 66


async def begin(environment: WorkflowEnvironment, kind: str, workflow_id: str, channel: int) -> None:
    """Start a workflow that nothing runs, and wait until it is listed."""
    attributes = [
        SearchAttributePair(PLATFORM_KEY, PLATFORM),
        SearchAttributePair(CHAT, chat_key(PLATFORM, str(channel))),
    ]
    await environment.client.start_workflow(
        kind, id=workflow_id, task_queue=str(uuid4()), search_attributes=TypedSearchAttributes(attributes)
    )

    async def listed() -> bool:
        return bool([run async for run in environment.client.list_workflows(f"WorkflowId = '{workflow_id}'")])

    await until(listed)


async def found(environment: WorkflowEnvironment, channel: int, *messages: Any) -> list[int]:  # noqa: ANN401
    missed = MissedMessages(environment.client, [], [])
    return [message.id for message in await missed.messages(list(reversed(messages)), channel, ME)]


async def test_nothing_was_handed_over_yet(dev_server: WorkflowEnvironment, channel: int) -> None:
    assert await found(dev_server, channel) == []
    assert await found(dev_server, channel, message(10), message(11)) == [10, 11]


async def test_what_has_a_workflow_was_handed_over_and_all_before_it(
    dev_server: WorkflowEnvironment, channel: int
) -> None:
    turn = voice_message_id(PLATFORM, str(channel), "11")
    await begin(dev_server, VOICE_MESSAGE, turn, channel)
    assert await found(dev_server, channel, *map(message, (10, 11, 12, 13))) == [12, 13]
    await dev_server.client.get_workflow_handle(turn).terminate()


async def test_what_june_has_replied_to_was_handed_over(dev_server: WorkflowEnvironment, channel: int) -> None:
    replies = (message(12, ME, answers=11), message(13, ME), message(14, OTHER, answers=13))
    assert await found(dev_server, channel, message(10), message(11), *replies) == [12, 13, 14]


async def test_channels_are_those_of_conversations_of_settings_and_of_people(
    dev_server: WorkflowEnvironment, channel: int
) -> None:
    conversation = conversation_id(PLATFORM, str(channel))
    await begin(dev_server, CONVERSATION, conversation, channel)
    missed = MissedMessages(dev_server.client, ["7", "8", "no-id"], ["20", "general"])
    refused = discord.Forbidden(SimpleNamespace(status=403, reason=""), "no")  # type: ignore[arg-type] # stands for a response
    bot: Any = AsyncMock()
    bot.create_dm.side_effect = [SimpleNamespace(id=70), refused]
    channels = await missed.channels(bot)
    assert {20, channel, 70} <= set(channels)
    assert [call.args[0].id for call in bot.create_dm.await_args_list] == [7, 8]
    await dev_server.client.get_workflow_handle(conversation).terminate()
