"""The real engines, loaded once."""

import pytest

from workers.engines.piper import PiperSynthesizer
from workers.engines.whisper import WhisperRecognizer
from workers.settings import PiperSettings, StorageSettings, WhisperSettings


@pytest.fixture(scope="session")
def recognizer() -> WhisperRecognizer:
    """Whisper base, warm."""
    return WhisperRecognizer(WhisperSettings(), StorageSettings())


@pytest.fixture(scope="session")
def synthesizer() -> PiperSynthesizer:
    """The voice joe, warm."""
    return PiperSynthesizer(PiperSettings(), StorageSettings())
