"""A channel on Discord of the tests' own, as june's bot sees it.

A traceback shows what its functions were given, and the library gives its own the token: what goes wrong with Discord
is told in a sentence.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from temporalio.exceptions import ApplicationError

from activities.audio.codec import decode, seconds_of
from activities.platforms.discord.platform import DiscordPlatform
from activities.platforms.discord.signed_links import read_link
from activities.platforms.platform import VoiceNote
from activities.values import Address
from bots.discord.messages import PLATFORM, Locales, inbound_of
from bots.intake import InboundMessage
from tests.integration.june import HTTP_SECONDS, June
from tests.integration.owner import SPEAKER, failure, needed, owner_of
from tests.integration.test_voice_turn import MOST_SECONDS
from workers.roles.discord import JuneClient, point
from workers.settings import AudioSettings, DiscordSettings

TOKEN, OWNERS, CHANNEL = "JUNE_DISCORD_TOKEN", "JUNE_DISCORD_OWNERS", "JUNE_INTEGRATION_DISCORD_CHANNEL"
MOST_REPLIES = 100

JSON = dict[str, Any]


class Channel:
    """The tests' channel, and what is said in it from the question on."""

    def __init__(self, bot: JuneClient, channel: discord.TextChannel | discord.Thread) -> None:
        """Take the bot, which is logged in."""
        self._bot = bot
        self._channel = channel
        self._question: int | None = None

    async def ask(self, sound: bytes, owner: str) -> InboundMessage:
        """Send a recording as june sends its own; give it as the owner's message, with a mention of june."""
        seconds = seconds_of(await asyncio.to_thread(decode, sound, MOST_SECONDS))
        never_said = str(discord.utils.time_snowflake(discord.utils.utcnow()))
        to = Address(platform=PLATFORM, chat=str(self._channel.id), message=never_said)
        sent = await DiscordPlatform(self._bot.http, self._bot.links).send_voice(to, VoiceNote(sound, seconds))
        self._question = int(sent)
        made: Any = await self._bot.http.get_message(self._channel.id, self._question)
        speaker = {"id": owner, "username": SPEAKER, "discriminator": "0", "global_name": None, "avatar": None}
        data = made | {"author": speaker, "mentions": [made["author"]]}
        message = discord.Message(state=self._bot._connection, channel=self._channel, data=data)
        inbound = inbound_of(message, self._bot.me, Locales().of(message))
        assert inbound
        assert inbound.audio
        assert (inbound.user, inbound.addressed, inbound.text) == (owner, True, None)
        return inbound

    async def reply(self) -> tuple[str, bytes]:
        """Read june's answer, text and voice."""
        sent = await self._replies()
        assert len(sent) == 2, "the answer is not a text and a voice message"
        text, voice = sent
        assert [to["message_reference"]["message_id"] for to in sent] == [str(self._question)] * 2
        (file,) = voice["attachments"]
        return str(text["content"]), await read_link(file["url"], AudioSettings().max_bytes)

    async def _replies(self) -> list[JSON]:
        """List what june has said since the question, the first one first."""
        said: Any = await self._bot.http.logs_from(self._channel.id, MOST_REPLIES, after=self._question)
        mine = [message for message in said if message["author"]["id"] == str(self._bot.me)]
        return sorted(mine, key=lambda message: int(message["id"]))

    async def clear(self) -> None:
        """Delete the question, and all that june said since."""
        if self._question is not None:
            for message in (self._question, *[int(reply["id"]) for reply in await self._replies()]):
                await self._bot.http.delete_message(self._channel.id, message)


@asynccontextmanager
async def discord_bot() -> AsyncIterator[JuneClient]:
    """Be june's bot, without the gateway's connection."""
    settings = DiscordSettings()
    token = settings.token.get_secret_value()
    needed(token, TOKEN, "there is no Discord bot, or these tests do not know its token")
    point(settings)
    try:
        async with JuneClient(settings) as bot:
            async with asyncio.timeout(HTTP_SECONDS):
                await bot.login(token)
            yield bot
    except discord.LoginFailure:
        raise failure(f"Discord does not take the token ({TOKEN})") from None
    except (discord.DiscordException, aiohttp.ClientError, ApplicationError) as error:
        raise failure(f"Discord: {error}") from None


@asynccontextmanager
async def discord_channel(june: June) -> AsyncIterator[tuple[Channel, str]]:
    """Be in the channel, with the name of an owner; nothing stays there."""
    async with discord_bot() as bot:
        number = needed(june.settings.discord_channel, CHANNEL, "there is no channel on Discord for a test's turn")
        owner = owner_of(DiscordSettings(), OWNERS)
        found = await bot.fetch_channel(int(number))
        if isinstance(found, discord.abc.PrivateChannel):
            what = f"{CHANNEL} names a private channel, whose memory would be lost: name a channel of a server"
            raise failure(what)
        assert isinstance(found, discord.TextChannel | discord.Thread), f"{CHANNEL} names no channel for text"
        channel = Channel(bot, found)
        try:
            yield channel, owner
        finally:
            await channel.clear()
