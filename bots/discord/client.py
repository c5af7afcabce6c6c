"""The Discord bot: messages, commands and menus in, in order and none lost; replies go out by its platform."""

import asyncio
import logging
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import discord
import stamina

from activities.values import Notice
from bots.commands import parse
from bots.delivery import Delivery, DroppedError, TryAgainError
from bots.discord.events import guard, log_skipped
from bots.discord.log import calm, log_failure
from bots.discord.menu import Words, build_menu
from bots.discord.messages import Locales, command_of, inbound_of, pages, recording_of, target_of
from bots.discord.missed import ORDINARY, MissedMessages, look_up
from bots.inbox import Inbox
from bots.intake import InboundMessage
from bots.texts.catalogue import say

_log = logging.getLogger(__name__)

UNTIL_TAKEN = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_initial=0.5, wait_max=10, wait_jitter=0)
"""Hands a message over, while Temporal's server is away as well."""
NOW_OR_NEVER = stamina.AsyncRetryingCaller(attempts=3, timeout=None, wait_initial=0.5, wait_jitter=0)
"""Hands a command over: its user waits."""
IN_TURN = stamina.AsyncRetryingCaller(attempts=None, timeout=600, wait_initial=1, wait_max=15, wait_jitter=0)
"""Sends an answer of the bot's own, where Discord asks to wait; after that nobody waits for it any more."""
MAX_WAITING = 200
"""Messages of one channel that wait to be handed over; more are dropped, and found again after a restart."""
LONGEST_RATE_LIMIT_SECONDS = 60.0
DEFAULT_RETRY_SECONDS = 5.0
"""Where Discord limits the rate, and does not say for how long."""
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
        calm()
        super().__init__(
            intents=intents_of(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=LONGEST_RATE_LIMIT_SECONDS,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        guard(self)
        self.tree = build_menu(self, self._command, self._target)
        self._keep = keep
        self._locales = Locales()
        self._queues = ChannelQueues()
        self._answers = ChannelQueues()
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
            for message in await look_up(self, self._missed, self.me):
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
        if outcome:
            await self._answer_message(message, outcome)

    async def _answer_message(self, message: discord.Message, outcome: str) -> None:
        """Say at once what there is to say to a message, after what was said before it in its channel."""
        reference = message.to_reference(fail_if_not_exists=False)
        async with self._answers.turn(message.channel.id) as admitted:
            for index, page in enumerate(pages(outcome) if admitted else ()):
                nonce = f"{message.id}-{index}"  # so that a repeated request leaves one message
                send = partial(message.channel.send, page, reference=reference, mention_author=False, nonce=nonce)
                if not await self._say(message.channel.id, send):
                    return

    async def _say(self, channel: int | None, send: Callable[[], Awaitable[object]]) -> bool:
        """Send something of the bot's own, for as long as Discord asks to wait; return whether it was sent."""
        try:
            await IN_TURN(pause_after, send)
        except ORDINARY as error:
            _log.info("no answer in channel %s: %s", channel, error)
            return False
        return True

    def _read(self, message: discord.Message) -> InboundMessage | None:
        try:
            return inbound_of(message, self.me, self._locales.of(message))
        except Exception as error:  # noqa: BLE001 - recorded; the next message can be read
            log_skipped("MESSAGE_CREATE", {"id": message.id}, error)
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
        if await self._begin(interaction):
            await self._answer(interaction, command_of(interaction, name, argument))

    async def _target(self, interaction: discord.Interaction, message: discord.Message) -> None:
        if not await self._begin(interaction):
            return
        key, recording = None, recording_of(message)
        if recording and interaction.guild_id and not self.intents.message_content:  # it is not shown again
            key = await self._keep(str(message.channel.id), recording.link)
        await self._answer(interaction, target_of(interaction, message, self.me, key))

    async def _begin(self, interaction: discord.Interaction) -> bool:
        """Tell Discord within its three seconds that an answer will come; return False where it takes none any more."""
        self._locales.remember(interaction)
        try:
            await interaction.response.defer(ephemeral=True)
        except ORDINARY as error:  # Discord has told the user that the command failed
            _log.info("a command in channel %s is not run: %s", interaction.channel_id, error)
            return False
        return True

    async def _answer(self, interaction: discord.Interaction, inbound: InboundMessage) -> None:
        """Hand an interaction to the inbox now or never, as its user waits; only that user sees the outcome."""
        try:
            text = await NOW_OR_NEVER(TryAgainError, self._attempt, inbound)
        except DroppedError:
            text = say(Notice(key="internal"), inbound.language)
        except TryAgainError:
            text = say(Notice(key="not-just-now"), inbound.language)
        if not text:
            await self._say(interaction.channel_id, interaction.delete_original_response)
        for page in pages(text or ""):
            if not await self._say(interaction.channel_id, partial(interaction.followup.send, page, ephemeral=True)):
                return

    async def on_error(self, event_method: str, /, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401 - the library's
        """Log what an event's handler raised: the next event must not suffer."""
        error = sys.exc_info()[1]
        if error:
            log_failure(_log, f"a Discord event was not handled ({event_method})", error, ORDINARY)


def pause_after(error: Exception) -> float | bool:
    """Return how many seconds to wait before a request is made again; True for june's own pace, False for no more."""
    if isinstance(error, discord.RateLimited):
        return max(error.retry_after, 1.0)
    if not isinstance(error, discord.HTTPException):
        return isinstance(error, aiohttp.ClientError | OSError)
    if error.status != 429:
        return error.status >= 500
    try:
        return max(float(error.response.headers.get("Retry-After") or DEFAULT_RETRY_SECONDS), 1.0)
    except ValueError:
        return DEFAULT_RETRY_SECONDS


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
