"""Platform ``file``."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms import file
from activities.platforms.file import FilePlatform, Outbox
from activities.platforms.platform import Document, MessageText, Platform, VoiceNote
from activities.values import Address, AudioSource

NOTE = VoiceNote(b"OggS...", 1.0)


class Place:
    """A permitted folder, a forbidden one, an outbox."""

    def __init__(self, base: Path) -> None:
        self.root, self.secret, self.outbox = base / "root", base / "secret", base / "outbox"
        for folder in (self.root, self.secret):
            folder.mkdir()
        (self.root / "ok.wav").write_bytes(b"0123456789")
        (self.secret / "key").write_bytes(b"secret")
        self.blobs = BlobStore.open("memory://")
        self.platform: Platform = FilePlatform(self.outbox, (self.root,), self.blobs)

    async def read(self, locator: str, max_bytes: int = 100) -> bytes:
        return await asyncio.wait_for(self.platform.download(AudioSource(locator=locator), max_bytes), 5)

    async def refused(self, locator: str) -> str | None:
        with pytest.raises(BadInputError) as caught:
            await self.read(locator)
        return caught.value.type


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def content(path: str | None) -> bytes:
    return Path(str(path)).read_bytes()


def resolved(path: str) -> Path:
    return Path(path).resolve()


def modes(path: str | None) -> list[int]:
    """Permissions of a file and of its folder."""
    return [stat.S_IMODE(place.stat().st_mode) for place in (Path(str(path)), Path(str(path)).parent)]


def to(chat: str = "1", message: str = "7", destination: Path | str | None = None) -> Address:
    return Address(platform="file", chat=chat, message=message, destination=str(destination) if destination else None)


async def test_files_in_a_root_are_read_up_to_a_byte_above_the_cap(place: Place) -> None:
    assert await place.read(str(place.root / "ok.wav")) == b"0123456789"
    assert await place.read("ok.wav") == b"0123456789"
    assert await place.read("ok.wav", max_bytes=4) == b"01234"


async def test_blobs_are_read(place: Place) -> None:
    ref = await place.blobs.put("file", "1", b"abc", mime="a/b", seconds=1, sample_rate=1, ending="wav")
    assert await place.read(f"blob:{ref.key}") == b"abc"
    assert await place.refused("blob:../../etc/passwd") == ErrorCode.AUDIO_FORBIDDEN
    with pytest.raises(BadInputError) as caught:
        await place.read(f"blob:{ref.key}", max_bytes=2)
    assert caught.value.type == ErrorCode.AUDIO_TOO_LARGE


async def test_what_is_not_there(place: Place) -> None:
    assert await place.refused("no.wav") == ErrorCode.AUDIO_MISSING


@pytest.mark.parametrize(
    "locator",
    ["/etc/passwd", "../secret/key", "../secret/none", "ok.wav/../../secret/key", ".", "a\0b", "x" * 1000, "/dev/zero"],
)
async def test_places_outside_are_forbidden(place: Place, locator: str) -> None:
    assert await place.refused(locator) == ErrorCode.AUDIO_FORBIDDEN


async def test_links_lead_nowhere_outside(place: Place) -> None:
    (place.root / "link").symlink_to(place.secret / "key")
    (place.root / "folder").symlink_to(place.secret)
    (place.root / "loop").symlink_to(place.root / "loop")
    (place.root / "inside").symlink_to(place.root / "ok.wav")
    assert await place.refused("link") == ErrorCode.AUDIO_FORBIDDEN
    assert await place.refused("folder/key") == ErrorCode.AUDIO_FORBIDDEN
    assert await place.refused("loop") == ErrorCode.AUDIO_FORBIDDEN
    assert await place.read("inside") == b"0123456789"


async def test_pipes_and_folders_are_forbidden_without_waiting(place: Place) -> None:
    os.mkfifo(place.root / "pipe")
    assert await place.refused("pipe") == ErrorCode.AUDIO_FORBIDDEN
    (place.root / "folder").mkdir()
    assert await place.refused("folder") == ErrorCode.AUDIO_FORBIDDEN


async def test_without_roots_nothing_is_read(place: Place) -> None:
    platform = FilePlatform(place.outbox, (), place.blobs)
    with pytest.raises(BadInputError) as caught:
        await platform.download(AudioSource(locator=str(place.root / "ok.wav")), 100)
    assert caught.value.type == ErrorCode.AUDIO_FORBIDDEN


async def test_replies_lie_in_the_outbox(place: Place) -> None:
    text = await place.platform.send_text(to(), MessageText("Grüße"))
    voice = await place.platform.send_voice(to(), NOTE)
    assert text == str(place.outbox / "1" / "7.txt")
    assert content(text).decode() == "Grüße"
    assert content(voice) == NOTE.data
    assert {path.name for path in (place.outbox / "1").iterdir()} == {"7.txt", "7.ogg"}
    assert modes(voice) == [0o600, 0o700]


async def test_sending_again_overwrites(place: Place) -> None:
    await place.platform.send_text(to(), MessageText("one"))
    await place.platform.send_text(to(), MessageText("two"))
    assert [path.read_text() for path in place.outbox.rglob("*.txt")] == ["two"]


@pytest.mark.parametrize("name", [".", "..", "...", "-", "+"])
async def test_strange_names_stay_inside(place: Place, name: str) -> None:
    path = await place.platform.send_text(to(chat=name, message=name), MessageText("x"))
    assert resolved(path).parent.parent == resolved(str(place.outbox))


async def test_a_destination_gets_a_copy(place: Place) -> None:
    destination = place.root / "reply.ogg"
    voice = await place.platform.send_voice(to(destination=destination), NOTE)
    assert destination.read_bytes() == NOTE.data == content(voice)
    await place.platform.send_voice(to(destination=place.outbox / "1" / "copy.opus"), NOTE)
    assert (place.outbox / "1" / "copy.opus").exists()


@pytest.mark.parametrize(
    "name", ["../secret/reply.ogg", "none/reply.ogg", "code.py", "link/reply.ogg", "folder.ogg", "a\0.ogg"]
)
async def test_forbidden_destinations(place: Place, name: str) -> None:
    (place.root / "link").symlink_to(place.secret)
    (place.root / "folder.ogg").mkdir()
    with pytest.raises(BadInputError) as caught:
        await place.platform.send_voice(to(destination=f"{place.root}/{name}"), NOTE)
    assert caught.value.type == ErrorCode.REPLY_FAILED
    assert [path.name for path in place.secret.iterdir()] == ["key"]


async def test_a_link_at_the_destination_is_replaced_not_followed(place: Place) -> None:
    (place.root / "reply.ogg").symlink_to(place.secret / "key")
    await place.platform.send_voice(to(destination=place.root / "reply.ogg"), NOTE)
    assert (place.secret / "key").read_bytes() == b"secret"
    assert (place.root / "reply.ogg").read_bytes() == NOTE.data


async def test_files_lie_in_a_folder_of_the_message_and_are_deleted_with_it(place: Place) -> None:
    for message in ("7", "8"):
        for _ in range(2):  # the second replaces the first
            path = await place.platform.send_file(to(message=message), Document("sums.py", message.encode()))
        assert path == str(place.outbox / "1" / f"{message}.files" / "sums.py")
        assert (content(path), modes(path)) == (message.encode(), [0o600, 0o700])
    outbox = Outbox(place.outbox)
    outbox.delete("1", {"7"})
    assert [found.name for found in (place.outbox / "1").iterdir()] == ["8.files"]
    (place.outbox / "1" / "9.files").symlink_to(place.root)
    outbox.delete("1", None)
    assert [found.name for found in (place.outbox / "1").iterdir()] == ["9.files"]
    assert (place.root / "ok.wav").exists()


def test_replies_are_deleted_by_message_or_all_but_some(tmp_path: Path) -> None:
    outbox, folder = Outbox(tmp_path), tmp_path / "chat"

    def fill() -> None:
        folder.mkdir(exist_ok=True)
        for name in ("1.txt", "1.ogg", "2.txt", ".3.tmp", "notes.md"):
            (folder / name).touch()

    def left() -> set[str]:
        return {file.name for file in folder.iterdir()}

    fill()
    outbox.delete("chat", {"1", "nothing"})
    assert left() == {"2.txt", ".3.tmp", "notes.md"}
    fill()
    outbox.delete("chat", None, keep={"2"})
    assert left() == {"2.txt", "notes.md"}  # what june did not write stays
    (folder / "notes.md").unlink()
    outbox.delete("chat", None)
    assert not folder.exists()
    outbox.delete("chat", None)


def test_replies_are_not_deleted_through_links(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "1.txt").touch()
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / "chat").symlink_to(elsewhere)
    Outbox(tmp_path / "outbox").delete("chat", None)
    assert (elsewhere / "1.txt").exists()


DIES = """
import os, pathlib, sys
from activities.platforms import file
pathlib.Path.replace = lambda *_: os._exit(9)
file._write(pathlib.Path(sys.argv[1]), b"Hello.")
"""


def test_what_a_killed_process_has_begun_is_not_left_beside_the_reply(tmp_path: Path) -> None:
    reply = tmp_path / "chat" / "7.txt"
    died = subprocess.run([sys.executable, "-c", DIES, str(reply)], check=False)
    assert (died.returncode, len(list(reply.parent.iterdir())), reply.exists()) == (9, 1, False)
    file._write(reply, b"Hello.")
    assert list(reply.parent.iterdir()) == [reply]
    assert reply.read_bytes() == b"Hello."
