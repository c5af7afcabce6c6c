"""The GPU worker: transcription and inference, whether on a GPU or not."""

from temporalio.client import Client

from workers.roles.engines import build_infer, load_transcribe
from workers.roles.spec import WorkerSpec
from workers.settings import WorkerSettings


async def build(_client: Client) -> WorkerSpec:
    """Load Whisper and connect to the model's server.

    Raises:
        ModelError: the model is missing or not what it should be.

    """
    infer, warm_up = build_infer()
    return WorkerSpec(WorkerSettings().gpu_slots, activities=[await load_transcribe(), infer], background=warm_up)
