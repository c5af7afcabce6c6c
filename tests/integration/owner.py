"""An owner at a platform's inbox: what june's own bot has put into a chat of the tests' is brought in as his.

A bot is never told of its own messages. So the message that the platform has made of the recording is read by the
bot's own code, said to be an owner's, and given to an inbox that is built as the bot builds it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from temporalio.client import WorkflowHandle

from activities.reply import Delivered
from bots.intake import InboundMessage
from tests.integration.chat import TERSE, forget
from tests.integration.june import June
from tests.support.chat import activities_of, eventually
from tests.support.encryption import opened_history
from workers.roles.platform import open_inbox, policy_of
from workers.settings import DiscordSettings, TelegramSettings
from workflows.names import Stage, conversation_id, voice_message_id
from workflows.voice.contracts import SettingsChange, VoiceMessageResult
from workflows.voice.conversation import Conversation
from workflows.voice.voice_message import VoiceMessage

SPEAKER = "an integration test"
"""What the owner is called there."""

PlatformSettings = TelegramSettings | DiscordSettings


def needed(value: str, name: str, what: str) -> str:
    """Give a setting, without which the test is skipped."""
    if not value:
        pytest.skip(f"{what}: set {name}")
    return value


def owner_of(settings: PlatformSettings, name: str) -> str:
    """Name the first owner; ``name`` is the setting."""
    return needed(next(iter(settings.owners), ""), name, "nobody may speak to june there")


def failure(what: str) -> BaseException:
    """Make a failure of a sentence; raised ``from None``, nothing is shown of what has led to it."""
    return pytest.fail.Exception(what, pytrace=False)


@dataclass(frozen=True)
class Turn:
    """A recording that came through the inbox."""

    handle: WorkflowHandle[VoiceMessage, VoiceMessageResult]
    seconds: float
    """Timeout for it."""

    async def result(self) -> VoiceMessageResult:
        """Wait for its end."""
        return await eventually(self.handle.result, self.seconds)

    async def delivered(self) -> list[Delivered]:
        """List what reached the platform, with the platform's ids of it."""
        activities = activities_of(await opened_history(self.handle))
        replies = [ran for ran in activities if ran.name == Stage.REPLY and ran.completed]
        return [Delivered.model_validate_json(ran.output) for ran in replies]


@asynccontextmanager
async def asked(june: June, settings: PlatformSettings, question: InboundMessage, command: str) -> AsyncIterator[Turn]:
    """Bring a command to the inbox, and then the question; the chat is forgotten afterwards."""
    platform, chat = question.platform, question.chat
    inbox = open_inbox(june.client, policy_of(settings), accompanied=True)
    conversation = june.client.get_workflow_handle_for(Conversation.run, conversation_id(platform, chat))
    handle = june.client.get_workflow_handle_for(VoiceMessage.run, voice_message_id(platform, chat, question.message))
    try:
        said = await inbox.receive(replace(question, audio=None, audio_seconds=None, text=command))
        assert said, f"june says nothing to {command}"
        await conversation.execute_update(Conversation.configure, SettingsChange(system_prompt=TERSE.system_prompt))
        refusal = await inbox.receive(question)
        assert refusal is None, f"the inbox refuses the recording: {refusal}"
        yield Turn(handle, june.settings.turn_seconds)
    finally:
        await forget(june.client, platform, chat)
