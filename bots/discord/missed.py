"""Messages that came while june was not connected: Discord does not bring them again, so they are looked up.

What was handed over last is not kept in a place of its own: the workflows of a chat's messages tell it, and june's
replies in the channel do. Messages of a channel are handed over in their order, so all before the last are done.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import aiohttp
import discord
import stamina
from temporalio.client import Client
from temporalio.service import RPCError

from bots.discord.events import log_skipped, read_messages
from bots.discord.messages import PLATFORM
from workflows.names import CONVERSATION, VOICE_MESSAGE, chat_key

_log = logging.getLogger(__name__)

T = TypeVar("T")

CATCH_UP = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_initial=10, wait_max=10, wait_jitter=0)
LEAST_SECONDS = 5.0
"""Timeout for one channel, however much of the time for all is gone."""
CATCH_UP_SECONDS = 120.0
"""Timeout for looking missed messages up on Discord; then the live ones are handed over all the same."""
ORDINARY = (discord.DiscordException, aiohttp.ClientError, OSError)
"""What Discord and the network raise as they are."""
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
            except (discord.HTTPException, KeyError, TypeError, ValueError) as error:
                _log.info("no private channel with %s: %s", person, type(error).__name__)
            else:
                found[private.id] = None
        return list(found)

    async def messages(self, newest: Sequence[discord.Message], number: int, me: int) -> list[discord.Message]:
        """List the messages of a channel that were not handed over, the oldest first.

        Args:
            newest: the last ``MOST_MESSAGES`` of the channel, the newest first.
            number: the channel's id.
            me: june's user id.

        Raises:
            temporalio.service.RPCError: the server did not answer.

        """
        if not newest:
            return []
        chat, since = chat_key(PLATFORM, str(number)), datetime.now(UTC) - SPAN
        query = f"WorkflowType = '{VOICE_MESSAGE}' AND Chat = '{chat}' AND StartTime > '{since.isoformat()}'"
        turns = [turn async for turn in self._client.list_workflows(query, limit=MOST_MESSAGES)]
        names = [turn.id.rsplit("/", 1)[-1] for turn in turns]
        replies = [message.reference for message in newest if message.author.id == me]
        done = [
            *(int(name) for name in names if name.isdigit()),
            *(reference.message_id for reference in replies if reference and reference.message_id),
        ]
        return [message for message in reversed(newest) if message.id > max(done, default=0)]


async def newest_messages(client: discord.Client, number: int) -> Sequence[discord.Message]:
    """List the last messages of a channel, the newest first; those that cannot be read are left out.

    Raises:
        discord.DiscordException: Discord did not answer, or june may not look.

    """
    channel = client.get_channel(number) or await client.fetch_channel(number)
    if not isinstance(channel, discord.abc.Messageable):
        return []
    found = await client.http.logs_from(number, MOST_MESSAGES)
    since = datetime.now(UTC) - SPAN
    return [message for message in read_messages(client, channel, found) if message.created_at > since]


async def look_up(client: discord.Client, missed: MissedMessages, me: int) -> Sequence[discord.Message]:
    """List the missed messages, those of each channel in their order.

    Discord is asked for ``CATCH_UP_SECONDS``; Temporal for as long as it is away, as it takes no live message meanwhile
    either. What cannot be looked up in one channel costs no other.
    """
    until = time.monotonic() + CATCH_UP_SECONDS
    found: dict[int, discord.Message] = {}
    for number in await _ask(until, lambda: missed.channels(client)):
        messages = await _ask(until, partial(_missed_in, client, missed, number, me))
        found.update((message.id, message) for message in messages)
    return list(found.values())


async def _missed_in(client: discord.Client, missed: MissedMessages, number: int, me: int) -> Sequence[discord.Message]:
    try:
        newest = await newest_messages(client, number)
    except (discord.NotFound, discord.Forbidden) as error:
        _log.info("channel %s cannot be looked at: %s", number, error)
        return []
    return await missed.messages(newest, number, me)


async def _ask(until: float, ask: Callable[[], Awaitable[Sequence[T]]]) -> Sequence[T]:
    """Ask Temporal and Discord, again where that may help; return nothing where it does not."""

    def may_pass(error: Exception) -> bool:
        _log.warning("missed messages wait: %s: %s", type(error).__name__, error)
        return isinstance(error, RPCError) or (isinstance(error, ORDINARY) and time.monotonic() < until)

    async def within_time() -> Sequence[T]:
        async with asyncio.timeout(max(until - time.monotonic(), LEAST_SECONDS)):
            return await ask()

    try:
        return await CATCH_UP(may_pass, within_time)
    except ORDINARY as error:
        _log.warning("missed messages could not all be looked up: %s: %s", type(error).__name__, error)
    except Exception as error:  # noqa: BLE001 - recorded; the next channel can be read
        log_skipped("what was missed in a channel", None, error)
    return []
