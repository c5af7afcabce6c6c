"""The activities of the engines: real ones, or those that do nothing where ``JUNE_ENGINES=none`` measures june itself.

Real ones are imported where they are loaded, as a process that does without one is spared its libraries: the model's
client takes 0.5 s and 26 MB, Whisper 0.05 s and 26 MB, Piper 0.06 s and 19 MB (median of seven starts).
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from activities.audio.codec import encode_ogg_opus
from activities.blobs import BlobStore
from activities.infer import InferActivity
from activities.synthesize import SynthesizeActivity
from activities.transcribe import TranscribeActivity
from workers.engines.noop import NoopInfer, NoopRecognizer, NoopSynthesizer
from workers.roles.spec import Background
from workers.settings import (
    AudioSettings,
    EmbeddedSettings,
    LlmSettings,
    PiperSettings,
    StorageSettings,
    WhisperSettings,
    WorkerSettings,
)

Activity = Callable[..., Any]


async def load_transcribe() -> Activity:
    """Load the recognizer, verified and warm; return the activity ``transcribe``.

    Raises:
        ModelError: the model is missing or not what it should be.

    """
    storage = StorageSettings()
    blobs = BlobStore.open(storage.blobs)
    if not WorkerSettings().has_engines:
        return TranscribeActivity(NoopRecognizer(), blobs).transcribe
    from workers.engines.whisper import WhisperRecognizer

    return TranscribeActivity(await asyncio.to_thread(WhisperRecognizer, WhisperSettings(), storage), blobs).transcribe


async def load_synthesize() -> Activity:
    """Load the voices; return the activity ``synthesize``.

    Raises:
        ModelError: a voice is missing or not what it should be.

    """
    storage, encode = StorageSettings(), partial(encode_ogg_opus, bit_rate=AudioSettings().reply_bit_rate)
    blobs = BlobStore.open(storage.blobs)
    if not WorkerSettings().has_engines:
        return SynthesizeActivity(NoopSynthesizer(), blobs, encode).synthesize
    from workers.engines.piper import PiperSynthesizer

    synthesizer = await asyncio.to_thread(PiperSynthesizer, PiperSettings(), storage)
    return SynthesizeActivity(synthesizer, blobs, encode).synthesize


def build_infer() -> tuple[Activity, Background | None]:
    """Build the activity ``infer``, and a task that warms the model.

    The task runs beside the worker: the model's server is ready or not by itself, and speech is recognized without it.
    """
    if not WorkerSettings().has_engines:
        return NoopInfer().infer, None
    from workers.engines.openai_chat import OpenAIChat
    from workers.engines.openai_client import build_client, warm_up

    llm = LlmSettings()
    client = build_client(llm, EmbeddedSettings())
    model = OpenAIChat(client, llm.model, llm.first_token_seconds)
    infer = InferActivity(model, llm.max_answer_chars, thinks_first=llm.thinks_first)
    return infer.infer, lambda: warm_up(client, llm)
