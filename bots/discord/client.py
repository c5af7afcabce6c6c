"""The Discord bot: messages, commands and menus in, in order and none lost; replies go out by its platform."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import discord
import stamina
from temporalio.service import RPCError

from activities.values import Notice
from bots.commands import parse
from bots.delivery import DROPPED, Delivery, DroppedError, TryAgainError
from bots.discord.menu import Words, build_menu
from bots.discord.messages import Locales, command_of, inbound_of, pages, recording_of, target_of
from bots.discord.missed import MissedMessages
from bots.inbox import Inbox
from bots.intake import InboundMessage
from bots.texts.catalogue import say

_log = logging.getLogger(__name__)

UNTIL_TAKEN = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_initial=0.5, wait_max=10, wait_jitter=0)
"""Hands a message over, while Temporal's server is away as well."""
NOW_OR_NEVER = stamina.AsyncRetryingCaller(attempts=3, timeout=None, wait_initial=0.5, wait_jitter=0)
"""Hands a command over: its user waits."""
CATCH_UP = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_initial=10, wait_max=10, wait_jitter=0)
CATCH_UP_SECONDS = 120.0
"""Timeout for looking missed messages up on Discord; then the live ones are handed over all the same."""
MAX_WAITING = 200
"""Messages of one channel that wait to be handed over; more are dropped, and found again after a restart."""
LONGEST_RATE_LIMIT_SECONDS = 60.0
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
"""What a message raises that is not as june knows them."""
Keep = Callable[[str, str], Awaitable[str | None]]
"""Keep the signed link of a recording in a channel for ``fetch``; return its key, None where that was not possible."""


def intents_of(*, message_content: bool) -> discord.Intents:
    """Choose what Discord sends june: messages, and their content everywhere if it may."""
    intents = discord.Intents.none()
    intents.guilds = True
    intents.guild_messages = True
    intents.dm_messages = True
    intents.message_content = message_content
    return intents


class DiscordBot(discord.Client):
    """A client that hands everything to the inbox."""

    def __init__(self, *, message_content: bool, keep: Keep) -> None:
        """Configure the client; ``open`` must be called before the first message arrives.

        Args:
            message_content: june has the privileged intent.
            keep: keeps the signed link of a recording that is not shown again.

        """
        super().__init__(
            intents=intents_of(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=LONGEST_RATE_LIMIT_SECONDS,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        self.tree = build_menu(self, self._command, self._target)
        self._keep = keep
        self._locales = Locales()
        self._queues = ChannelQueues()
        self._delivery = Delivery()
        self._caught_up = asyncio.Event()
        self._inbox: Inbox
        self._missed: MissedMessages

    def open(self, inbox: Inbox, missed: MissedMessages) -> None:
        """Connect the inbox, and what finds missed messages."""
        self._inbox = inbox
        self._missed = missed

    @property
    def me(self) -> int:
        """Return the bot's own user id."""
        assert self.user is not None, "not logged in"  # noqa: S101 - for the type checker
        return self.user.id

    async def sync_menu(self) -> None:
        """Publish the commands on Discord; june works without, so a failure is only logged."""
        await self.tree.set_translator(Words())
        try:
            await self.tree.sync()
        except discord.DiscordException as error:
            _log.warning("the commands could not be published on Discord: %s", error)

    # Messages

    async def on_connect(self) -> None:
        """Hold live messages back: a new session begins, and what was missed before it comes first."""
        self._caught_up.clear()

    async def on_ready(self) -> None:
        """Hand over what was missed, then let the live messages go on."""
        try:
            for message in await self._look_up_missed():
                inbound = self._read(message)
                # A command is for the moment in which it was given.
                if inbound and not (inbound.text and parse(inbound.text)):
                    _log.info("message %s in channel %s had been missed", message.id, message.channel.id)
                    await self._hand_over(inbound)
        finally:
            self._caught_up.set()
        _log.info("connected to Discord as user %s", self.me)

    async def on_message(self, message: discord.Message) -> None:
        """Hand a message over, after those that came before it in its channel."""
        inbound = self._read(message)
        if inbound is None:
            return
        async with self._queues.turn(message.channel.id) as admitted:
            if not admitted:
                _log.warning("too many messages wait in channel %s", message.channel.id)
                return
            await self._caught_up.wait()
            outcome = await self._hand_over(inbound)
        reference = message.to_reference(fail_if_not_exists=False)
        try:
            for index, page in enumerate(pages(outcome or "")):
                nonce = f"{message.id}-{index}"  # so that a repeated request leaves one message
                await message.channel.send(page, reference=reference, mention_author=False, nonce=nonce)
        except discord.DiscordException as error:
            _log.info("no answer in channel %s: %s", message.channel.id, error)

    async def _look_up_missed(self) -> Sequence[discord.Message]:
        """List the missed messages, those of each channel in their order.

        Discord is asked for ``CATCH_UP_SECONDS``; Temporal for as long as it is away, as it takes no live message
        meanwhile either.
        """
        until = time.monotonic() + CATCH_UP_SECONDS
        missed: dict[int, discord.Message] = {}

        def may_pass(error: Exception) -> bool:
            _log.warning("missed messages wait: %r", error)
            of_discord = isinstance(error, discord.DiscordException | OSError)
            return isinstance(error, RPCError) or (of_discord and time.monotonic() < until)

        async def look_up() -> None:
            for number in await self._missed.channels(self):
                try:
                    channel = self.get_channel(number) or await self.fetch_channel(number)
                    if isinstance(channel, discord.abc.Messageable):
                        found = await self._missed.messages(channel, number, self.me)
                        missed.update((message.id, message) for message in found)
                except (discord.NotFound, discord.Forbidden) as error:
                    _log.info("channel %s cannot be looked at: %s", number, error)

        try:
            await CATCH_UP(may_pass, lambda: asyncio.wait_for(look_up(), CATCH_UP_SECONDS))
        except (discord.DiscordException, OSError) as error:
            _log.warning("missed messages could not all be looked up: %r", error)
        return list(missed.values())

    def _read(self, message: discord.Message) -> InboundMessage | None:
        try:
            return inbound_of(message, self.me, self._locales.of(message))
        except UNREADABLE:
            _log.exception("%s: message %s cannot be read", DROPPED, message.id)
            return None

    async def _hand_over(self, inbound: InboundMessage) -> str | None:
        """Hand a message to the inbox, as often as it takes; return what to say to its sender now."""
        try:
            return await UNTIL_TAKEN(TryAgainError, self._attempt, inbound)
        except DroppedError:
            return say(Notice(key="internal"), inbound.language)

    async def _attempt(self, inbound: InboundMessage) -> str | None:
        return await self._delivery.attempt(inbound.message, lambda: self._inbox.receive(inbound))

    # Menus

    async def _command(self, interaction: discord.Interaction, name: str, argument: str) -> None:
        self._locales.remember(interaction)
        await interaction.response.defer(ephemeral=True)
        await self._answer(interaction, command_of(interaction, name, argument))

    async def _target(self, interaction: discord.Interaction, message: discord.Message) -> None:
        self._locales.remember(interaction)
        await interaction.response.defer(ephemeral=True)
        key, recording = None, recording_of(message)
        if recording and interaction.guild_id and not self.intents.message_content:  # it is not shown again
            key = await self._keep(str(message.channel.id), recording.link)
        await self._answer(interaction, target_of(interaction, message, self.me, key))

    async def _answer(self, interaction: discord.Interaction, inbound: InboundMessage) -> None:
        """Hand an interaction to the inbox now or never, as its user waits; only that user sees the outcome."""
        try:
            text = await NOW_OR_NEVER(TryAgainError, self._attempt, inbound)
        except DroppedError:
            text = say(Notice(key="internal"), inbound.language)
        except TryAgainError:
            text = say(Notice(key="not-just-now"), inbound.language)
        try:
            if not text:
                await interaction.delete_original_response()
            for page in pages(text or ""):
                await interaction.followup.send(page, ephemeral=True)
        except discord.DiscordException as error:
            _log.info("no answer to a command in channel %s: %s", interaction.channel_id, error)

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401 - the library's
        """Log what an event's handler raised: the next event must not suffer."""
        _log.exception("a Discord event was not handled: %s", event_method)


class ChannelQueues:
    """A queue for each channel: its messages are handed over in order, and channels do not wait for each other."""

    def __init__(self) -> None:
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._lengths: defaultdict[int, int] = defaultdict(int)

    @asynccontextmanager
    async def turn(self, channel: int) -> AsyncIterator[bool]:
        """Wait for the turn of a message, and keep it while the block runs; False at once when the queue is full."""
        if self._lengths[channel] >= MAX_WAITING:
            yield False
            return
        self._lengths[channel] += 1
        try:
            async with self._locks[channel]:
                yield True
        finally:
            self._lengths[channel] -= 1
            if not self._lengths[channel]:
                del self._lengths[channel], self._locks[channel]
