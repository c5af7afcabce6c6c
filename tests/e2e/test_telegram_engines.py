"""Telegram with real engines: heard, answered by voice, and remembered, by a june that was started anew as well."""

import io
import threading

import av
import pytest
from temporalio.client import Client

from activities.audio.codec import decode
from activities.text.sentences import split
from activities.transcribe import samples_of
from tests.support.chat import activities_of, eventually
from tests.support.encryption import opened_history
from tests.support.platforms.telegram import BotApi, Post
from tests.support.telegram_bot import OWNER, BotProcess
from tests.support.word_errors import wer
from tests.workers.conftest import SMALL_MODEL
from workers.engines.whisper import WhisperRecognizer
from workers.local.stack import Embedded
from workers.settings import PROJECT, EmbeddedSettings, LlmSettings, StorageSettings, WhisperSettings
from workflows.names import CONVERSATION, WORKFLOW_QUEUE, conversation_id, voice_message_id
from workflows.voice.contracts import ChatSettings, ConversationState, VoiceMessageResult
from workflows.voice.voice_message import VoiceMessage

pytestmark = [pytest.mark.e2e, pytest.mark.engines]

DATA = PROJECT / "tests" / "data"
LIGHT, JFK = DATA / "living_room_light_en.wav", DATA / "jfk.flac"
JFK_SAID = (
    "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
)
TERSE = ChatSettings(system_prompt="You are a polite assistant. Answer in one short sentence.", temperature=0)
CHAT = str(OWNER)


def as_voice(path: str) -> bytes:
    """Make a recording into what Telegram's apps send: Ogg/Opus, 48 kHz, mono."""
    out = io.BytesIO()
    with av.open(path) as source, av.open(out, "w", format="ogg") as target:
        stream = target.add_stream("libopus", rate=48_000, layout="mono")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000, frame_size=960)
        for frame in source.decode(audio=0):
            for piece in resampler.resample(frame):
                target.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            target.mux(stream.encode(piece))
        target.mux(stream.encode(None))
    return out.getvalue()


async def result(client: Client, message: int) -> VoiceMessageResult:
    turn = client.get_workflow_handle_for(VoiceMessage.run, voice_message_id("telegram", CHAT, str(message)))
    return await eventually(turn.result)


async def prompt(client: Client, message: int) -> str:
    """Read what the model was asked for a message."""
    turn = client.get_workflow_handle(voice_message_id("telegram", CHAT, str(message)))
    (infer,) = [ran for ran in activities_of(await opened_history(turn)) if ran.name == "infer"]
    return infer.input.decode()


def reply(api: BotApi, message: int) -> tuple[Post, Post]:
    text, voice = (post for post in api.by_bot(OWNER) if post.answers == message)
    return text, voice


async def test_a_spoken_conversation(storage: StorageSettings, ports: EmbeddedSettings) -> None:
    llm = LlmSettings(model=SMALL_MODEL)
    async with BotApi() as api:
        async with Embedded(storage, ports, llm, optional=()) as stack:
            state = ConversationState(platform="telegram", chat=CHAT, settings=TERSE)
            await stack.client.start_workflow(
                CONVERSATION, state, id=conversation_id("telegram", CHAT), task_queue=WORKFLOW_QUEUE
            )
            bot = BotProcess(api, stack)
            await bot.start()
            first = api.speak(OWNER, as_voice(str(LIGHT)))
            light = await result(stack.client, first)
            second = api.speak(OWNER, as_voice(str(JFK)))
            jfk = await result(stack.client, second)
            remembered = await prompt(stack.client, second)
            await bot.stop()
        assert (light.error, jfk.error) == (None, None)
        assert "living room" in light.transcript.lower()
        assert wer(JFK_SAID, jfk.transcript) < 0.1
        assert light.transcript in remembered

        recognizer = WhisperRecognizer(WhisperSettings(), storage)
        for message, turn in ((first, light), (second, jfk)):
            text, voice = reply(api, message)
            assert text.text == f"🎤 {turn.transcript}\n\n{turn.answer}"
            heard = recognizer.recognize(samples_of(decode(voice.media, max_seconds=300)), "en", threading.Event())
            assert wer(" ".join(split(turn.answer)), heard.text) < 0.25

        async with Embedded(storage, ports, llm, optional=()) as stack:
            bot = BotProcess(api, stack)
            await bot.start()
            third = api.write(OWNER, "What did I say before?")
            assert (await result(stack.client, third)).error is None
            remembered = await prompt(stack.client, third)
            await bot.stop()
        assert light.transcript in remembered
        assert jfk.transcript in remembered
