"""faster-whisper at its defaults, on real speech."""

import re
import threading
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio
from numpy.typing import NDArray

from tests.support.word_errors import wer
from workers.engines.stock_whisper import StockWhisper, stock_version
from workers.models.catalogue import find
from workers.settings import StorageSettings

pytestmark = pytest.mark.engines

AUDIO = Path(__file__).parents[2] / "data"
GO_ON = threading.Event()


@pytest.fixture(scope="module")
def stock() -> StockWhisper:
    """Whisper base, warm."""
    return StockWhisper(find("whisper-base", StorageSettings().models))


def sound(name: str) -> NDArray[np.float32]:
    """Decode a recording to 16 kHz mono."""
    return np.asarray(decode_audio(str(AUDIO / name)), np.float32)


@pytest.mark.parametrize(
    ("name", "language", "text"),
    [
        ("living_room_light_en.wav", "en", "Turn on the living room light."),
        ("living_room_light_de.wav", "de", "Schalte das Wohnzimmerlicht ein."),
    ],
)
def test_the_language_is_detected_or_taken(stock: StockWhisper, name: str, language: str, text: str) -> None:
    heard = stock.recognize(sound(name), None, GO_ON)
    assert heard.language == language
    assert 0.5 < heard.language_probability < 1
    assert wer(text, heard.text) < 0.25
    assert heard.text == heard.text.strip()
    told = stock.recognize(sound(name), language, GO_ON)
    assert (told.language, told.language_probability) == (language, 1)


def test_a_recognition_that_was_stopped_ends_soon(stock: StockWhisper) -> None:
    stopped = threading.Event()
    stopped.set()
    assert stock.recognize(sound("jfk.flac"), None, stopped).text == ""


def test_the_version_is_that_which_is_installed() -> None:
    assert re.fullmatch(r"faster-whisper \d+\.\d+\.\d+", stock_version())
