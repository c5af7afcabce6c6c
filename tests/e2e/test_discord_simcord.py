"""The Discord bot in simcord, a double that others wrote: an unmodified client in process, without any network.

simcord cannot send voice messages as a person, and drops what makes june's one: the project's own fake sees to those.
"""

import asyncio
import os
from collections.abc import AsyncIterator

import discord
import pytest
import simcord

from tests.support.audio_samples import voice_note
from tests.support.discord_bot import UNHURRIED
from tests.support.platforms.discord_world import VOICE_FLAG
from workers.embedding.discord_client import create_discord_client
from workers.local.stack import Embedded
from workers.roles.discord import JuneClient

pytestmark = pytest.mark.e2e

HEARD, ANSWER = "> 🎤 This is a question.", "This is an answer."


@pytest.fixture
async def client(idle: Embedded, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[JuneClient]:
    """The client that the environment describes."""
    where = {"TEMPORAL_ADDRESS": idle.address, "TEMPORAL_CONFIG_FILE": os.devnull, "JUNE_HOME": str(idle.home)}
    for name, value in (where | UNHURRIED).items():
        monkeypatch.setenv(name, value)
    client = create_discord_client()
    yield client
    await client.close()  # simcord leaves that to its user


async def test_voice_a_mention_and_a_slash_command(client: JuneClient) -> None:
    simulation = simcord.run(client)
    person = simulation._env.create_user("olga")
    client.settings = client.settings.model_copy(update={"owners": (str(person.id),)})
    client.read = lambda link, _: client.http.get_from_cdn(link)  # its files are on no network
    async with simulation as env:
        private = person.dm_channel
        (file,) = env.backend.store_attachments(private.id, [("voice-message.ogg", voice_note())])
        file |= {"content_type": "audio/ogg", "duration_secs": 1.0, "waveform": "AAAA"}
        env.backend.create_message(private.id, person.id, "", attachments=[file], flags=VOICE_FLAG)
        text, voice = await replies(private, 2)
        assert text.content == f"{HEARD}\n{ANSWER}"
        assert (voice.flags.voice, voice.attachments[0].filename) == (True, "voice-message.ogg")
        guild = env.create_guild()
        channel, olga = guild.create_text_channel("general"), guild.add_member(person)
        await olga.send(channel, f"<@{client.me}> hello")
        (answer,) = await replies(channel, 1)
        assert answer.content == ANSWER
        result = await olga.slash(channel, "language", argument="de")
        assert result.ephemeral


async def replies(channel: simcord.ChannelHandle, count: int) -> list[discord.Message]:
    """Wait for june's messages."""
    async with asyncio.timeout(30):
        while True:
            found = [message for message in channel.history() if message.author.bot]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)
