"""The activity ``transcribe``: from stored PCM to text."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.blobs import BlobStore
from activities.transcribe import MAX_TRANSCRIPT_CHARS, Recognition, TranscribeActivity, TranscribeRequest
from activities.values import BlobRef


class Listener:
    """A recognizer that keeps what it was given."""

    def __init__(self, text: str = "hello") -> None:
        self.text = text
        self.heard: tuple[NDArray[np.float32], str | None] | None = None
        self.likely: Sequence[str] = ()

    def recognize(
        self, samples: NDArray[np.float32], language: str | None, stop: threading.Event, likely: Sequence[str] = ()
    ) -> Recognition:
        assert not stop.is_set()
        self.heard = samples, language
        self.likely = likely
        return Recognition(self.text, language or "en", 0.9, ("en", "de"))


async def stored(blobs: BlobStore, pcm: bytes) -> BlobRef:
    """Store PCM as ``fetch`` does."""
    return await blobs.put(
        "file", "chat", pcm, mime="audio/L16;rate=16000", seconds=len(pcm) / 32000, sample_rate=16000, ending="pcm"
    )


async def test_samples_are_scaled_and_the_language_passed_on() -> None:
    blobs, listener = BlobStore.open("memory://"), Listener()
    pcm = np.array([0, 16384, -32768, 32767], "<i2").tobytes()
    request = TranscribeRequest(audio=await stored(blobs, pcm), language="de")
    transcript = await ActivityEnvironment().run(TranscribeActivity(listener, blobs).transcribe, request)
    assert listener.heard is not None
    samples, language = listener.heard
    assert samples.dtype == np.float32
    assert samples.tolist() == pytest.approx([0, 0.5, -1, 1], abs=1e-4)
    assert (transcript.text, transcript.language, language) == ("hello", "de", "de")
    assert transcript.engine_ms >= 0


async def test_likely_languages_go_in_and_all_that_were_spoken_come_out() -> None:
    blobs, listener = BlobStore.open("memory://"), Listener()
    request = TranscribeRequest(audio=await stored(blobs, bytes(100)), likely_languages=("de", "en"))
    transcript = await ActivityEnvironment().run(TranscribeActivity(listener, blobs).transcribe, request)
    assert listener.likely == ("de", "en")
    assert transcript.languages == ("en", "de")


async def test_half_a_sample_at_the_end_is_dropped() -> None:
    blobs, listener = BlobStore.open("memory://"), Listener()
    request = TranscribeRequest(audio=await stored(blobs, b"\0\0\0"))
    await ActivityEnvironment().run(TranscribeActivity(listener, blobs).transcribe, request)
    assert listener.heard is not None
    assert len(listener.heard[0]) == 1


async def test_silence_is_no_speech() -> None:
    blobs = BlobStore.open("memory://")
    request = TranscribeRequest(audio=await stored(blobs, bytes(32000)))
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(TranscribeActivity(Listener(""), blobs).transcribe, request)
    assert failed.value.type == "no-speech"
    assert failed.value.non_retryable


async def test_audio_that_is_gone_is_said() -> None:
    blobs = BlobStore.open("memory://")
    reference = await stored(BlobStore.open("memory://"), bytes(100))
    request = TranscribeRequest(audio=reference)
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(TranscribeActivity(Listener(), blobs).transcribe, request)
    assert failed.value.type == "audio-missing"


async def test_a_transcript_of_any_length_is_cut_to_what_temporal_takes() -> None:
    blobs = BlobStore.open("memory://")
    request = TranscribeRequest(audio=await stored(blobs, bytes(100)))
    spoken = TranscribeActivity(Listener("word " * MAX_TRANSCRIPT_CHARS), blobs).transcribe
    transcript = await ActivityEnvironment().run(spoken, request)
    assert len(transcript.text) == MAX_TRANSCRIPT_CHARS
