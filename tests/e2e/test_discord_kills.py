"""The Discord bot's process is killed at 30 random moments while 30 messages come in: each is answered once."""

import asyncio
import random
import signal
from pathlib import Path

import pytest

from tests.support.discord_bot import bot_process
from tests.support.platforms.discord import MENTION, FakeDiscord, running
from tests.support.waiting import until
from workers.local.stack import Embedded

pytestmark = pytest.mark.e2e

KILLS = MESSAGES = 30
ANSWER = "This is an answer."
SEED = 20_261_124


async def test_each_message_is_answered_once(idle: Embedded, tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - it hides nothing
    async with running() as fake:
        owner, guild = fake.world.person("Olga"), fake.world.guild()
        channels = [fake.world.private(owner), fake.world.channel(guild)]
        # A channel becomes known by a conversation; one that is new while june is down is found by its person alone.
        allowed = {"JUNE_DISCORD_OWNERS": owner, "JUNE_DISCORD_GROUPS": guild, "JUNE_DISCORD_OPEN_GROUPS": channels[1]}
        async with bot_process(idle, fake, tmp_path / "bot.log", **allowed) as bot:
            talking = asyncio.create_task(talk(fake, owner, channels, chance))
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.2, 4.5))  # from amid its start to well after
                await bot.end(signal.SIGKILL)
                await bot.launch()
            asked = await talking
            await until(lambda: all(answered(fake, *message) for message in asked), 120)
            await asyncio.sleep(2)  # for whatever might come a second time
        counts = [answered(fake, *message) for message in asked]
        assert counts == [1] * MESSAGES
        order = [m["message_reference"]["message_id"] for c in channels for m in fake.sent(c) if m["content"] == ANSWER]
        assert order == [message for c in channels for channel, message in asked if channel == c], "answered in order"


async def talk(fake: FakeDiscord, owner: str, channels: list[str], chance: random.Random) -> list[tuple[str, str]]:
    """Say something now and then, here and there."""
    asked = []
    for number in range(MESSAGES):
        channel = chance.choice(channels)
        asked.append((channel, await fake.say(channel, owner, f"{MENTION} question {number}")))
        await asyncio.sleep(chance.uniform(0.1, 4))
    return asked


def answered(fake: FakeDiscord, channel: str, message: str) -> int:
    """Count the answers to a message."""
    return sum(
        reply["content"] == ANSWER and reply["message_reference"]["message_id"] == message
        for reply in fake.sent(channel)
        if "message_reference" in reply
    )
