"""The Discord bot: messages, commands and menus in, in order and none lost; replies go out by its platform."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import discord
from temporalio.service import RPCError, RPCStatusCode

from activities.values import Notice
from bots.commands import parse
from bots.discord.menu import Words, build_menu
from bots.discord.messages import Locales, command_of, inbound_of, pages, recording_of, target_of
from bots.discord.missed import Missed
from bots.inbox import InboundMessage, Inbox
from bots.texts.catalogue import say

_log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
"""Between tries to hand a message over, while Temporal's server is away."""
COMMAND_TRIES = 3
CATCH_UP_SECONDS = 120.0
"""Timeout for looking for missed messages; then the live ones are handed over all the same."""
LINE_LIMIT = 200
"""Messages of one channel that wait to be handed over; more are dropped, and found again after a restart."""
LONGEST_RATE_LIMIT_SECONDS = 60.0
Keep = Callable[[str, str], Awaitable[str | None]]
"""Keep the signed link of a recording in a channel for ``fetch``; give its key, None where that was not possible."""
HOPELESS = frozenset({RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.PERMISSION_DENIED})
"""The server will never take this message."""


def intents_of(*, message_content: bool) -> discord.Intents:
    """Choose what Discord tells june: messages, and their content everywhere if it may."""
    intents = discord.Intents.none()
    intents.guilds = True
    intents.guild_messages = True
    intents.dm_messages = True
    intents.message_content = message_content
    return intents


class DiscordBot(discord.Client):
    """A client that brings everything to the inbox."""

    def __init__(self, *, message_content: bool, keep: Keep) -> None:
        """Prepare; ``open`` must come before the first message does.

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
        self._lines = _Lines()
        self._caught_up = asyncio.Event()
        self._inbox: Inbox
        self._missed: Missed

    def open(self, inbox: Inbox, missed: Missed) -> None:
        """Take the inbox, and what finds missed messages."""
        self._inbox = inbox
        self._missed = missed

    @property
    def me(self) -> int:
        """June's user id."""
        assert self.user is not None, "not logged in"  # noqa: S101 - for the type checker
        return self.user.id

    async def sync_menu(self) -> None:
        """Tell Discord the commands; june works without, so a failure is only logged."""
        await self.tree.set_translator(Words())
        try:
            await self.tree.sync()
        except discord.DiscordException as error:
            _log.warning("the commands could not be told to Discord: %s", error)

    # What Discord tells

    async def on_connect(self) -> None:
        """Hold live messages back: a new session begins, and what was missed before it comes first."""
        self._caught_up.clear()

    async def on_ready(self) -> None:
        """Hand over what was missed, then let the live messages go on."""
        try:
            async with asyncio.timeout(CATCH_UP_SECONDS):
                while not await self._caught_up_now():  # noqa: ASYNC110 - the servers tell nobody when they are back
                    await asyncio.sleep(LONGEST_PAUSE_SECONDS)
        except TimeoutError:
            _log.warning("missed messages could not all be looked up")
        finally:
            self._caught_up.set()
        _log.info("connected to Discord as user %s", self.me)

    async def _caught_up_now(self) -> bool:
        """Hand over what was missed; False when that has to be tried again, as no message may overtake it."""
        try:
            await self._catch_up()
        except (RPCError, discord.DiscordException, OSError) as error:
            _log.warning("missed messages wait: %r", error)
            return False
        return True

    async def on_message(self, message: discord.Message) -> None:
        """Hand a message over, after those that came before it in its channel."""
        inbound = self._read(message)
        if inbound is None:
            return
        async with self._lines.place(message.channel.id) as placed:
            if not placed:
                _log.warning("too many messages wait in channel %s", message.channel.id)
                return
            await self._caught_up.wait()
            outcome = await self._hand_over(inbound)
        if outcome:
            await self._say(message, outcome)

    async def _catch_up(self) -> None:
        for number in await self._missed.channels(self):
            try:
                channel = self.get_channel(number) or await self.fetch_channel(number)
                if not isinstance(channel, discord.abc.Messageable):
                    continue
                messages = await self._missed.messages(channel, number, self.me)
            except (discord.NotFound, discord.Forbidden) as error:
                _log.info("channel %s cannot be looked at: %s", number, error)
                continue
            for message in messages:
                inbound = self._read(message)
                # A command is for the moment in which it was given.
                if inbound and not (inbound.text and parse(inbound.text)):
                    _log.info("message %s in channel %s had been missed", message.id, number)
                    await self._hand_over(inbound)

    def _read(self, message: discord.Message) -> InboundMessage | None:
        return inbound_of(message, self.me, self._locales.of(message))

    async def _hand_over(self, inbound: InboundMessage) -> str | None:
        """Bring a message to the inbox, as often as it takes."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._inbox.receive(inbound)
            except RPCError as error:
                if error.status in HOPELESS:
                    _log.exception("message %s cannot be taken", inbound.message)
                    return say(Notice(key="internal"), inbound.language)
                _log.warning("message %s waits for the server: %s", inbound.message, error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _say(self, message: discord.Message, text: str) -> None:
        """Say what the inbox says; a message that cannot be sent is nobody's loss."""
        reference = message.to_reference(fail_if_not_exists=False)
        try:
            for index, page in enumerate(pages(text)):
                nonce = f"{message.id}-{index}"  # so that a repeated request leaves one message
                await message.channel.send(page, reference=reference, mention_author=False, nonce=nonce)
        except discord.DiscordException as error:
            _log.info("no answer in channel %s: %s", message.channel.id, error)

    # Menus

    async def _command(self, interaction: discord.Interaction, name: str, argument: str) -> None:
        self._locales.see(interaction)
        await interaction.response.defer(ephemeral=True)
        await self._follow_up(interaction, await self._ask(command_of(interaction, name, argument)))

    async def _target(self, interaction: discord.Interaction, message: discord.Message) -> None:
        self._locales.see(interaction)
        await interaction.response.defer(ephemeral=True)
        key, recording = None, recording_of(message)
        if recording and interaction.guild_id and not self.intents.message_content:  # it is not shown again
            key = await self._keep(str(message.channel.id), recording.link)
        await self._follow_up(interaction, await self._ask(target_of(interaction, message, self.me, key)))

    async def _ask(self, inbound: InboundMessage) -> str | None:
        """Bring it to the inbox now or never: whoever chose it waits for an answer."""
        for attempt in range(COMMAND_TRIES):
            try:
                return await self._inbox.receive(inbound)
            except RPCError as error:
                _log.warning("command %s fails: %s", inbound.message, error)
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
        return say(Notice(key="not-just-now"), inbound.language)

    async def _follow_up(self, interaction: discord.Interaction, text: str | None) -> None:
        """Say the outcome to whoever asked, and to nobody else; nothing to say leaves nothing behind."""
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


class _Lines:
    """A line for each channel: one message is handed over after the other, and channels do not wait for each other."""

    def __init__(self) -> None:
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._lengths: defaultdict[int, int] = defaultdict(int)

    @asynccontextmanager
    async def place(self, channel: int) -> AsyncIterator[bool]:
        """Wait in line, and hold its head for as long as the block runs; False when the line is too long."""
        if self._lengths[channel] >= LINE_LIMIT:
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
