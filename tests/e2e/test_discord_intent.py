"""The Discord bot with the message-content intent; by itself, as two bots of one june would answer for each other."""

from pathlib import Path

import pytest

from tests.support.audio_samples import voice_note
from tests.support.discord_bot import bot_process
from tests.support.platforms.discord import MENTION, running
from tests.support.waiting import until
from workers.local.stack import Embedded

pytestmark = pytest.mark.e2e

ANSWER = "This is an answer."
HEARD = "> 🎤 This is a question."


async def test_with_the_intent_opened_channels_are_answered(idle: Embedded, tmp_path: Path) -> None:
    async with running() as fake:
        fake.world.content_allowed = True
        owner, member, guild = fake.world.person("Olga"), fake.world.person("Mia"), fake.world.guild()
        opened, other = fake.world.channel(guild), fake.world.channel(guild)
        allowed = {"JUNE_DISCORD_OWNERS": owner, "JUNE_DISCORD_OPEN_GROUPS": opened}
        async with bot_process(idle, fake, tmp_path / "bot.log", JUNE_DISCORD_MESSAGE_CONTENT="true", **allowed):
            spoken = await fake.voice(opened, member, voice_note())
            elsewhere = await fake.voice(other, member, voice_note())
            pointed = await fake.say(other, owner, f"{MENTION} what does she say?", reply_to=elsewhere)
            await until(lambda: fake.voices(opened) and fake.voices(other))
        for channel, asked in ((opened, spoken), (other, pointed)):
            sent = fake.sent(channel)
            assert [message["content"] for message in sent] == [f"{HEARD}\n{ANSWER}", ""]
            assert {message["message_reference"]["message_id"] for message in sent} == {asked}
