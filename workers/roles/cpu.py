"""The CPU worker: speech synthesis, and transcription for when no GPU worker takes it in time."""

from temporalio.client import Client

from activities.speech.say import SayActivity
from workers.roles.engines import load_synthesize, load_transcribe
from workers.roles.spec import WorkerSpec
from workers.settings import PiperSettings, WorkerSettings


async def build(_client: Client) -> WorkerSpec:
    """Load the voices, and Whisper where ``JUNE_CPU_TRANSCRIBE`` says so.

    Raises:
        ModelError: a model is missing or not what it should be.

    """
    synthesize = await load_synthesize()
    activities = [synthesize, SayActivity(synthesize).say]
    if WorkerSettings().cpu_transcribe:
        activities.append(await load_transcribe())
    return WorkerSpec(PiperSettings().parallel, activities)
