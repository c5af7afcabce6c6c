"""Stored audio goes when its time is over, and not before."""

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from activities.blobs import BlobStore
from tests.support.waiting import until
from workers.roles import retention
from workers.roles.retention import delete_old_audio


async def test_old_audio_is_deleted_at_once_and_young_audio_stays(tmp_path: Path) -> None:
    blobs = BlobStore.open(tmp_path)
    old, young = [
        await blobs.put("file", "chat", data, mime="audio/L16", seconds=1, sample_rate=16_000, ending="pcm")
        for data in (b"old", b"young")
    ]
    long_ago = time.time() - 7200
    os.utime(tmp_path / old.key, (long_ago, long_ago))
    background = asyncio.create_task(delete_old_audio(blobs, timedelta(hours=1)))
    await until(lambda: not (tmp_path / old.key).exists())
    assert (tmp_path / young.key).exists()
    assert not background.done()
    background.cancel()


async def test_a_store_that_fails_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        """A store that is out of reach at first."""

        calls = 0

        async def delete_older_than(self, age: timedelta) -> int:  # noqa: ARG002 - the store's interface
            self.calls += 1
            if self.calls == 1:
                raise ConnectionError("out of reach")
            return 3

    monkeypatch.setattr(retention, "EVERY_SECONDS", 0.01)
    caplog.set_level("INFO")
    store = Failing()
    background = asyncio.create_task(delete_old_audio(store, timedelta(hours=1)))
    await until(lambda: store.calls > 1)
    assert not background.done()
    background.cancel()
    assert "audio older than 1:00:00 could not be deleted" in caplog.text
    assert "out of reach" in caplog.text


async def test_a_clock_that_is_set_forward_deletes_nothing_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ahead = [0.0, 0.0, 90_000.0]
    monkeypatch.setattr(retention, "_clocks", lambda: ahead.pop(0) if len(ahead) > 1 else ahead[0])
    monkeypatch.setattr(retention, "EVERY_SECONDS", 0.01)

    class Store:
        """Counts, in which rounds it was asked."""

        warned: ClassVar[list[bool]] = []

        async def delete_older_than(self, age: timedelta) -> int:  # noqa: ARG002 - the store's interface
            self.warned.append("set forward by 25 h" in caplog.text)
            return 0

    store = Store()
    background = asyncio.create_task(delete_old_audio(store, timedelta(hours=1)))
    await until(lambda: len(store.warned) > 2)
    background.cancel()
    assert store.warned[:2] == [False, True], "one round is left out"
    assert caplog.text.count("set forward") == 1
