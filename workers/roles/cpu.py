"""The CPU worker: speech synthesis, and transcription for when no GPU worker takes it in time."""

import asyncio

from temporalio.client import Client

from activities.blobs import BlobStore
from activities.synthesize import SynthesizeActivity, Synthesizer
from workers.roles.spec import WorkerSpec
from workers.roles.transcription import build_transcribe
from workers.settings import AudioSettings, PiperSettings, StorageSettings, WorkerSettings


async def build(_client: Client) -> WorkerSpec:
    """Load the voices, and Whisper where ``JUNE_CPU_TRANSCRIBE`` says so.

    Raises:
        ModelError: a model is missing or not what it should be.

    """
    settings = WorkerSettings()
    blobs = BlobStore.open(StorageSettings().blobs)
    synthesizer = await _synthesizer(has_engines=settings.has_engines)
    activities = [SynthesizeActivity(synthesizer, blobs, AudioSettings().reply_bit_rate).synthesize]
    if settings.cpu_transcribe:
        activities.append(await build_transcribe())
    return WorkerSpec(slots=PiperSettings().parallel, activities=activities)


async def _synthesizer(*, has_engines: bool) -> Synthesizer:
    if not has_engines:
        from workers.engines.noop import NoopSynthesizer

        return NoopSynthesizer()
    from workers.engines.piper import PiperSynthesizer  # its libraries are what JUNE_ENGINES=none does without

    return await asyncio.to_thread(PiperSynthesizer, PiperSettings(), StorageSettings())
