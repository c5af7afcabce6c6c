"""The activity ``synthesize``: from a sentence to stored speech."""

from functools import partial

import numpy as np
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.audio.codec import decode, encode_ogg_opus
from activities.audio.pcm import PAUSE_SECONDS, seconds_of
from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.synthesize import MAX_CHARS, Sound, SynthesizeActivity, SynthesizeRequest


class Speaker:
    """A synthesizer of English that says one sample a character."""

    def __init__(self) -> None:
        self.said = ""

    def synthesize(self, text: str, language: str, voice: str | None) -> Sound:  # noqa: ARG002
        if language != "en":
            raise BadInputError(ErrorCode.VOICE_UNAVAILABLE, "No voice speaks it.")
        self.said = text
        return Sound(np.arange(len(text), dtype=np.int16), 1000)


def request(text: str, language: str = "en") -> SynthesizeRequest:
    """Ask for a sentence."""
    return SynthesizeRequest(platform="file", chat="chat", text=text, language=language)


def speaking(speaker: Speaker, blobs: BlobStore | None = None) -> SynthesizeActivity:
    """Give the activity."""
    return SynthesizeActivity(speaker, blobs or BlobStore.open("memory://"), partial(encode_ogg_opus, bit_rate=32_000))


async def test_speech_is_stored_as_little_endian_pcm_to_be_played() -> None:
    blobs = BlobStore.open("memory://")
    pcm = (await ActivityEnvironment().run(speaking(Speaker(), blobs).synthesize, request("abc"))).pcm
    assert pcm
    assert await blobs.get(pcm) == b"\0\0\1\0\2\0"
    assert (pcm.mime, pcm.sample_rate, pcm.seconds) == ("audio/L16;rate=1000", 1000, 0.003)
    assert pcm.key.startswith("file/chat/")


async def test_the_speech_of_a_topic_lies_apart() -> None:
    in_topic = request("abc").model_copy(update={"thread": "5"})
    speech = await ActivityEnvironment().run(speaking(Speaker()).synthesize, in_topic)
    assert speech.pcm
    assert [ref.key.startswith("file/chat/5/") for ref in (speech.audio, speech.pcm)] == [True, True]


async def test_speech_is_stored_as_opus_with_a_pause_to_be_sent() -> None:
    blobs = BlobStore.open("memory://")
    audio = (await ActivityEnvironment().run(speaking(Speaker(), blobs).synthesize, request("a" * 500))).audio
    assert (audio.mime, audio.sample_rate, audio.seconds) == ("audio/ogg", 48_000, 0.5 + PAUSE_SECONDS)
    assert seconds_of(decode(await blobs.get(audio), 60)) == pytest.approx(audio.seconds, abs=0.03)


async def test_numbers_and_signs_are_said_in_words() -> None:
    speaker = Speaker()
    await ActivityEnvironment().run(speaking(speaker).synthesize, request("It costs $49.95."))
    assert speaker.said == "It costs forty nine dollars and ninety five cents."


async def test_text_is_capped() -> None:
    speaker = Speaker()
    activity = speaking(speaker)
    await ActivityEnvironment().run(activity.synthesize, request("x" * 100_000))
    assert len(speaker.said) == MAX_CHARS


async def test_a_text_without_a_sound_is_a_pause() -> None:
    speech = await ActivityEnvironment().run(speaking(Speaker()).synthesize, request(""))
    assert speech.pcm
    assert (speech.pcm.bytes, speech.audio.seconds) == (0, PAUSE_SECONDS)


async def test_a_language_without_a_voice_fails_for_good() -> None:
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(speaking(Speaker()).synthesize, request("Guten Tag.", "de"))
    assert (failed.value.type, failed.value.non_retryable) == ("voice-unavailable", True)
