"""The GPU worker: transcription and inference, whether on a GPU or not."""

from temporalio.client import Client

from activities.infer import InferActivity
from workers.engines.openai_chat import OpenAIChat
from workers.engines.openai_client import build_client, warm_up
from workers.roles.spec import WorkerSpec
from workers.roles.transcription import build_transcribe
from workers.settings import EmbeddedSettings, LlmSettings, WorkerSettings


async def build(_client: Client) -> WorkerSpec:
    """Load Whisper and connect to the model's server.

    Raises:
        ModelError: the model is missing or not what it should be.

    """
    settings, llm = WorkerSettings(), LlmSettings()
    if not settings.has_engines:
        from workers.engines.noop import NoopInfer

        return WorkerSpec(slots=settings.gpu_slots, activities=[await build_transcribe(), NoopInfer().infer])
    client = build_client(llm, EmbeddedSettings())
    model = OpenAIChat(client, llm.model, llm.first_token_seconds)
    infer = InferActivity(model, llm.max_answer_chars, thinks_first=llm.thinks_first)
    return WorkerSpec(
        slots=settings.gpu_slots,
        activities=[await build_transcribe(), infer.infer],
        # Beside the work: the model's server is ready or not by itself, and speech is recognized without it.
        background=lambda: warm_up(client, llm),
    )
