"""Transcribe an utterance."""

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from temporalio import activity

from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.heartbeats import in_thread
from activities.values import BlobRef, Value

MAX_TRANSCRIPT_CHARS = 60_000
"""An hour of speech; more is cut, as Temporal takes no message of any size."""


class TranscribeRequest(Value):
    """What to transcribe."""

    audio: BlobRef
    """s16le PCM, mono, 16,000 Hz."""
    language: str | None = None
    """ISO 639-1 code; None detects it."""
    likely_languages: tuple[str, ...] = ()
    """ISO 639-1 codes to be expected (the chat's, the client's), for what is too short to be sure of."""


class Transcript(Value):
    """What was said."""

    text: str
    language: str
    """ISO 639-1 code, detected or as asked for; of several, the one that was spoken longest."""
    language_probability: float
    """0 to 1; 1 when the language was given."""
    languages: tuple[str, ...] = ()
    """All that were spoken, in order of their first words."""
    seconds: float
    """Duration of the utterance."""
    engine_ms: int
    """Milliseconds in the engine alone."""


class Recognition(NamedTuple):
    """What an engine heard."""

    text: str
    """Empty when nothing was said."""
    language: str
    """ISO 639-1 code; of several, the one that was spoken longest."""
    language_probability: float
    """0 to 1; 1 when the language was given."""
    languages: tuple[str, ...] = ()
    """All that were spoken, in order of their first words."""


class SpeechRecognizer(Protocol):
    """An engine that turns speech into text; used by several threads at once."""

    def recognize(
        self, samples: NDArray[np.float32], language: str | None, stop: threading.Event, likely: Sequence[str] = ()
    ) -> Recognition:
        """Recognize ``samples`` (16,000 Hz, mono, -1 to 1); give up soon after ``stop`` is set.

        ``likely``: languages to be expected (ISO 639-1), for what is too short to be sure of.
        """


class TranscribeActivity:
    """The activity ``transcribe``."""

    def __init__(self, recognizer: SpeechRecognizer, blobs: BlobStore) -> None:
        """Transcribe with a loaded engine what lies in this store."""
        self._recognizer = recognizer
        self._blobs = blobs

    @activity.defn
    async def transcribe(self, request: TranscribeRequest) -> Transcript:
        """Turn stored speech into text.

        Raises:
            BadInputError: ``no-speech``, or what the blob store says of the reference.

        """
        samples = samples_of(await self._blobs.get(request.audio))
        started = time.perf_counter()
        heard = await in_thread(
            lambda stop: self._recognizer.recognize(samples, request.language, stop, request.likely_languages)
        )
        if not heard.text:
            raise BadInputError(ErrorCode.NO_SPEECH, "Nothing was said in this audio.")
        return Transcript(
            text=heard.text[:MAX_TRANSCRIPT_CHARS],
            language=heard.language,
            language_probability=heard.language_probability,
            languages=heard.languages,
            seconds=request.audio.seconds,
            engine_ms=round(1000 * (time.perf_counter() - started)),
        )


def samples_of(pcm: bytes) -> NDArray[np.float32]:
    """Scale s16le PCM to samples from -1 to 1, as engines take them."""
    return np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2).astype(np.float32) / np.float32(32768)
