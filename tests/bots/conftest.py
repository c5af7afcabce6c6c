"""A platform with an inbox of its own, over real workflows in a scripted world."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.values import AudioSource, Notice
from bots.access import Policy, Role
from bots.commands import Commands
from bots.inbox import InboundLimits, Inbox
from bots.intake import InboundMessage
from bots.texts.catalogue import say
from tests.support.encryption import opened_history
from tests.support.world import World, running
from workflows.access.contracts import AccessChange, UserLimits
from workflows.names import conversation_id
from workflows.voice.contracts import Limits

POLICY = Policy(
    owners=frozenset({"owner"}),
    users=frozenset({"ada"}),
    groups=frozenset({"-1"}),
    open_groups=frozenset({"-2"}),
)
CAPS = InboundLimits(chat=Limits(messages_per_minute=1000), user=UserLimits(messages_per_minute=1000))
VOICES = ("en_US-joe-medium", "de_DE-thorsten-medium")


class Platform:
    """A platform of its own, with one inbox; nothing serves it until ``served`` is entered."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.name = f"p{uuid4().hex[:12]}"
        self.commands = Commands(client, VOICES, retention_hours=48)
        self.inbox = self.open_inbox()

    def open_inbox(self, limits: InboundLimits = CAPS, policy: Policy = POLICY, *, accompanied: bool = False) -> Inbox:
        return Inbox(self.client, policy, limits, self.commands, accompanied=accompanied)

    def inbound(self, user: str = "ada", text: str | None = "hello", **more: object) -> InboundMessage:
        """Make a message of a new id, in a private chat that is named as its user."""
        known = {"platform": self.name, "chat": user, "message": uuid4().hex[:8], "user": user, "text": text}
        return InboundMessage(**(known | more))  # type: ignore[arg-type] # tests give what fits

    def voice(self, user: str = "ada", claimed_bytes: int | None = None, **more: object) -> InboundMessage:
        source = AudioSource(locator="spoken", claimed_bytes=claimed_bytes)
        return self.inbound(user, None, audio=source, **more)

    async def receive(self, inbound: InboundMessage) -> str | None:
        return await self.inbox.receive(inbound)

    async def command(self, text: str, *, owner: bool = True, **inbound: object) -> str:
        """Run a command that is given in chat 1."""
        name, _, argument = text.partition(" ")
        message = replace(self.inbound("owner", chat="1"), **inbound)  # type: ignore[arg-type] # tests give what fits
        return await self.commands.run(message, Role.OWNER if owner else Role.GUEST, name, argument)

    async def change(self, change: AccessChange) -> None:
        """Have an owner say something of people or groups."""
        await self.commands.owners.change_access(self.name, change)

    async def signals(self, chat: str) -> int:
        """Count the messages that a chat's conversation was given, whether or not it runs."""
        history = await opened_history(self.client.get_workflow_handle(conversation_id(self.name, chat)))
        return sum(event.HasField("workflow_execution_signaled_event_attributes") for event in history.events)


def said(key: str, language: str | None = None, **params: float | str) -> str:
    """Word one of june's sentences."""
    return say(Notice(key=key, params=params), language)


@pytest.fixture
async def platform(dev_server: WorkflowEnvironment) -> AsyncIterator[Platform]:
    platform = Platform(dev_server.client)
    yield platform
    async for workflow in platform.client.list_workflows(
        f"Platform = '{platform.name}' AND ExecutionStatus = 'Running'"
    ):
        await platform.client.get_workflow_handle(workflow.id).terminate()


@pytest.fixture
async def world(platform: Platform) -> AsyncIterator[World]:
    async with running(platform.client, World(), platform=platform.name) as world:
        yield world
