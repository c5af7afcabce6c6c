"""The activities of the engines: real ones, or those that do nothing where ``JUNE_ENGINES=none`` measures june itself.

Real ones are imported where they are loaded, as a process that does without one is spared its libraries: the model's
client takes 0.5 s and 26 MB, Whisper 0.05 s and 26 MB, Piper 0.06 s and 19 MB (median of seven starts).
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from activities.audio.codec import decode, encode_ogg_opus
from activities.benchmarks.complete import CompleteActivity
from activities.benchmarks.pin_model import PinModelActivity
from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage, Transcripts
from activities.coding.think import ThinkActivity
from activities.infer import Budgets, InferActivity
from activities.language_model import Sampling
from activities.speech.measure import MeasureActivity
from activities.speech.plan import PlanSpeechActivity
from activities.speech.recognizers import Engines
from activities.synthesize import SynthesizeActivity
from activities.text.languages import language_code
from activities.text.moment import zone_named
from activities.text.spoken import warm_up as warm_up_words
from activities.transcribe import SpeechRecognizer, TranscribeActivity
from workers.engines.noop import NoopInfer, NoopRecognizer, NoopSynthesizer
from workers.models.catalogue import models
from workers.roles.spec import Background
from workers.roles.speech import Columns, measured_models, no_engines
from workers.settings import (
    AudioSettings,
    ClockSettings,
    CodeSettings,
    EmbeddedSettings,
    LlmSettings,
    PiperSettings,
    StorageSettings,
    WhisperSettings,
    WorkerSettings,
)

Activity = Callable[..., Any]

_log = logging.getLogger(__name__)


async def load_transcribe() -> Activity:
    """Load the recognizer, verified and warm; return the activity ``transcribe``.

    Raises:
        ModelError: the model is missing or not what it should be.

    """
    return (await load_hearing())[0]


async def load_hearing() -> tuple[Activity, ...]:
    """Load the recognizer, verified and warm; return ``transcribe``, ``measure`` and ``plan_speech``, which share it.

    Raises:
        ModelError: the model is missing or not what it should be.

    """
    storage, whisper = StorageSettings(), WhisperSettings()
    blobs = BlobStore.open(storage.blobs)
    recognizer: SpeechRecognizer
    if not WorkerSettings().has_speech:
        recognizer = NoopRecognizer()
        engines = no_engines(recognizer, decode)
    else:
        from workers.engines.whisper import WhisperRecognizer

        recognizer = await asyncio.to_thread(WhisperRecognizer, whisper, storage)
        columns = Columns(recognizer, whisper, storage)
        engines = Engines(columns.recognizer, decode, measured_models(whisper, PiperSettings(), LlmSettings()))
    return (
        TranscribeActivity(recognizer, blobs).transcribe,
        MeasureActivity(engines, CodingStorage(blobs)).measure,
        PlanSpeechActivity(engines).plan_speech,
    )


async def load_synthesize() -> Activity:
    """Load the voices; return the activity ``synthesize``.

    Raises:
        ModelError: a voice is missing or not what it should be.

    """
    storage, encode = StorageSettings(), partial(encode_ogg_opus, bit_rate=AudioSettings().reply_bit_rate)
    blobs = BlobStore.open(storage.blobs)
    if not WorkerSettings().has_speech:
        return SynthesizeActivity(NoopSynthesizer(), blobs, encode).synthesize
    from workers.engines.espeak import EspeakSynthesizer, EspeakUnavailableError
    from workers.engines.multilingual import MultilingualSynthesizer
    from workers.engines.piper import PiperSynthesizer

    settings = PiperSettings()
    piper = await asyncio.to_thread(PiperSynthesizer, settings, storage)
    for language in {language_code(Path(voice).name) for voice in settings.voices}:
        await asyncio.to_thread(warm_up_words, language)
    fallback = None
    if settings.fallback:
        try:
            fallback = EspeakSynthesizer()
        except EspeakUnavailableError as reason:
            _log.warning("No fallback for languages without a voice: %s", reason)
    return SynthesizeActivity(MultilingualSynthesizer(piper, fallback), blobs, encode).synthesize


async def load_infer() -> tuple[Activity, Background | None]:
    """Build the activity ``infer``, and a task that warms the model.

    The task runs beside the worker: the model's server is ready or not by itself, and speech is recognized without it.
    """
    if not WorkerSettings().has_model:
        return NoopInfer().infer, None
    from workers.engines.language_detector import LanguageDetector
    from workers.engines.openai_chat import OpenAIChat
    from workers.engines.openai_client import build_client, warm_up

    llm = LlmSettings()
    client = build_client(llm, EmbeddedSettings())
    model = OpenAIChat(client, llm.model, llm.first_token_seconds, None if llm.base_url else llm.context_tokens)
    detector = await asyncio.to_thread(LanguageDetector)
    zone = zone_named(ClockSettings().time_zone)
    infer = InferActivity(model, budgets(llm), detector.detect, thinks_first=llm.thinks_first, time_zone=zone)
    return infer.infer, lambda: warm_up(client, llm)


def load_think() -> Activity:
    """Build the activity ``think`` of the coding agent, with its own model or that of conversations."""
    from workers.engines.coding_model import coding_settings, load_coding_model

    settings = CodeSettings()
    model, driver, window = load_coding_model()
    transcripts = Transcripts(CodingStorage(BlobStore.open(StorageSettings().blobs)))
    sampling = Sampling(settings.temperature, settings.top_p, settings.top_k or None)
    silent = 2 * coding_settings(settings, LlmSettings()).first_token_seconds
    return ThinkActivity(model, driver, window, sampling, transcripts, silent).think


def load_benchmarks() -> list[Activity]:
    """Build the activities ``pin_model`` and ``complete`` of benchmarks, with the coding agent's model."""
    from workers.engines.coding_model import coding_settings, load_coding_model
    from workers.engines.served_model import find_served

    code, llm = CodeSettings(), LlmSettings()
    model, _, window = load_coding_model()
    asked = coding_settings(code, llm)
    sampling = Sampling(code.temperature, code.top_p, code.top_k or None)
    find = partial(find_served, asked, EmbeddedSettings(), has_model=WorkerSettings().has_model)
    storage = CodingStorage(BlobStore.open(StorageSettings().blobs))
    return [
        PinModelActivity(find, sampling, window.thinking_tokens).pin_model,
        CompleteActivity(model, storage, 2 * asked.first_token_seconds).complete,
    ]


def budgets(llm: LlmSettings) -> Budgets:
    """Return the budgets of answers; of thoughts none for a model of the registry that is known not to think."""
    entry = None if llm.base_url else models().get(llm.model)
    return Budgets(
        answer_chars=llm.max_answer_chars,
        answer_tokens=llm.answer_tokens or llm.max_answer_chars,  # a token has a character at least, as a rule
        thinking_tokens=0 if entry and not entry.thinks else llm.thinking_tokens,
        silent_seconds=2 * llm.first_token_seconds,  # a server that was silent twice is so a third time
    )
