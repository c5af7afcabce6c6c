"""The audio store."""

import asyncio
import os
import stat
import time
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.values import BlobRef


@pytest.fixture(params=["memory", "folder"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return BlobStore.open("memory://" if request.param == "memory" else tmp_path / "blobs")


async def put(
    blobs: BlobStore, data: bytes = b"sound", chat: str = "1", platform: str = "file", thread: str | None = None
) -> BlobRef:
    return await blobs.put(
        platform, chat, data, mime="audio/ogg", seconds=1.5, sample_rate=48_000, ending="ogg", thread=thread
    )


async def test_what_is_put_can_be_got_by_reference_and_key(blobs: BlobStore) -> None:
    ref = await put(blobs)
    assert (ref.bytes, ref.mime, ref.seconds, ref.sample_rate) == (5, "audio/ogg", 1.5, 48_000)
    assert ref.key.startswith("file/1/")
    assert await blobs.get(ref) == await blobs.get(ref.key) == b"sound"


async def test_putting_twice_is_putting_once(blobs: BlobStore) -> None:
    assert await put(blobs) == await put(blobs)
    assert await blobs.delete_chat("file", "1") == 1


async def test_many_puts_of_the_same_at_once(blobs: BlobStore) -> None:
    refs = await asyncio.gather(*(put(blobs, bytes(200_000)) for _ in range(20)))
    assert len({ref.key for ref in refs}) == 1
    assert await blobs.get(refs[0]) == bytes(200_000)


async def test_missing(blobs: BlobStore) -> None:
    with pytest.raises(BadInputError) as caught:
        await blobs.get(f"file/1/{'0' * 64}.ogg")
    assert caught.value.type == ErrorCode.AUDIO_MISSING


async def test_what_june_itself_has_stored_is_looked_for_again(blobs: BlobStore) -> None:
    ref = await put(blobs)
    await blobs.delete_chat("file", "1")
    with pytest.raises(ApplicationError) as caught:
        await blobs.get(ref)
    assert (caught.value.type, caught.value.non_retryable) == (ErrorCode.AUDIO_MISSING, False)


async def test_a_folder_that_is_away_is_not_made_anew_and_all_is_there_when_it_is_back(tmp_path: Path) -> None:
    folder, away = tmp_path / "blobs", tmp_path / "away"
    blobs = BlobStore.open(folder)
    ref = await put(blobs)
    folder.rename(away)
    for failing in (put(blobs, b"other"), blobs.get(ref), blobs.get(ref.key)):
        with pytest.raises(ApplicationError, match="not there") as caught:
            await failing
        assert not caught.value.non_retryable
    assert not folder.exists()
    away.rename(folder)
    assert await blobs.get(await put(blobs, b"other")) == b"other"
    assert await blobs.get(ref.key) == b"sound"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        f"file/../{'0' * 64}.ogg",
        f"../1/{'0' * 64}.ogg",
        f"./1/{'0' * 64}.ogg",
        f"file/1/2/3/{'0' * 64}.ogg",
        f"file/1/../{'0' * 64}.ogg",
        f"file/{'0' * 64}.ogg",
        f"file//{'0' * 64}.ogg",
        f"file/a\0b/{'0' * 64}.ogg",
        f"file/1/{'0' * 64}.ogg\n",
        f"file/1/{'0' * 63}.ogg",
        f"file/1/{'0' * 64}.../../x",
        f"file/%2E%2E/{'0' * 64}.ogg",
    ],
)
async def test_what_is_no_key_is_refused(blobs: BlobStore, key: str) -> None:
    with pytest.raises(BadInputError) as caught:
        await blobs.get(key)
    assert caught.value.type == ErrorCode.AUDIO_FORBIDDEN


@pytest.mark.parametrize("chat", ["a/b", "", "x" * 121, "a b", "~1"])
async def test_chats_that_are_no_identifiers_are_refused(blobs: BlobStore, chat: str) -> None:
    with pytest.raises(BadInputError):
        await put(blobs, chat=chat)


@pytest.mark.parametrize("chat", [".", "..", "...", "-1001", "a@b:c+d", ".hidden"])
async def test_any_identifier_is_a_chat(blobs: BlobStore, chat: str) -> None:
    ref = await put(blobs, chat=chat)
    other = await put(blobs, chat="other")
    assert await blobs.get(ref) == b"sound"
    assert await blobs.delete_chat("file", chat) == 1
    assert await blobs.get(other) == b"sound"


@pytest.mark.parametrize("thread", ["a/b", "", "x" * 121, "a b", "~1"])
async def test_threads_that_are_no_identifiers_are_refused(blobs: BlobStore, thread: str) -> None:
    with pytest.raises(BadInputError):
        await put(blobs, thread=thread)


@pytest.mark.parametrize("thread", [".", "..", "5", "0" * 64 + ".ogg"])
async def test_the_same_sound_in_two_topics_is_forgotten_in_one_of_them(blobs: BlobStore, thread: str) -> None:
    refs = [await put(blobs, thread=name) for name in (None, thread, "other")]
    kept = await put(blobs, chat="12", thread=thread)
    assert len({ref.key for ref in refs}) == 3
    assert await blobs.delete_conversation("file", "1", thread) == 1
    for ref in (refs[0], refs[2], kept):
        assert await blobs.get(ref) == b"sound"
    assert await blobs.delete_conversation("file", "1", None) == 1
    assert await blobs.get(refs[2]) == b"sound"
    await put(blobs)
    assert await blobs.delete_chat("file", "1") == 2
    assert await blobs.get(kept) == b"sound"


async def test_deleting_a_chat_leaves_others_that_begin_alike(blobs: BlobStore) -> None:
    kept = [await put(blobs, chat="12"), await put(blobs, platform="telegram")]
    for data in (b"a", b"b", b"c"):
        await put(blobs, data)
    assert await blobs.delete_chat("file", "1") == 3
    assert await blobs.delete_chat("file", "1") == 0
    for ref in kept:
        assert await blobs.get(ref) == b"sound"


async def test_a_cap_on_reading(blobs: BlobStore) -> None:
    ref = await put(blobs)
    assert await blobs.get(ref, max_bytes=5) == b"sound"
    with pytest.raises(BadInputError) as caught:
        await blobs.get(ref, max_bytes=4)
    assert caught.value.type == ErrorCode.AUDIO_TOO_LARGE
    assert caught.value.details == ({"limit_bytes": 4},)


async def test_retention(blobs: BlobStore) -> None:
    await put(blobs)
    assert await blobs.delete_older_than(timedelta(hours=1)) == 0
    assert await blobs.delete_older_than(timedelta(seconds=-1)) == 1


async def test_what_benchmarks_store_outlives_the_retention(blobs: BlobStore) -> None:
    await put(blobs)
    result = await blobs.put("bench", "a-run", b"{}", mime="", seconds=0, sample_rate=0, ending="json", thread="t.0")
    assert await blobs.delete_older_than(timedelta(seconds=-1)) == 1
    assert await blobs.get(result) == b"{}"
    assert await blobs.delete_chat("bench", "a-run") == 1


async def test_storing_again_makes_young(tmp_path: Path) -> None:
    blobs = BlobStore.open(tmp_path)
    path = tmp_path / (await put(blobs)).key
    os.utime(path, (0, 0))
    await put(blobs)
    assert await blobs.delete_older_than(timedelta(hours=1)) == 0
    os.utime(path, (0, 0))
    assert await blobs.delete_older_than(timedelta(hours=1)) == 1


async def test_damage_shows(tmp_path: Path) -> None:
    blobs = BlobStore.open(tmp_path)
    ref = await put(blobs)
    (tmp_path / ref.key).write_bytes(b"sounds")
    with pytest.raises(BadInputError) as caught:
        await blobs.get(ref)
    assert caught.value.type == ErrorCode.AUDIO_UNREADABLE


async def test_the_folder_is_its_owner_s_and_nothing_of_a_chat_remains(tmp_path: Path) -> None:
    blobs = BlobStore.open(tmp_path / "deep" / "blobs")
    await put(blobs)
    assert stat.S_IMODE((tmp_path / "deep" / "blobs").stat().st_mode) == 0o700
    await blobs.delete_chat("file", "1")
    assert list((tmp_path / "deep" / "blobs").rglob("*")) == []


async def test_files_of_others_stay(tmp_path: Path) -> None:
    blobs = BlobStore.open(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    await put(blobs)
    assert await blobs.delete_older_than(timedelta(seconds=-1)) == 1
    assert (tmp_path / "notes.txt").exists()


@pytest.mark.parametrize(("age", "stays"), [(0, True), (2 * 3600, False)])
async def test_what_a_killed_process_has_written_by_half_is_deleted_in_an_hour(
    tmp_path: Path, age: int, *, stays: bool
) -> None:
    blobs = BlobStore.open(tmp_path)
    half = half_of(tmp_path, await put(blobs))
    os.utime(half, (time.time() - age, time.time() - age))
    await blobs.delete_older_than(timedelta(days=7))
    assert half.exists() == stays


@pytest.mark.parametrize("thread", [None, "7"])
async def test_what_is_written_by_half_is_forgotten_with_its_chat(tmp_path: Path, thread: str | None) -> None:
    blobs = BlobStore.open(tmp_path)
    kept = half_of(tmp_path, await put(blobs, chat="12"))
    half_of(tmp_path, await put(blobs, thread="8"))
    half = half_of(tmp_path, await put(blobs, thread=thread))
    assert await blobs.delete_conversation("file", "1", thread) == 1
    assert not half.exists()
    await blobs.delete_chat("file", "1")
    assert halves(tmp_path) == [kept]
    assert not (tmp_path / "file" / "1").exists()


def halves(folder: Path) -> list[Path]:
    return list(folder.rglob("*#*"))


def half_of(folder: Path, ref: BlobRef) -> Path:
    """Write what a process leaves that is killed while it stores that sound."""
    half = folder / f"{ref.key}#1"
    half.write_bytes(b"sou")
    return half
