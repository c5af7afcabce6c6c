"""Recordings of every kind, by ``june talk``: as well understood as their sound as WAV."""

import threading
from pathlib import Path

import pytest

from activities.audio.codec import decode
from activities.transcribe import samples_of
from tests.e2e.test_real_engines import TERSE, june
from tests.support import audio_samples as make
from tests.support.chat import Chat
from tests.support.recordings import KINDS, RATE, pcm_of
from tests.support.word_errors import wer
from workers.engines.whisper import WhisperRecognizer
from workers.local.stack import Embedded
from workers.settings import StorageSettings, WhisperSettings
from workflows.voice.contracts import ReplyMode

pytestmark = [pytest.mark.engines, pytest.mark.e2e]

JFK = Path(__file__).parents[1] / "data" / "jfk.flac"
SAID = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"
AT_ONCE = 5
"""Files of one ``june talk``."""


@pytest.fixture(scope="module")
def speech() -> bytes:
    return pcm_of(JFK)


@pytest.fixture(scope="module")
def recordings(speech: bytes) -> dict[str, bytes]:
    """Files by their names."""
    return {name: record(speech) for name, record in KINDS.items()}


@pytest.fixture(scope="module")
async def transcripts(
    real: Embedded,
    storage: StorageSettings,
    recordings: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """What ``june talk`` heard in each file."""
    folder, chat = tmp_path_factory.mktemp("recordings"), Chat(real, "recordings")
    await chat.open(TERSE.model_copy(update={"reply_mode": ReplyMode.OFF}))
    files = [folder / name for name in recordings]
    heard: dict[str, str] = {}
    for start in range(0, len(files), AT_ONCE):
        some = files[start : start + AT_ONCE]
        for file in some:
            file.write_bytes(recordings[file.name])
        arguments = ("talk", *map(str, some), "--chat", chat.name, "--json")
        said = await june({"JUNE_HOME": str(storage.home)}, *arguments)
        assert len(said.objects) == len(some), said.errors
        heard |= {file.name: str(turn["transcript"]) for file, turn in zip(some, said.objects, strict=True)}
    return heard


@pytest.fixture(scope="module")
def recognizer() -> WhisperRecognizer:
    return WhisperRecognizer(WhisperSettings(), StorageSettings())


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_understood_as_well_as_its_sound_as_wav(
    transcripts: dict[str, str], recordings: dict[str, bytes], recognizer: WhisperRecognizer, speech: bytes, kind: str
) -> None:
    sound = speech if kind == "miswired.wav" else pcm_of(recordings[kind])  # a telephone's band is narrow in any file
    samples = samples_of(decode(make.wav(sound, RATE), max_seconds=60))
    as_wav = recognizer.recognize(samples, None, threading.Event()).text
    assert wer(SAID, transcripts[kind]) <= wer(SAID, as_wav) <= 0.1
