"""Speech to text by faster-whisper as its users have it: its defaults, and nothing of june's own."""

import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from activities.transcribe import Recognition

SECOND = 16_000
"""Samples."""


class StockWhisper:
    """Satisfies ``SpeechRecognizer``, for comparison."""

    def __init__(self, path: Path) -> None:
        """Load a model's files with the library's defaults, and run it once: a first run is slower than the others."""
        self._model = WhisperModel(str(path))
        self._one = threading.Lock()
        tone = np.sin(np.arange(SECOND, dtype=np.float32) / 6)
        # Of what is no speech the library's defaults try six temperatures, to the longest text: half a minute.
        segments, _ = self._model.transcribe(tone, language="en", temperature=0.0, max_new_tokens=4)
        list(segments)

    def recognize(
        self,
        samples: NDArray[np.float32],
        language: str | None,
        stop: threading.Event,
        likely: Sequence[str] = (),  # noqa: ARG002 - the library knows no such thing
    ) -> Recognition:
        """Recognize what was said, in one language that is detected where it is None."""
        with self._one:
            segments, info = self._model.transcribe(samples, language=language)
            texts = []
            for segment in segments:
                if stop.is_set():
                    break
                texts.append(segment.text)
        return Recognition("".join(texts).strip(), info.language, info.language_probability)


def stock_version() -> str:
    """Return the library's name and version."""
    return f"faster-whisper {version('faster-whisper')}"
