"""A question in each of four languages is answered by voice, with the voices that come with june."""

import threading
from collections.abc import AsyncIterator

import pytest

from activities.audio.codec import decode
from activities.audio.pcm import SAMPLE_BYTES, SAMPLE_RATE
from activities.transcribe import samples_of
from bots.intake import accept
from tests.support.chat import PLATFORM, Chat
from tests.support.model_server import model_server, said
from tests.support.word_errors import wer
from tests.workers.conftest import prepared_home
from workers.engines.whisper import WhisperRecognizer
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.settings import LlmSettings, StorageSettings, WhisperSettings
from workflows.voice.contracts import ChatSettings, ReplyMode, VoiceMessageRequest, VoiceMessageResult

pytestmark = [pytest.mark.e2e, pytest.mark.engines]

ANSWERS = {
    "de": ("Was ist die Hauptstadt von Deutschland?", "Berlin ist die Hauptstadt von Deutschland."),
    "es": ("¿Cuál es la capital de España?", "La capital de España es Madrid, una ciudad muy bonita."),
    "fr": ("Quelle est la capitale de la France ?", "La capitale de la France est Paris, une très belle ville."),
    "ja": ("フランスの首都はどこですか。", "フランスの首都はパリです。"),
}
"""Question and answer by language. The model is scripted, so that what is spoken is known."""
UNDERSTOOD = {"de": 0.5, "es": 0.5}
"""Word error rate of what Whisper base hears; espeak-ng's French and Japanese it does not understand."""
TIMES = 3
"""No voice says the same twice alike, and Whisper base understands espeak-ng's German most of the time."""
Reply = tuple[VoiceMessageResult, str, bytes]
"""Turn, text, and sound."""


@pytest.fixture(scope="module")
async def replies(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, list[Reply]]]:
    """Replies in chats of each language, to the same question."""
    storage = prepared_home(tmp_path_factory.mktemp("june") / "home")
    async with model_server() as server:
        llm = LlmSettings(base_url=server.url, model="double")
        async with Embedded(storage, own_ports(), llm, optional=()) as stack:
            replies: dict[str, list[Reply]] = {language: [] for language in ANSWERS}
            for language, (question, answer) in ANSWERS.items():
                server.plays(said(answer))
                for _ in range(TIMES):
                    chat = Chat(stack)
                    await chat.open(ChatSettings(reply_mode=ReplyMode.ALWAYS))
                    message = VoiceMessageRequest(platform=PLATFORM, chat=chat.name, message="1", text=question)
                    await accept(stack.client, message)
                    result = await chat.result("1")
                    replies[language].append((result, chat.text("1"), chat.reply("1").read_bytes()))
            yield replies


@pytest.mark.parametrize("language", ANSWERS)
def test_it_is_answered_by_voice_in_its_language(replies: dict[str, list[Reply]], language: str) -> None:
    for result, text, sound in replies[language]:
        assert (result.status, result.error) == ("answered", None)
        assert (result.language, result.answer_language) == (language, language)
        assert text == ANSWERS[language][1]  # and no word about its being in writing only
        seconds = len(decode(sound, max_seconds=60)) / SAMPLE_BYTES / SAMPLE_RATE
        assert 0.04 < seconds / len(text) < 0.3


@pytest.fixture(scope="module")
def recognizer() -> WhisperRecognizer:
    return WhisperRecognizer(WhisperSettings(), StorageSettings())


@pytest.mark.parametrize("language", ANSWERS)
def test_whisper_tells_its_language(
    recognizer: WhisperRecognizer, replies: dict[str, list[Reply]], language: str
) -> None:
    samples = [samples_of(decode(sound, max_seconds=60)) for _, _, sound in replies[language]]
    assert language in {recognizer.recognize(each, None, threading.Event()).language for each in samples}


@pytest.mark.parametrize("language", UNDERSTOOD)
def test_it_is_understood(recognizer: WhisperRecognizer, replies: dict[str, list[Reply]], language: str) -> None:
    heard = []
    for _, text, sound in replies[language]:
        heard.append(recognizer.recognize(samples_of(decode(sound, max_seconds=60)), None, threading.Event()))
        if heard[-1].language == language and wer(text, heard[-1].text) <= UNDERSTOOD[language]:
            return
    pytest.fail(str(heard))
