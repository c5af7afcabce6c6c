"""Measure speech: what recognizers make of recordings, and what june's makes of june's own voice."""

import json
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.audio.codec import decode
from activities.audio.pcm import SAMPLE_RATE
from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode, attempt_seed
from activities.blobs import BlobStore
from activities.error_codes import UnusableAudioError
from activities.heartbeats import in_thread
from activities.speech.clips import MAX_SECONDS, SHIPPED, Clip, ClipsError, ClipSet, read_set
from activities.speech.requests import PLATFORM, MeasureRequest, PlanSpeechRequest, SpeechPlan
from activities.speech.word_errors import WordErrors, compare
from activities.synthesize import MAX_CHARS
from activities.transcribe import SpeechRecognizer, samples_of

JUNE, STOCK = "june", "stock"
"""Columns: june's recognizer as it is configured, and faster-whisper at its defaults with the same files."""
MAX_COLUMNS = 6
KNOWN_LANGUAGE = "known"
"""Option ``language``: recognizers are told it; they find it out by default, as with a voice note."""
TURNS_TASK = "turns"


class ColumnError(Exception):
    """There is no recognizer of that name here."""


class Engines(NamedTuple):
    """What recognizes speech here."""

    recognizer: Callable[[str], SpeechRecognizer]
    """Returns that of a column, loaded and warm; blocks. Raises ColumnError."""
    model: str = ""
    model_sha256: str = ""
    versions: str = ""


class _Heard(NamedTuple):
    text: str
    language: str
    seconds: float


class MeasureActivity:
    """The activities ``measure`` and ``plan_speech``."""

    def __init__(self, engines: Engines, blobs: BlobStore) -> None:
        """Recognize by these engines; store what they have heard here."""
        self._engines = engines
        self._blobs = blobs

    @activity.defn(name="plan_speech")
    async def plan_speech(self, request: PlanSpeechRequest) -> SpeechPlan:
        """Say what a benchmark of this mode consists of.

        Raises:
            ApplicationError: ``data-set-unusable``, ``task-unknown``; not to be tried again.

        """
        return await in_thread(lambda _stop: self._plan(request))

    def _plan(self, request: PlanSpeechRequest) -> SpeechPlan:
        try:
            found = read_set(SHIPPED if request.mode is Mode.TURNS else request.data_set)
        except ClipsError as error:
            raise ApplicationError(str(error), type="data-set-unusable", non_retryable=True) from error
        known = _tasks(request.mode, found)
        if unknown := set(request.tasks) - set(known):
            message = f"{request.data_set} has no task {min(unknown)} for {request.mode}."
            raise ApplicationError(message, type="task-unknown", non_retryable=True)
        return SpeechPlan(
            tasks=tuple(task for task in known if task in request.tasks or not request.tasks)[: request.first],
            data_sha256=found.sha256,
            languages=tuple(dict.fromkeys(clip.language for clip in found.clips)),
            model=self._engines.model,
            model_sha256=self._engines.model_sha256,
            server=self._engines.versions,
        )

    @activity.defn(name="measure")
    async def measure(self, request: MeasureRequest) -> Attempt:
        """Measure one task of ``stt`` or ``tts``.

        Nothing is raised that a person has to mend: such an attempt is unmeasured, and says why.
        """
        try:
            if request.pinned.mode is Mode.STT:
                return await self._hear_recording(request)
            if request.pinned.mode is Mode.TTS:
                return await self._hear_voice(request)
            return _unmeasured(request, f"The mode {request.pinned.mode} is not measured here.")
        except (ClipsError, ColumnError) as error:
            return _unmeasured(request, str(error))

    async def _hear_recording(self, request: MeasureRequest) -> Attempt:
        found, clip = _find(request)
        columns = _columns(request)
        language = clip.language if request.options.get("language") == KNOWN_LANGUAGE else None

        def hear(stop: threading.Event) -> tuple[float, dict[str, _Heard]]:
            samples = found.sound(request.task)
            recognizers = {column: self._engines.recognizer(column) for column in columns}
            return len(samples) / SAMPLE_RATE, {
                column: _hear(recognizers[column], samples, language, stop) for column in _turned(columns, request)
            }

        seconds, heard = await in_thread(hear)
        figures = {"sound.seconds": seconds}
        for column in columns:
            errors = compare(clip.text, heard[column].text, clip.language)
            figures |= _figures(column, errors) | {f"{column}.seconds": heard[column].seconds}
        return await self._measured(request, clip, heard, figures)

    async def _hear_voice(self, request: MeasureRequest) -> Attempt:
        _found, clip = _find(request)
        if request.said is None:
            return _unmeasured(request, "Nothing was said of this text.")
        said, sound = request.said, await self._blobs.get(request.said.audio)

        def hear(stop: threading.Event) -> _Heard:
            samples = samples_of(decode(sound, MAX_SECONDS))
            return _hear(self._engines.recognizer(JUNE), samples, clip.language, stop)

        try:
            heard = await in_thread(hear)
        except UnusableAudioError as error:
            return _unmeasured(request, f"What was said cannot be heard: {error.message}")
        figures = {
            "sound.seconds": (said.pcm or said.audio).seconds,
            "tts.seconds": said.engine_ms / 1000,
            "june.seconds": heard.seconds,
        }
        figures |= _figures("tts", compare(clip.text, heard.text, clip.language))
        return await self._measured(request, clip, {"tts": heard}, figures)

    async def _measured(
        self, request: MeasureRequest, clip: Clip, heard: dict[str, _Heard], figures: dict[str, float]
    ) -> Attempt:
        """Store the texts beside what was said; return the attempt."""
        texts = {
            "said": clip.text,
            "language": clip.language,
            "synthetic": clip.synthetic,
            "heard": {column: {"text": each.text, "language": each.language} for column, each in heard.items()},
        }
        answer = await self._blobs.put(
            PLATFORM,
            request.stored_under,
            json.dumps(texts, ensure_ascii=False).encode(),
            mime="application/json",
            seconds=0,
            sample_rate=0,
            ending="json",
        )
        return Attempt(
            task=request.task,
            sample=request.sample,
            outcome=AttemptOutcome.MEASURED,
            figures={name: round(value, 4) for name, value in figures.items()},
            answer=answer,
        )


def _tasks(mode: Mode, found: ClipSet) -> tuple[str, ...]:
    """Return the tasks of a mode; a text to be said is one that ``synthesize`` says to its end."""
    match mode:
        case Mode.STT:
            return found.tasks()
        case Mode.TTS:
            return tuple(clip.id for clip in found.clips if len(clip.text) <= MAX_CHARS)
        case Mode.TURNS:
            return (TURNS_TASK,)
    return ()


def _find(request: MeasureRequest) -> tuple[ClipSet, Clip]:
    """Return the task's recording and its set, which must be that with which the run has begun."""
    found = read_set(request.pinned.data_set)
    if found.sha256 != request.pinned.data_sha256:
        raise ClipsError(f"The data set has changed since the run began: its SHA-256 is {found.sha256}.")
    return found, found.clip(request.task)


def _columns(request: MeasureRequest) -> tuple[str, ...]:
    """Return the columns of a run: ``stock`` is always one of them."""
    named = str(request.options.get("columns", JUNE)).split(",")
    columns = tuple(dict.fromkeys(filter(None, [*(each.strip() for each in named), STOCK])))
    if len(columns) > MAX_COLUMNS:
        raise ColumnError(f"There are more than {MAX_COLUMNS} columns.")
    return columns


def _turned(columns: tuple[str, ...], request: MeasureRequest) -> tuple[str, ...]:
    """Return the columns in the order of this attempt, so that none is always the first to hear a recording."""
    first = attempt_seed(request.pinned.seed, request.task, request.sample) % len(columns)
    return columns[first:] + columns[:first]


def _hear(
    recognizer: SpeechRecognizer, samples: NDArray[np.float32], language: str | None, stop: threading.Event
) -> _Heard:
    started = time.perf_counter()
    heard = recognizer.recognize(samples, language, stop)
    return _Heard(heard.text, heard.language, time.perf_counter() - started)


def _figures(column: str, errors: WordErrors) -> dict[str, float]:
    return {f"{column}.{name}": float(count) for name, count in errors._asdict().items()}


def _unmeasured(request: MeasureRequest, why: str) -> Attempt:
    return Attempt(task=request.task, sample=request.sample, outcome=AttemptOutcome.UNMEASURED, why=why[:500])
