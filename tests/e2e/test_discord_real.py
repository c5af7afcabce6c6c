"""The Discord bot with real engines: speech in, speech out, remembered over two turns and over a restart of all."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from activities.audio.codec import decode
from activities.text.sentences import split
from activities.transcribe import samples_of
from tests.support.chat import activities_of
from tests.support.discord_bot import BotProcess, bot_process
from tests.support.encryption import opened_history
from tests.support.platforms.discord import FakeDiscord, running
from tests.support.platforms.discord_world import Upload
from tests.support.waiting import until
from tests.support.word_errors import wer
from tests.workers.conftest import SMALL_MODEL, prepared_home
from workers.engines.whisper import WhisperRecognizer
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.settings import PROJECT, LlmSettings, StorageSettings, WhisperSettings
from workflows.voice.contracts import SettingsChange
from workflows.voice.conversation import Conversation

pytestmark = [pytest.mark.e2e, pytest.mark.engines]

DATA = PROJECT / "tests" / "data"
JFK, LIGHT = DATA / "jfk.flac", DATA / "living_room_light_en.wav"
JFK_SAID = (
    "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
)
TERSE = SettingsChange(system_prompt="You are a polite assistant. Answer in one short sentence.")


@asynccontextmanager
async def everything(home: Path, fake: FakeDiscord, owner: str) -> AsyncIterator[tuple[Embedded, BotProcess]]:
    """Start june with real engines, and the bot."""
    stack = Embedded(StorageSettings(home=home), own_ports(), LlmSettings(model=SMALL_MODEL), optional=())
    async with stack, bot_process(stack, fake, home / "bot.log", JUNE_DISCORD_OWNERS=owner) as bot:
        yield stack, bot


async def test_speech_in_speech_out_and_a_memory_that_outlives_everything(tmp_path: Path) -> None:
    storage = prepared_home(tmp_path / "home")
    async with running() as fake:
        owner = fake.world.person("Olga")
        private = fake.world.private(owner)
        async with everything(storage.home, fake, owner) as (stack, _):
            await fake.slash(private, owner, "language", "en")  # the conversation begins
            chat = stack.client.get_workflow_handle_for(Conversation.run, f"chat/discord/{private}")
            await chat.execute_update(Conversation.configure, TERSE)
            first = await ask(fake, private, owner, JFK)
            second = await ask(fake, private, owner, LIGHT)
            assert await prompt(stack, private, second) == 3
        async with everything(storage.home, fake, owner) as (stack, _):
            third = await ask(fake, private, owner, LIGHT)
            assert await prompt(stack, private, third) == 5
        assert wer(JFK_SAID, heard(first)) < 0.1
        assert "living room" in heard(second).lower()
        await asyncio.to_thread(says_what_is_written, fake, first)


async def ask(fake: FakeDiscord, channel: str, person: str, recording: Path) -> dict[str, Any]:
    """Send a voice message, and wait for both parts of the answer."""
    upload = Upload("voice-message.ogg", await asyncio.to_thread(recording.read_bytes), "audio/ogg")
    asked = await fake.say(channel, person, files=(upload,), voice_seconds=5)

    def answers() -> list[dict[str, Any]]:
        return [m for m in fake.sent(channel) if m.get("message_reference", {}).get("message_id") == asked]

    await until(lambda: len(answers()) == 2, 120)
    text, voice = answers()
    return {"asked": asked, "text": text["content"], "voice": voice}


def heard(turn: dict[str, Any]) -> str:
    """Read the transcript that june shows."""
    return str(turn["text"]).split("\n", 1)[0].removeprefix("> 🎤 ")


async def prompt(stack: Embedded, channel: str, turn: dict[str, Any]) -> int:
    """Count the messages in a turn's prompt, its instructions left out."""
    workflow = stack.client.get_workflow_handle(f"voice/discord/{channel}/{turn['asked']}")
    (infer,) = [ran for ran in activities_of(await opened_history(workflow)) if ran.name == "infer"]
    return infer.input.count(b'"role":"user"') + infer.input.count(b'"role":"assistant"')


def says_what_is_written(fake: FakeDiscord, turn: dict[str, Any]) -> None:
    """Listen to the voice message."""
    written = str(turn["text"]).split("\n", 1)[1]
    samples = samples_of(decode(fake.file(turn["voice"]), max_seconds=300))
    said = WhisperRecognizer(WhisperSettings(), StorageSettings()).recognize(samples, "en", threading.Event())
    assert wer(" ".join(split(written)), said.text) < 0.25
