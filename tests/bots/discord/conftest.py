"""A server of Discord's, as the library's own objects that june's client has of it."""

from typing import Any
from unittest.mock import AsyncMock

import discord
import pytest

from bots.discord.client import DiscordBot
from bots.discord.messages import Locales, inbound_of
from bots.intake import InboundMessage
from tests.support.platforms.discord_gateway import Gateway
from tests.support.platforms.discord_world import BOT, DM, VOICE_FLAG, Upload, World

VOICE = Upload("voice-message.ogg", b"OggS", "audio/ogg")
SHAPE = {"flags": VOICE_FLAG, "attachments": [{"id": "0", "duration_secs": 2.5, "waveform": "AAAA"}]}
MENTION = f"<@{BOT}>"


class Room:
    """A world, and the library's own objects of it."""

    def __init__(self) -> None:
        self.bot = DiscordBot(message_content=True, keep=AsyncMock())
        self.world = World(content_allowed=True)
        self.guild = self.world.guild(locale="fr")
        self.channel = self.world.channel(self.guild)
        self.thread = self.world.channel(self.guild, "aside", parent=self.channel)
        self.person = self.world.person("Mia")
        self.private = self.world.private(self.person)
        state = self.bot._connection
        state.user = discord.ClientUser(state=state, data=self.world.users[BOT])  # type: ignore[arg-type]
        state._add_guild_from_data(Gateway(self.world).guild(self.guild))  # type: ignore[arg-type]
        self.state = state

    def post(self, channel: str, content: str = "", author: str = "", *files: Upload, **body: Any) -> str:  # noqa: ANN401
        return str(self.world.post(channel, author or self.person, {"content": content, **body}, list(files))["id"])

    def message(self, channel: str, message: str, *, shown: bool = True, **changed: Any) -> discord.Message:  # noqa: ANN401
        """Return a message as the library reads it."""
        found = self.world.message(channel, message)
        assert found
        data: Any = self.world.shown(found, "http://cdn", content=shown) | changed
        if self.world.channels[channel]["type"] != DM:
            data |= {"guild_id": self.guild}
        where, _ = self.state._get_guild_channel(data)
        return discord.Message(state=self.state, channel=where, data=data)  # type: ignore[arg-type]

    def read(self, channel: str, message: str, *, shown: bool = True, **changed: Any) -> InboundMessage | None:  # noqa: ANN401
        read = self.message(channel, message, shown=shown, **changed)
        return inbound_of(read, int(BOT), Locales().of(read))

    def heard(self, channel: str, *args: Any, **more: Any) -> InboundMessage:  # noqa: ANN401
        inbound = self.read(channel, self.post(channel, *args, **more))
        assert inbound
        return inbound


@pytest.fixture
async def room() -> Room:
    return Room()
