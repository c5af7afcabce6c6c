"""Speech to text by faster-whisper."""

import logging
import re
import threading
import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.transcribe import Segment
from faster_whisper.vad import VadOptions, collect_chunks, get_speech_timestamps
from numpy.typing import NDArray

from activities.transcribe import Recognition
from workers.models.catalogue import find
from workers.settings import StorageSettings, WhisperSettings

SAMPLE_RATE = 16_000
"""Hertz."""
WINDOW_SECONDS = 30
"""What Whisper transcribes at once."""

VAD = {"min_silence_duration_ms": 500, "speech_pad_ms": 300}
"""Silero's voice activity detection, which faster-whisper ships; pauses up to half a second stay in."""
LOUD = 0.5
"""Peak that a quieter recording is raised to, as the detector misses what is whispered far from the microphone."""
MAX_GAIN = 30.0

# Whisper encodes thirty seconds, whatever was said; most of the time is spent on silence. A context of what was said
# and some room is as good and three times as fast (the same error rate on 31 clips, clean and at 10 and 5 dB
# signal to noise); less room makes the base model repeat itself. llama.cpp's cousin has it as ``--audio-ctx``.
ROOM_FRAMES = 500
LEAST_FRAMES = 1000
STEP_FRAMES = 500
"""Frames of 10 ms. Few different lengths, as the engine keeps memory for each."""
SURE = 0.5
"""Probability of a detected language below which the whole window is transcribed again."""

# Thresholds of openai/whisper (2.4, -1.0), and what was measured here: with the detector off, noise, hum, tones,
# clicks and silence come out below -1.05 with "no speech" above 0.5, or repeat; spoken words, quiet and noisy ones
# too, stay above -0.9.
REPETITIVE = 2.4
"""Compression ratio above which the whole window is transcribed again; people do repeat themselves."""
LOOPING = 8.0
"""Compression ratio that speech does not reach."""
UNLIKELY = -1.0
"""Mean log probability of a token, when "no speech" is likely as well."""
GIBBERISH = -1.5
"""Mean log probability of a token."""
NO_SPEECH = 0.5
DOUBTFUL = -0.8
"""Mean log probability below which a phrase that Whisper likes to invent is not believed."""


def _plain(text: str) -> str:
    """Reduce to lower-case letters without accents, digits and single spaces."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("-", " "))  # accents apart, and then away
    return unicodedata.normalize("NFC", " ".join(re.sub(r"[^\w\s]", "", letters).split()))


INVENTED = frozenset(
    _plain(phrase)
    for phrase in (
        *("you", "bye", "bye bye", "i'm sorry", "thanks", "thank you", "thank you very much", "thank you so much"),
        *("thanks for watching", "thank you for watching", "please subscribe", "subtitles by the amara.org community"),
        *("vielen dank", "untertitel der amara.org community", "untertitel im auftrag des zdf"),
        *("gracias por ver el vídeo", "subtitulos realizados por la comunidad de amara.org"),
        *("merci d'avoir regardé cette vidéo", "sous-titres réalisés par la communauté d'amara.org"),
        "ご視聴ありがとうございました",
    )
)
"""Whole answers of Whisper to sounds that are no speech (its training data were subtitles)."""
RETRY_TEMPERATURES = (0.0, 0.4, 0.8)

logging.getLogger("faster_whisper").setLevel(logging.WARNING)


class _Transcript(NamedTuple):
    recognition: Recognition
    sure: bool


class _Whisper(WhisperModel):  # type: ignore[misc] # faster-whisper has no types
    """Encodes what was said instead of always thirty seconds, and the same features once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as faster-whisper takes them
        super().__init__(*args, **kwargs)
        self._last = threading.local()

    def encode(self, features: NDArray[np.float32]) -> Any:  # noqa: ANN401 - an opaque array of CTranslate2
        """Encode features; those of language detection are not encoded again when transcription follows."""
        if features.ndim != 2:  # batches are full
            return super().encode(features)
        known: tuple[NDArray[np.float32], Any] | None = getattr(self._last, "encoded", None)
        if known is None or not np.array_equal(known[0], features):
            known = features, super().encode(_context(features))
            self._last.encoded = known
        return known[1]


class WhisperRecognizer:
    """Recognizes speech; satisfies ``SpeechRecognizer``. Threads may share it, the engine does one at a time."""

    def __init__(self, settings: WhisperSettings, storage: StorageSettings) -> None:
        """Load the model, verified, and warm it.

        Raises:
            ModelError: the model is missing or not what it should be.

        """
        path = find(settings.model, storage.models)
        self._model = _Whisper(
            str(path), device=settings.device, compute_type=settings.compute_type, cpu_threads=settings.threads
        )
        self._settings = settings
        self.warm_up()

    def warm_up(self) -> None:
        """Run each part once: the first run of an engine is slower than the others."""
        tone = np.sin(np.arange(SAMPLE_RATE, dtype=np.float32) / 6)
        _speech(tone)
        self._transcribe(tone, None, (0.0,), threading.Event())

    def recognize(self, samples: NDArray[np.float32], language: str | None, stop: threading.Event) -> Recognition:
        """Recognize what was said, "" when nothing was.

        Args:
            samples: 16,000 Hz, mono, -1 to 1.
            language: ISO 639-1 code; detected when it is None, or none that the model knows.
            stop: set to stop early; checked between segments.

        """
        if 0 < (peak := float(np.abs(samples).max(initial=0.0))) < LOUD:
            samples = samples * np.float32(min(LOUD / peak, MAX_GAIN))
        speech = _speech(samples)
        code = (language or "").lower().replace("_", "-").split("-")[0]
        language = code if code in self._model.supported_languages else None
        if not len(speech) or stop.is_set():
            return Recognition("", language or "en", 0.0)
        if len(speech) > self._settings.batch_over_seconds * SAMPLE_RATE:
            return self._transcribe_in_batches(samples, speech, language, stop)
        transcript = self._transcribe(speech, language, (0.0,), stop)
        if not transcript.sure and not stop.is_set():
            silence = max(0, WINDOW_SECONDS * SAMPLE_RATE - len(speech))  # which is then encoded like any sound
            transcript = self._transcribe(np.pad(speech, (0, silence)), language, RETRY_TEMPERATURES, stop)
        return transcript.recognition

    def _transcribe(
        self, speech: NDArray[np.float32], language: str | None, temperatures: tuple[float, ...], stop: threading.Event
    ) -> _Transcript:
        code, probability = (language, 1.0) if language else self._detect(speech)
        segments, _info = self._model.transcribe(
            speech,
            language=code,
            beam_size=self._settings.beam_size,
            temperature=list(temperatures),
            no_speech_threshold=None,  # judged below, together with the rest
            condition_on_previous_text=False,
        )
        said = _until(segments, stop)
        kept = [segment for segment in said if not _is_noise(segment)]
        odd = any(segment.compression_ratio > REPETITIVE or segment.no_speech_prob > NO_SPEECH for segment in said)
        sure = probability >= SURE and len(kept) == len(said) and not odd
        return _Transcript(Recognition(_joined(kept), code, probability), sure)

    def _transcribe_in_batches(
        self, samples: NDArray[np.float32], speech: NDArray[np.float32], language: str | None, stop: threading.Event
    ) -> Recognition:
        code, probability = (language, 1.0) if language else self._detect(speech)
        segments, _info = BatchedInferencePipeline(self._model).transcribe(
            samples,
            language=code,
            beam_size=self._settings.beam_size,
            batch_size=self._settings.batch_size,
            vad_parameters=dict(VAD),
        )
        kept = [segment for segment in _until(segments, stop) if not _is_noise(segment)]
        return Recognition(_joined(kept), code, probability)

    def _detect(self, speech: NDArray[np.float32]) -> tuple[str, float]:
        """Detect the language from the window that is transcribed first, so that it is encoded once."""
        if not self._model.model.is_multilingual:
            return "en", 1.0
        features = self._model.feature_extractor(speech)
        window = pad_or_trim(features[:, : min(self._model.feature_extractor.nb_max_frames, features.shape[1] - 1)])
        token, probability = self._model.model.detect_language(self._model.encode(window))[0][0]
        return token[2:-2], probability  # <|en|>


def _context(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the padding of a window (zeros) to some room after what was said."""
    said = np.flatnonzero(features.any(axis=0))
    end = int(said[-1]) + 1 if len(said) else 0
    frames = -(-(end + ROOM_FRAMES) // STEP_FRAMES) * STEP_FRAMES
    return np.ascontiguousarray(features[:, : max(LEAST_FRAMES, frames)])


def _speech(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return only what is spoken."""
    spoken = get_speech_timestamps(samples, VadOptions(**VAD))
    chunks, _metadata = collect_chunks(samples, spoken)
    return np.concatenate(chunks)


def _until(segments: Iterable[Segment], stop: threading.Event) -> list[Segment]:
    said = []
    for segment in segments:
        if stop.is_set():
            break
        said.append(segment)
    return said


def _is_noise(segment: Segment) -> bool:
    """Return whether Whisper made words of what was none."""
    if segment.compression_ratio > LOOPING or segment.avg_logprob < GIBBERISH:
        return True
    unlikely, silent = segment.avg_logprob < UNLIKELY, segment.no_speech_prob > NO_SPEECH
    doubtful = segment.avg_logprob < DOUBTFUL or silent
    return (unlikely and silent) or (doubtful and _plain(segment.text) in INVENTED)


def _joined(segments: list[Segment]) -> str:
    """Join the texts; segments bring their own spaces, in languages that have them."""
    text = "".join(segment.text for segment in segments).strip()
    return text if re.search(r"\w", text) else ""
