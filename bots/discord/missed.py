"""Messages that came while june was not connected: Discord does not bring them again, so they are looked up.

What was handed over last is not kept in a place of its own: the workflows of a chat's messages tell it, and june's
replies in the channel do. Messages of a channel are handed over in their order, so all before the last are done.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import discord
from temporalio.client import Client

from bots.discord.messages import PLATFORM
from workflows.names import CONVERSATION, VOICE_MESSAGE, chat_key

_log = logging.getLogger(__name__)

SPAN = timedelta(hours=24)
MOST_MESSAGES = 100
"""Of a channel; the newest are looked at."""
MOST_CHANNELS = 200
"""Those whose conversations are the youngest."""
MOST_PEOPLE = 25
"""Known people whose private messages are looked at although june has no conversation with them yet."""


class MissedMessages:
    """Finds the messages that were not handed over."""

    def __init__(self, client: Client, people: Iterable[str], channels: Iterable[str]) -> None:
        """Configure where to look.

        Args:
            client: Temporal, for the workflows of chats.
            people: ids of those who may write to june, and may have done so for the first time.
            channels: ids of channels in which every message is answered.

        """
        self._client = client
        self._people = [int(person) for person in people if person.isdigit()][:MOST_PEOPLE]
        self._channels = [int(channel) for channel in channels if channel.isdigit()]

    async def channels(self, discord_client: discord.Client) -> list[int]:
        """List the channels to look at.

        Raises:
            temporalio.service.RPCError: the server did not answer.

        """
        query = f"WorkflowType = '{CONVERSATION}' AND Platform = '{PLATFORM}' AND ExecutionStatus = 'Running'"
        found = dict.fromkeys(self._channels)
        async for conversation in self._client.list_workflows(query, limit=MOST_CHANNELS):
            channel = conversation.id.rsplit("/", 1)[-1]
            if channel.isdigit():
                found[int(channel)] = None
        for person in self._people:
            try:
                private = await discord_client.create_dm(discord.Object(person))
            except discord.HTTPException as error:
                _log.info("no private channel with %s: %s", person, error)
            else:
                found[private.id] = None
        return list(found)

    async def messages(self, channel: discord.abc.Messageable, number: int, me: int) -> list[discord.Message]:
        """List the messages of a channel that were not handed over, the oldest first.

        Raises:
            temporalio.service.RPCError: the server did not answer.
            discord.HTTPException: Discord did not answer.

        """
        since = datetime.now(UTC) - SPAN
        newest = [message async for message in channel.history(limit=MOST_MESSAGES, after=since, oldest_first=False)]
        if not newest:
            return []
        chat = chat_key(PLATFORM, str(number))
        query = f"WorkflowType = '{VOICE_MESSAGE}' AND Chat = '{chat}' AND StartTime > '{since.isoformat()}'"
        turns = [turn async for turn in self._client.list_workflows(query, limit=MOST_MESSAGES)]
        names = [turn.id.rsplit("/", 1)[-1] for turn in turns]
        replies = [message.reference for message in newest if message.author.id == me]
        done = [
            *(int(name) for name in names if name.isdigit()),
            *(reference.message_id for reference in replies if reference and reference.message_id),
        ]
        return [message for message in reversed(newest) if message.id > max(done, default=0)]
