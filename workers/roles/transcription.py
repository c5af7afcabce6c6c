"""The activity ``transcribe``, which the GPU worker serves, and the CPU worker for when no GPU worker does."""

import asyncio
from collections.abc import Callable
from typing import Any

from activities.blobs import BlobStore
from activities.transcribe import TranscribeActivity
from workers.settings import StorageSettings, WhisperSettings, WorkerSettings


async def build_transcribe() -> Callable[..., Any]:
    """Load the recognizer, verified and warm.

    Raises:
        ModelError: the model is missing or not what it should be.

    """
    storage = StorageSettings()
    blobs = BlobStore.open(storage.blobs)
    if not WorkerSettings().has_engines:
        from workers.engines.noop import NoopRecognizer

        return TranscribeActivity(NoopRecognizer(), blobs).transcribe
    from workers.engines.whisper import WhisperRecognizer  # 1.2 s and 120 MB, which JUNE_ENGINES=none does without

    return TranscribeActivity(await asyncio.to_thread(WhisperRecognizer, WhisperSettings(), storage), blobs).transcribe
