"""Measure speech: what recognizers make of recordings, and what june's makes of june's own voice."""

import json
import threading
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from temporalio import activity

from activities.audio.pcm import SAMPLE_RATE
from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode, attempt_seed
from activities.coding.storage import CodingStorage
from activities.error_codes import UnusableAudioError
from activities.heartbeats import in_thread
from activities.speech.clips import MAX_BYTES, MAX_SECONDS, Clip, ClipsError, ClipSet, read_set
from activities.speech.options import OptionsError, RecognitionOptions, options_of
from activities.speech.recognizers import JUNE, ColumnError, Engines
from activities.speech.requests import MeasureRequest
from activities.speech.word_errors import WordErrors, compare
from activities.transcribe import SpeechRecognizer, samples_of

HEARING = "hearing"
"""Of the mode ``tts``: what recognizing june's own voice took."""


class _Heard(NamedTuple):
    text: str
    language: str
    """ISO 639-1 code."""
    seconds: float
    """Taken."""


class MeasureActivity:
    """The activity ``measure``."""

    def __init__(self, engines: Engines, storage: CodingStorage) -> None:
        """Recognize by these engines; read and store sound and texts here."""
        self._engines = engines
        self._storage = storage

    @activity.defn
    async def measure(self, request: MeasureRequest) -> Attempt:
        """Measure one task of ``stt`` or ``tts``.

        Nothing is raised that a person has to mend: such an attempt is unmeasured, and says why.

        Raises:
            CodingError: what was said cannot be read from the store.

        """
        try:
            options = options_of(request.pinned.mode, request.pinned.options)
            if isinstance(options, RecognitionOptions):
                return await self._hear_recording(request, options)
            if request.pinned.mode is Mode.TTS:
                return await self._hear_voice(request)
        except (ClipsError, ColumnError, OptionsError) as error:
            return request.unmeasured(str(error))
        return request.unmeasured(f"The mode {request.pinned.mode.value} is not measured here.")

    async def _hear_recording(self, request: MeasureRequest, options: RecognitionOptions) -> Attempt:
        found, clip = _find(request)
        columns = options.names
        language = clip.language if options.language == "known" else None

        def hear(stop: threading.Event) -> tuple[float, dict[str, _Heard]]:
            samples = found.sound(request.task, self._engines.decode)
            recognizers = {column: self._engines.recognizer(column) for column in columns}
            return len(samples) / SAMPLE_RATE, {
                column: _hear(recognizers[column], samples, language, stop) for column in _turned(columns, request)
            }

        seconds, heard = await in_thread(hear)
        figures = {"sound.seconds": seconds}
        for column in columns:
            errors = compare(clip.text, heard[column].text, clip.language)
            figures |= _figures(column, errors) | {f"{column}.seconds": heard[column].seconds}
        return await self._measured(request, clip, {column: heard[column] for column in columns}, figures)

    async def _hear_voice(self, request: MeasureRequest) -> Attempt:
        _found, clip = _find(request)
        if request.said is None:
            return request.unmeasured("Nothing was said of this text.")
        said, sound = request.said, await self._storage.get(request.said.audio, MAX_BYTES)

        def hear(stop: threading.Event) -> _Heard:
            samples = samples_of(self._engines.decode(sound, MAX_SECONDS))
            return _hear(self._engines.recognizer(JUNE), samples, clip.language, stop)

        try:
            heard = await in_thread(hear)
        except UnusableAudioError as error:
            return request.unmeasured(f"What was said cannot be heard: {error.message}")
        figures = {
            "sound.seconds": (said.pcm or said.audio).seconds,
            "tts.seconds": said.engine_ms / 1000,
            f"{HEARING}.seconds": heard.seconds,
        }
        figures |= _figures("tts", compare(clip.text, heard.text, clip.language))
        return await self._measured(request, clip, {HEARING: heard}, figures)

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
        data = json.dumps(texts, ensure_ascii=False, indent=2).encode()
        return Attempt(
            task=request.task,
            sample=request.sample,
            outcome=AttemptOutcome.MEASURED,
            figures={name: round(value, 4) for name, value in figures.items()},
            answer=await self._storage.put(request.owner, data, "application/json", "json"),
        )


def _find(request: MeasureRequest) -> tuple[ClipSet, Clip]:
    """Return the task's recording and its set, which must be that with which the run has begun."""
    found = read_set(request.pinned.data_set)
    if found.sha256 != request.pinned.data_sha256:
        message = f"The data set has changed since the run began: its SHA-256 is {found.sha256}."
        raise ClipsError(message, code="data-set-changed")
    return found, found.clip(request.task)


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
