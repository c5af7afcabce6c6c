"""``/code`` from a message to its files, on doubles of Telegram and Discord, with model and sandbox scripted."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest
from discord.http import Route
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.audio.codec import encode_ogg_opus, join_ogg_opus
from activities.audio.pcm import OPUS_RATE
from activities.blobs import BlobStore
from activities.coding.present import PresentActivity, Presented, PresentRequest
from activities.coding.running import WorkspaceLimits
from activities.coding.storage import CodingStorage
from activities.platforms.discord.platform import DiscordPlatform
from activities.platforms.discord.signed_links import SignedLinks
from activities.platforms.platform import Platform
from activities.platforms.telegram.platform import TelegramPlatform
from activities.reply import ReplyActivity
from activities.sandbox.archive import Archive, File
from activities.synthesize import Speech, SynthesizeRequest
from bots.access import Role
from bots.commands import Commands
from bots.intake import InboundMessage
from bots.texts.catalogue import say
from tests.bots.conftest import VOICES, said
from tests.support.audio_samples import tone
from tests.support.coding_world import CodingWorld, coding
from tests.support.platforms.discord import running as running_discord
from tests.support.platforms.discord_world import TOKEN as DISCORD_TOKEN
from tests.support.platforms.telegram import TOKEN, BotApi
from tests.support.world import POLLERS
from workers.roles.discord import point
from workers.roles.telegram import build_bot
from workers.settings import DiscordSettings, TelegramSettings
from workflows.names import coding_id, platform_queue

LIMITS = WorkspaceLimits(10_000_000, 100)
FILES = {"calc.py": b"def add(one, other): ...", "tests/test_calc.py": b"from calc import add"}
SPOKEN = encode_ogg_opus(tone(1, OPUS_RATE), OPUS_RATE, 32_000)


@asynccontextmanager
async def serving(client: Client, platform: Platform) -> AsyncIterator[CodingWorld]:
    """Serve a platform, and all that tasks need; each task leaves the files."""
    blobs = BlobStore.open("memory://")
    real = PresentActivity(CodingStorage(blobs), LIMITS)

    async def present(request: PresentRequest) -> Presented:
        archive = Archive(*LIMITS)
        for path, data in FILES.items():
            archive.add(path, File(data))
        ref = await CodingStorage(blobs).put_workspace(request.owner, archive.dump())
        left = {"workspace": ref, "paths": tuple(FILES), "changed": len(FILES)}
        return await real.present(request.model_copy(update=left))

    async def synthesize(request: SynthesizeRequest) -> Speech:
        ref = await blobs.put(
            *(request.platform, request.chat, SPOKEN),
            mime="audio/ogg",
            seconds=1.0,
            sample_rate=OPUS_RATE,
            ending="ogg",
        )
        return Speech(audio=ref, engine_ms=1)

    reply = ReplyActivity(platform, blobs, say, join_ogg_opus, 60, 1_000_000)
    activities: list[Callable[..., Any]] = [reply.reply, reply.send_file]
    world = CodingWorld(behaviours={"present": present, "synthesize": synthesize})
    async with (
        coding(client, world, platform="nobody"),
        Worker(client, task_queue=platform_queue(platform.platform), activities=activities, **POLLERS),
    ):
        yield world


async def give(client: Client, platform: str, chat: str, message: str) -> None:
    """Give a task, and wait for its end."""
    commands = Commands(client, VOICES, retention_hours=48)
    inbound = InboundMessage(platform=platform, chat=chat, message=message, user="7", language="de")
    outcome = await commands.run(inbound, Role.OWNER, "code", "Make calc.py add up.")
    assert outcome == said("code-begun", "de")
    await client.get_workflow_handle(coding_id(platform, chat, message)).result()


def check(text: str, note: bytes, files: dict[str, bytes], count: int) -> None:
    """Check that the chat got the text, the voice note and the files, each once, in this order."""
    assert text.replace("-# ", "").startswith("It adds up now.\n\nFertig nach "), "in small print on Discord"
    assert note.startswith(b"OggS")
    assert files == {path.rpartition("/")[2]: data for path, data in FILES.items()}
    assert count == len(FILES)


async def test_on_telegram(dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    async with BotApi() as api:
        platform = TelegramPlatform(build_bot(TelegramSettings.model_validate({"token": TOKEN, "base_url": api.url})))
        monkeypatch.setattr(platform._pacing, "delay", lambda _chat: 0.0)
        asked = api.write(5, "/code Make calc.py add up.")
        async with serving(dev_server.client, platform):
            await give(dev_server.client, "telegram", "5", str(asked))
        posts = api.by_bot(5)
        assert [post.answers for post in posts] == [asked] * len(posts)
        text, note, *files = posts
    check(text.text, note.media, {str(post.params["filename"]): post.media for post in files}, len(files))


async def test_on_discord(dev_server: WorkflowEnvironment) -> None:
    before = Route.BASE
    async with running_discord() as fake:
        point(DiscordSettings(api_base=f"{fake.base}/api/v10"))
        client = discord.Client(intents=discord.Intents.none())
        await client.login(DISCORD_TOKEN)
        person = fake.world.person("Mia")
        chat = fake.world.private(person)
        asked = fake.world.post(chat, person, {"content": "/code Make calc.py add up."}, [])
        platform = DiscordPlatform(client.http, SignedLinks(BlobStore.open("memory://")))
        async with serving(dev_server.client, platform):
            await give(dev_server.client, "discord", chat, asked["id"])
        text, note, *files = fake.sent(chat)
        sent = {str(file["attachments"][0]["filename"]): fake.file(file) for file in files}
        check(text["content"], fake.file(note), sent, len(files))
        await client.close()
    Route.BASE = before
