"""``june bench turn``: what a turn costs beside the plain sum of its engines, and what june alone costs."""

import asyncio
import statistics
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from pydantic import BaseModel

from activities.audio.codec import decode, encode_ogg_opus
from activities.audio.pcm import paused
from activities.blobs import BlobStore
from activities.text.sentences import split
from activities.text.speakable import speakable
from activities.transcribe import samples_of
from workers.bench.caller import Caller, Timing
from workers.bench.stack import measured_stack
from workers.engines.openai_client import build_client
from workers.engines.piper import PiperSynthesizer
from workers.engines.whisper import WhisperRecognizer
from workers.errors import JuneError
from workers.local.session import QUESTION
from workers.local.stack import Embedded
from workers.settings import (
    AudioSettings,
    PiperSettings,
    StorageSettings,
    WhisperSettings,
)
from workflows.voice.contracts import ChatSettings, Memory
from workflows.voice.memory import prompt

Log = Callable[[str], None]

ONE_SENTENCE = "I was looking at the sky this morning. Please explain to me in a single sentence why the sky is blue."
FOUR_SENTENCES = "Tell me what spring, summer, autumn and winter are like, with one long sentence for each season."
"""Questions that the default model answers at this length at temperature 0."""
WARM_UPS = 1


class TurnFigures(BaseModel):
    """What ``june bench turn --json`` prints."""

    ratio_one_sentence: float
    """Message in to reply delivered, over the in-process sum of the same engines on the same input: the median of the
    ratios of turns that followed each other, as a machine that others share is fast and slow by spells."""
    ratio_four_sentences: float
    one_sentence_ms: float
    four_sentences_ms: float
    one_sentence_plain_ms: float
    """The in-process sum."""
    four_sentences_plain_ms: float
    intake_ms_p50: float
    """No-op engines: until the message is durable."""
    turn_ms_p50: float
    """No-op engines: message in until the reply activity starts."""
    turn_ms_p95: float
    rpc_ms_p50: float
    """The floor: one plain call to the server."""


async def bench_turn(rounds: int, noop_turns: int, log: Log) -> TurnFigures:
    """Measure ``rounds`` real turns of each length, and ``noop_turns`` without engines.

    Raises:
        JuneError: a stack could not be started, or a turn failed.

    """
    log("no-op engines")
    async with measured_stack(engines=False) as stack:
        overhead = await _overhead(stack, noop_turns)
    log("real engines")
    async with measured_stack(engines=True) as stack:
        plain = _Plain(stack)
        one = await _compare(stack, plain, ONE_SENTENCE, rounds, log)
        four = await _compare(stack, plain, FOUR_SENTENCES, rounds, log)
    return TurnFigures(
        ratio_one_sentence=one.ratio,
        ratio_four_sentences=four.ratio,
        one_sentence_ms=one.june_ms,
        one_sentence_plain_ms=one.plain_ms,
        four_sentences_ms=four.june_ms,
        four_sentences_plain_ms=four.plain_ms,
        **overhead,
    )


async def _overhead(stack: Embedded, turns: int) -> dict[str, float]:
    """Measure june without engines, one message after the other in one chat, and a plain call to the server."""
    caller = Caller(stack.client, BlobStore.open(str(stack.home / "blobs")))
    audio = QUESTION.read_bytes()
    await caller.open(ChatSettings())
    timings = [await _answered(caller, audio) for _ in range(turns + 10)][10:]
    started = sorted(timing.started for timing in timings)
    calls = []
    for _ in range(turns):
        watch = time.perf_counter()
        await stack.client.count_workflows()
        calls.append(1000 * (time.perf_counter() - watch))
    return {
        "intake_ms_p50": round(statistics.median(timing.intake for timing in timings), 1),
        "turn_ms_p50": round(statistics.median(started), 1),
        "turn_ms_p95": round(started[int(0.95 * (len(started) - 1))], 1),
        "rpc_ms_p50": round(statistics.median(calls), 1),
    }


class _Compared(NamedTuple):
    """Medians over the rounds, in milliseconds; and their ratio."""

    ratio: float
    june_ms: int
    plain_ms: int


async def _compare(stack: Embedded, plain: "_Plain", question: str, rounds: int, log: Log) -> _Compared:
    """Measure turns of june and of the plain engines, in turn."""
    audio = await plain.spoken(question)
    june, sums = [], []
    for number in range(WARM_UPS + rounds):
        caller = Caller(stack.client, BlobStore.open(str(stack.home / "blobs")))
        await caller.open(ChatSettings(temperature=0))
        timing = await _answered(caller, audio)
        seconds, sentences = await plain.turn(audio)
        if number >= WARM_UPS:
            june.append(timing.ended)
            sums.append(1000 * seconds)
            log(f"{sentences} pieces of speech: {timing.ended:.0f} ms, plain sum {1000 * seconds:.0f} ms")
    ratio = statistics.median(turn / plain_sum for turn, plain_sum in zip(june, sums, strict=True))
    return _Compared(round(ratio, 3), round(statistics.median(june)), round(statistics.median(sums)))


async def _answered(caller: Caller, audio: bytes) -> Timing:
    timing = await caller.turn(audio)
    if timing.result.error or timing.result.reply is None:
        raise JuneError(f"A turn of the benchmark failed: {timing.result.error}.")
    return timing


class _Plain:
    """The same engines in this process, one stage after the other, without june."""

    def __init__(self, stack: Embedded) -> None:
        storage = StorageSettings()
        self._llm = stack.llm
        self._recognizer = WhisperRecognizer(WhisperSettings(), storage)
        self._synthesizer = PiperSynthesizer(PiperSettings(), storage)
        self._client = build_client(self._llm, stack.ports)

    async def spoken(self, text: str) -> bytes:
        """Return a question as a voice note."""
        sound = await asyncio.to_thread(self._synthesizer.synthesize, text, "en", None)
        return encode_ogg_opus(sound.samples.tobytes(), sound.sample_rate, AudioSettings().reply_bit_rate)

    async def turn(self, audio: bytes) -> tuple[float, int]:
        """Do a turn; return its seconds, and the number of sentences that were synthesized."""
        watch = time.perf_counter()
        pcm = decode(audio, max_seconds=600)
        heard = await asyncio.to_thread(self._recognizer.recognize, samples_of(pcm), None, threading.Event())
        messages = [message.model_dump() for message in prompt(Memory(), heard.text)]
        completion = await self._client.chat.completions.create(
            model=self._llm.model,
            messages=messages,  # type: ignore[arg-type] # openai wants a class for each role
            temperature=0,
            max_tokens=400,
        )
        sentences = split(speakable(completion.choices[0].message.content or ""))
        sounds = [await asyncio.to_thread(self._synthesizer.synthesize, text, "en", None) for text in sentences]
        rate = sounds[0].sample_rate
        joined = b"".join(paused(sound.samples.tobytes(), rate) for sound in sounds)
        encode_ogg_opus(joined, rate, AudioSettings().reply_bit_rate)
        return time.perf_counter() - watch, len(sentences)
