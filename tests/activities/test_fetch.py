"""The activity ``fetch``."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.audio.decoder import Decoder
from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.fetch import FetchActivity, FetchRequest
from activities.platforms.platform import Document, MessageText, VoiceNote
from activities.values import Address, AudioSource
from tests.support import audio_samples as make

MAX_BYTES = 1_000_000
JFK = (Path(__file__).resolve().parents[1] / "data" / "jfk.flac").read_bytes()


class Shelf:
    """A platform that serves bytes by name, and notes how many were asked for."""

    platform = "shelf"
    repeatable = True
    caption_limit = 0
    file_limit = 0

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[int] = []

    async def download(self, source: AudioSource, max_bytes: int) -> bytes:
        self.asked.append(max_bytes)
        return self.files[source.locator][: max_bytes + 1]

    async def send_text(self, to: Address, text: MessageText) -> str:
        raise NotImplementedError

    async def send_voice(self, to: Address, voice: VoiceNote) -> str | None:
        raise NotImplementedError

    async def send_file(self, to: Address, document: Document) -> str | None:
        raise NotImplementedError


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()


def fetching(decoder: Decoder, **files: bytes) -> tuple[FetchActivity, Shelf, BlobStore]:
    shelf, blobs = Shelf(files), BlobStore.open("memory://")
    return FetchActivity(shelf, blobs, MAX_BYTES, 60, decoder), shelf, blobs


def wanted(name: str, claimed: int | None = None) -> FetchRequest:
    return FetchRequest(platform="shelf", chat="1", source=AudioSource(locator=name, claimed_bytes=claimed))


async def test_audio_is_stored_as_pcm(decoder: Decoder) -> None:
    note = make.encoded("ogg", "libopus", 2)
    activity, _, blobs = fetching(decoder, note=note)
    audio = (await ActivityEnvironment().run(activity.fetch, wanted("note", len(note)))).audio
    assert (audio.mime, audio.sample_rate) == ("audio/L16;rate=16000", 16_000)
    assert audio.seconds == pytest.approx(2, abs=0.05)
    assert audio.key.startswith("shelf/1/")
    assert len(await blobs.get(audio)) == audio.bytes == round(audio.seconds * 32_000)


async def test_the_audio_of_a_topic_lies_apart(decoder: Decoder) -> None:
    activity, _, _ = fetching(decoder, note=make.wav(make.tone(1)))
    request = wanted("note").model_copy(update={"thread": "5"})
    assert (await ActivityEnvironment().run(activity.fetch, request)).audio.key.startswith("shelf/1/5/")


async def test_fetching_again_gives_the_same(decoder: Decoder) -> None:
    activity, _, _ = fetching(decoder, note=make.wav(make.tone(1)))
    first = await ActivityEnvironment().run(activity.fetch, wanted("note"))
    assert first == await ActivityEnvironment().run(activity.fetch, wanted("note"))


async def test_what_claims_to_be_too_large_is_not_downloaded(decoder: Decoder) -> None:
    activity, shelf, _ = fetching(decoder, note=b"x")
    with pytest.raises(BadInputError) as caught:
        await ActivityEnvironment().run(activity.fetch, wanted("note", MAX_BYTES + 1))
    assert caught.value.type == ErrorCode.AUDIO_TOO_LARGE
    assert caught.value.details == ({"limit_bytes": MAX_BYTES},)
    assert shelf.asked == []


@pytest.mark.parametrize("claimed", [None, 1, -5])
async def test_what_is_too_large_is_found_out(decoder: Decoder, claimed: int | None) -> None:
    activity, shelf, _ = fetching(decoder, note=make.wav(bytes(MAX_BYTES)))
    with pytest.raises(BadInputError) as caught:
        await ActivityEnvironment().run(activity.fetch, wanted("note", claimed))
    assert caught.value.type == ErrorCode.AUDIO_TOO_LARGE
    assert shelf.asked == [MAX_BYTES]


async def test_too_long(decoder: Decoder) -> None:
    activity, _, _ = fetching(decoder, note=make.opus_bomb(0.1))
    with pytest.raises(BadInputError) as caught:
        await ActivityEnvironment().run(activity.fetch, wanted("note"))
    assert caught.value.type == ErrorCode.AUDIO_TOO_LONG
    assert caught.value.details == ({"limit_seconds": 60},)


async def test_cancelling_ends_decoding(decoder: Decoder) -> None:
    activity = FetchActivity(
        Shelf({"note": make.opus_bomb(8.5)}), BlobStore.open("memory://"), MAX_BYTES, 30_000, decoder
    )
    environment = ActivityEnvironment()
    running = asyncio.ensure_future(environment.run(activity.fetch, wanted("note")))
    await asyncio.sleep(0.2)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 1)


async def test_the_recordings(decoder: Decoder) -> None:
    activity = FetchActivity(Shelf({"note": JFK}), BlobStore.open("memory://"), 20_000_000, 600, decoder)
    assert (await ActivityEnvironment().run(activity.fetch, wanted("note"))).audio.seconds == pytest.approx(
        11, abs=0.01
    )
