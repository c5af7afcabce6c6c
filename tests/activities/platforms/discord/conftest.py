"""The Discord platform with the real library, against the fake server."""

from collections.abc import AsyncIterator

import discord
import pytest
from discord.http import HTTPClient, Route

from activities.audio.codec import encode_ogg_opus
from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.discord.platform import DiscordPlatform
from activities.platforms.discord.signed_links import SignedLinks
from activities.platforms.platform import VoiceNote
from activities.values import Address, AudioSource
from tests.support.audio_samples import silence, tone
from tests.support.platforms.discord import FakeDiscord, running
from tests.support.platforms.discord_world import JSON, TOKEN, Upload
from workers.roles.discord import point
from workers.settings import DiscordSettings

NOTE = VoiceNote(encode_ogg_opus(tone(1, 22_050) + silence(1, 22_050), 22_050, 32_000), 2.0)


class Scene:
    """A platform, and a private channel in which somebody said something."""

    def __init__(self, fake: FakeDiscord, http: HTTPClient) -> None:
        self.fake, self.world, self.blobs = fake, fake.world, BlobStore.open("memory://")
        self.links = SignedLinks(self.blobs)
        self.platform = DiscordPlatform(http, self.links)
        self.person = self.world.person("Mia")
        self.chat = self.world.private(self.person)
        self.voice = Upload("voice-message.ogg", b"OggS" + bytes(96), "audio/ogg")
        self.asked = self.world.post(self.chat, self.person, {}, [self.voice])
        self.to = Address(platform="discord", chat=self.chat, message=self.asked["id"])
        self.source = self.locate(self.asked)

    def locate(self, message: JSON) -> AudioSource:
        (file,) = message["attachments"]
        return AudioSource(locator=f"{message['channel_id']}/{message['id']}/{file['id']}")

    async def failed(self, source: AudioSource) -> ErrorCode:
        """Return the code with which a download fails."""
        with pytest.raises(BadInputError) as failed:
            await self.platform.download(source, 1000)
        return ErrorCode(str(failed.value.type))

    def posts(self) -> int:
        return self.fake.requests.count(("POST", f"/channels/{self.chat}/messages"))


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[tuple[FakeDiscord, HTTPClient]]:
    before = Route.BASE
    async with running() as fake:
        point(DiscordSettings(api_base=f"{fake.base}/api/v10"))
        client = discord.Client(intents=discord.Intents.none(), max_ratelimit_timeout=30)
        await client.login(TOKEN)
        yield fake, client.http
        await client.close()
    Route.BASE = before


@pytest.fixture
def scene(server: tuple[FakeDiscord, HTTPClient]) -> Scene:
    server[0].faults.clear()
    return Scene(*server)
