"""The GPU worker: transcription and inference, whether on a GPU or not."""

import asyncio

from temporalio.client import Client

from workers.roles.engines import load_infer, load_transcribe
from workers.roles.live_first import LiveFirst
from workers.roles.spec import WorkerSpec
from workers.settings import WorkerSettings

BACKGROUND_SLOTS = 1
"""For a summary, which must not hold the only slot when somebody speaks."""


async def build(_client: Client) -> WorkerSpec:
    """Load Whisper and connect to the model's server.

    Raises:
        ModelError: the model is missing or not what it should be.

    """
    (infer, warm_up), transcribe = await asyncio.gather(load_infer(), load_transcribe())
    live = WorkerSettings().gpu_slots
    return WorkerSpec(
        live + BACKGROUND_SLOTS,
        activities=[transcribe, infer],
        interceptors=[LiveFirst(live)],
        background=warm_up,
    )
