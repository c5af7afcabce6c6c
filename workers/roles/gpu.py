"""The GPU worker: transcription, inference, measuring, and the steps of the coding agent's model, on a GPU or not."""

import asyncio

from temporalio.client import Client

from workers.roles.engines import load_benchmarks, load_hearing, load_infer, load_think
from workers.roles.live_first import LiveFirst
from workers.roles.spec import WorkerSpec
from workers.settings import CodeSettings, LlmSettings, WorkerSettings

BACKGROUND_SLOTS = 1
"""For a summary, which must not hold the only slot when somebody speaks."""
STANDS_BACK = 3
"""How often a call of the agent's is given up when somebody speaks, where both share the embedded model's processor."""


async def build(_client: Client) -> WorkerSpec:
    """Load Whisper and connect to the model's server.

    Raises:
        ModelError: the model is missing or not what it should be.

    """
    (infer, warm_up), hearing = await asyncio.gather(load_infer(), load_hearing())
    think = load_think()
    code = CodeSettings()
    live, steps = WorkerSettings().gpu_slots, code.parallel
    embedded = not (code.base_url or LlmSettings().base_url)
    return WorkerSpec(
        live + BACKGROUND_SLOTS + steps,
        activities=[*hearing, infer, think, *load_benchmarks()],
        interceptors=[LiveFirst(live, steps, STANDS_BACK if embedded else 0)],
        background=warm_up,
    )
