"""The activity ``synthesize``: from a sentence to stored PCM."""

import numpy as np
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.blobs import BlobStore
from activities.errors import BadInputError, ErrorCode
from activities.synthesize import MAX_CHARS, Sound, SynthesizeActivity, SynthesizeRequest


class Speaker:
    """A synthesizer of English that says one sample a character."""

    def __init__(self) -> None:
        self.said = ""

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:  # noqa: ARG002
        """Speak."""
        if language != "en":
            raise BadInputError(ErrorCode.VOICE_UNAVAILABLE, "No voice speaks it.")
        self.said = text
        return Sound(np.arange(len(text), dtype=np.int16), 1000)


def request(text: str, language: str = "en") -> SynthesizeRequest:
    """Ask for a sentence."""
    return SynthesizeRequest(platform="file", chat="chat", text=text, language=language)


async def test_speech_is_stored_as_little_endian_pcm() -> None:
    blobs = BlobStore.open("memory://")
    speech = await ActivityEnvironment().run(SynthesizeActivity(Speaker(), blobs).synthesize, request("abc"))
    assert await blobs.get(speech.audio) == b"\0\0\1\0\2\0"
    assert (speech.audio.mime, speech.audio.sample_rate, speech.audio.seconds) == ("audio/L16;rate=1000", 1000, 0.003)
    assert speech.audio.key.startswith("file/chat/")


async def test_text_is_capped() -> None:
    speaker = Speaker()
    activity = SynthesizeActivity(speaker, BlobStore.open("memory://"))
    await ActivityEnvironment().run(activity.synthesize, request("x" * 100_000))
    assert len(speaker.said) == MAX_CHARS


async def test_a_text_without_a_sound_is_a_reference_to_nothing() -> None:
    activity = SynthesizeActivity(Speaker(), BlobStore.open("memory://"))
    speech = await ActivityEnvironment().run(activity.synthesize, request(""))
    assert speech.audio.bytes == 0


async def test_a_language_without_a_voice_fails_for_good() -> None:
    activity = SynthesizeActivity(Speaker(), BlobStore.open("memory://"))
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(activity.synthesize, request("Guten Tag.", "de"))
    assert (failed.value.type, failed.value.non_retryable) == ("voice-unavailable", True)
