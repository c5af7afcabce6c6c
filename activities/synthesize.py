"""Synthesize the speech of one sentence."""

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from temporalio import activity

from activities.heartbeats import in_thread
from activities.references import BlobRef, Identifier, Value

if TYPE_CHECKING:
    from activities.blobs import BlobStore

MAX_CHARS = 500
"""Of one sentence; about half a minute of speech. The text of the reply holds the rest."""


class SynthesizeRequest(Value):
    """What to say, and for which chat it is stored."""

    platform: Identifier
    chat: Identifier
    text: str
    language: str
    """ISO 639-1 code; chooses the voice when none is named."""
    voice: str | None = None


class Speech(Value):
    """A spoken sentence."""

    audio: BlobRef
    """s16le PCM, mono, at the voice's own sample rate (22,050 Hz as a rule)."""
    engine_ms: int
    """Milliseconds in the engine alone."""


class Sound(NamedTuple):
    """What an engine said."""

    samples: NDArray[np.int16]
    """Mono; empty when the text holds nothing that can be said."""
    sample_rate: int
    """Hertz."""


class Synthesizer(Protocol):
    """An engine that turns text into speech; used by several threads at once."""

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:
        """Say ``text``.

        Raises:
            BadInputError: ``voice-unavailable``.

        """


class SynthesizeActivity:
    """The activity ``synthesize``."""

    def __init__(self, synthesizer: Synthesizer, blobs: "BlobStore") -> None:
        """Take a warm engine, and the store that speech goes to."""
        self._synthesizer = synthesizer
        self._blobs = blobs

    @activity.defn
    async def synthesize(self, request: SynthesizeRequest) -> Speech:
        """Say a sentence (its first 500 characters), and store the sound.

        Raises:
            BadInputError: ``voice-unavailable``.

        """
        text = request.text[:MAX_CHARS]
        started = time.perf_counter()
        # A sentence takes well under a second: on cancellation it is finished rather than interrupted.
        sound = await in_thread(lambda _stop: self._synthesizer.synthesize(text, request.language, request.voice))
        engine_ms = round(1000 * (time.perf_counter() - started))
        audio = await self._blobs.put(
            request.platform,
            request.chat,
            sound.samples.astype("<i2", copy=False).tobytes(),
            mime=f"audio/L16;rate={sound.sample_rate}",
            seconds=len(sound.samples) / sound.sample_rate,
            sample_rate=sound.sample_rate,
            ending="pcm",
        )
        return Speech(audio=audio, engine_ms=engine_ms)
