"""Synthesize the speech of one sentence."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from temporalio import activity

from activities.audio.pcm import OPUS_RATE, paused, seconds_of
from activities.blobs import BlobStore
from activities.heartbeats import in_thread
from activities.text.spoken import spoken
from activities.values import BlobRef, Identifier, Value

MAX_CHARS = 500
"""Of one sentence; about half a minute of speech. The text of the reply holds the rest."""


class SynthesizeRequest(Value):
    """What to say, and for which conversation it is stored."""

    platform: Identifier
    chat: Identifier
    thread: Identifier | None = None
    text: str
    language: str
    """ISO 639-1 code; chooses the voice when none is named."""
    voice: str | None = None


class Speech(Value):
    """A spoken sentence."""

    audio: BlobRef
    """Ogg/Opus, 48 kHz, mono, with the silence that follows a sentence: what voice notes are joined from."""
    pcm: BlobRef | None = None
    """The same as the engine gave it, for players at once: s16le, mono, at the voice's own sample rate."""
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
        """Return the speech of ``text``.

        Raises:
            BadInputError: ``voice-unavailable``.

        """


Encode = Callable[[bytes, int], bytes]
"""Encode PCM (s16le, mono) of so many Hz as a voice note: Opus in Ogg, 48,000 Hz, mono. Blocks."""


class SynthesizeActivity:
    """The activity ``synthesize``."""

    def __init__(self, synthesizer: Synthesizer, blobs: BlobStore, encode: Encode) -> None:
        """Speak by a warm engine, into this store, encoded by ``encode``."""
        self._synthesizer = synthesizer
        self._blobs = blobs
        self._encode = encode

    @activity.defn
    async def synthesize(self, request: SynthesizeRequest) -> Speech:
        """Synthesize a written sentence (its first 500 characters), and store the sound to be sent and to be played.

        What is said are its words (``activities.text.spoken``). The sound is encoded here, while the model still
        writes, so that a reply of any length is only joined at the end.

        Raises:
            BadInputError: ``voice-unavailable``.

        """
        # A sentence takes well under a second: on cancellation it is finished rather than interrupted.
        sound, engine_ms = await in_thread(lambda _stop: self._say(request))
        pcm, rate = sound.samples.astype("<i2", copy=False).tobytes(), sound.sample_rate
        spoken = paused(pcm, rate)
        opus = await asyncio.to_thread(self._encode, spoken, rate)
        store = partial(self._blobs.put, request.platform, request.chat, thread=request.thread)
        audio, played = await asyncio.gather(
            store(opus, mime="audio/ogg", seconds=seconds_of(spoken, rate), sample_rate=OPUS_RATE, ending="ogg"),
            store(pcm, mime=f"audio/L16;rate={rate}", seconds=seconds_of(pcm, rate), sample_rate=rate, ending="pcm"),
        )
        return Speech(audio=audio, pcm=played, engine_ms=engine_ms)

    def _say(self, request: SynthesizeRequest) -> tuple[Sound, int]:
        """Have the engine say the words of what is written; return them with its milliseconds."""
        words = spoken(request.text[:MAX_CHARS], request.language)
        started = time.perf_counter()
        sound = self._synthesizer.synthesize(words, request.language, request.voice)
        return sound, round(1000 * (time.perf_counter() - started))
