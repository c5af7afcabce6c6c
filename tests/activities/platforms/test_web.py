"""Platform ``web``: recordings from the store and from nowhere else; texts sent are kept for a while."""

import pytest
from temporalio.exceptions import ApplicationError

from activities.blobs import BlobStore
from activities.platforms.platform import Document, MessageText, Platform, VoiceNote
from activities.platforms.web import RECENT_TEXTS, WebPlatform
from activities.values import Address, AudioSource


@pytest.fixture
def blobs() -> BlobStore:
    """A store in memory."""
    return BlobStore.open("memory://")


def address(message: str) -> Address:
    return Address(platform="web", chat="chat", message=message)


async def test_recordings_come_from_the_store(blobs: BlobStore) -> None:
    platform: Platform = WebPlatform(blobs)
    stored = await blobs.put("web", "chat", b"sound", mime="", seconds=0, sample_rate=0, ending="upload")
    assert await platform.download(AudioSource(locator=f"blob:{stored.key}"), 5) == b"sound"
    with pytest.raises(ApplicationError) as error:
        await platform.download(AudioSource(locator=f"blob:{stored.key}"), 4)
    assert error.value.type == "audio-too-large"


@pytest.mark.parametrize("locator", ["/etc/passwd", "blob:../../etc/passwd", "https://example.org/x.ogg"])
async def test_nothing_else_is_read(blobs: BlobStore, locator: str) -> None:
    with pytest.raises(ApplicationError) as error:
        await WebPlatform(blobs).download(AudioSource(locator=locator), 100)
    assert error.value.type == "audio-forbidden"


async def test_the_last_text_of_a_message_is_kept_for_a_while(blobs: BlobStore) -> None:
    platform = WebPlatform(blobs)
    for number in range(RECENT_TEXTS + 1):
        await platform.send_text(address(str(number)), MessageText("first"))
    assert await platform.send_text(address("5"), MessageText("second")) == "5"
    assert await platform.send_voice(address("5"), VoiceNote(b"", 1)) == "5"
    assert await platform.send_file(address("5"), Document("sums.py", b"1")) == "5"
    kept = [platform.recent_text(chat, message) for chat, message in (("chat", "0"), ("chat", "5"), ("other", "5"))]
    assert kept == [None, "second", None]
