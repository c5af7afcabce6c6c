"""Stored audio goes when its time is over, and not before."""

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path

from activities.blobs import BlobStore
from tests.support.waiting import until
from workers.roles.retention import delete_old_audio


async def test_old_audio_is_deleted_at_once_and_young_audio_stays(tmp_path: Path) -> None:
    blobs = BlobStore.open(tmp_path)
    old, young = [
        await blobs.put("file", "chat", data, mime="audio/L16", seconds=1, sample_rate=16_000, ending="pcm")
        for data in (b"old", b"young")
    ]
    long_ago = time.time() - 7200
    os.utime(tmp_path / old.key, (long_ago, long_ago))
    chore = asyncio.create_task(delete_old_audio(blobs, timedelta(hours=1)))
    await until(lambda: not (tmp_path / old.key).exists())
    assert (tmp_path / young.key).exists()
    assert not chore.done()
    chore.cancel()
