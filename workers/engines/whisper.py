"""Speech to text by faster-whisper."""

import logging
import re
import threading
import unicodedata
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import ctranslate2
import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.transcribe import Segment
from numpy.typing import NDArray

from activities.text.languages import language_code
from activities.transcribe import Recognition
from workers.engines.languages import Ranking, carried_over, choose
from workers.engines.voice_activity import SAMPLE_RATE, WINDOW_SECONDS, spoken, windows
from workers.models.catalogue import find
from workers.settings import StorageSettings, WhisperSettings

# Whisper encodes thirty seconds, whatever was said; most of the time is spent on silence. A context of what was said
# and some room is as good and three times as fast (the same error rate on 31 clips, clean and at 10 and 5 dB
# signal to noise); less room makes the base model repeat itself. llama.cpp's cousin has it as ``--audio-ctx``.
ROOM_FRAMES = 500
LEAST_FRAMES = 1000
STEP_FRAMES = 500
"""Frames of 10 ms. Few different lengths, as the engine keeps memory for each."""
SURE = 0.5
"""Probability of a detected language below which the whole window is transcribed again."""

# Two languages in one note change at a pause. What the encoder made of a piece between pauses, followed by what it
# makes of silence, goes through the language detection by itself for a few milliseconds (encoding it again takes a
# hundred). Measured on notes in two of English, German, Spanish and French: pieces in the note's language get 0.68 or
# more for it, all others 0.42 or less (the same piece 0.29 or 0.42, as the processor's integers are rounded by MKL or
# by oneDNN). Only where a piece is in doubt are the pieces encoded one by one.
OTHER_LANGUAGE = 0.55
"""Probability of the note's language below which a piece of it is looked at by itself."""
SWITCHED = 0.6
"""Probability that a piece's own language must have; a piece with less goes with the one before."""
FRAMES_A_POSITION = 2
"""The encoder makes one position (20 ms) of two frames (10 ms)."""
ENCODED_KEPT = 4
"""Windows and pieces whose encoding is kept between detection and transcription; a megabyte each."""
SILENT_POSITIONS = slice(400, 500)
"""Of ten seconds of silence: as far from the beginning as the end of a note is."""

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
SAMPLED_TEMPERATURES = (0.4, 0.8)
"""For what greedy decoding is sure of neither time, nor hears the same twice."""

logging.getLogger("faster_whisper").setLevel(logging.WARNING)


class _Said(NamedTuple):
    """What was said in one language, without a break."""

    text: str
    language: str
    probability: float
    seconds: float


class _Whisper(WhisperModel):  # type: ignore[misc] # faster-whisper has no types
    """Encodes what was said instead of always thirty seconds, and the same features once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as faster-whisper takes them
        super().__init__(*args, **kwargs)
        self._last = threading.local()

    def encode(self, features: NDArray[np.float32]) -> Any:  # noqa: ANN401 - an opaque array of CTranslate2
        """Encode features; those of language detection are not encoded again when transcription follows."""
        if features.ndim != 2:  # batches are full
            return super().encode(features)
        if not hasattr(self._last, "encoded"):
            self._last.encoded = deque(maxlen=ENCODED_KEPT)
        for known, encoded in self._last.encoded:
            if np.array_equal(known, features):
                return encoded
        encoded = super().encode(_context(features))
        self._last.encoded.append((features, encoded))
        return encoded


class _Batches(BatchedInferencePipeline):  # type: ignore[misc] # faster-whisper has no types
    """Keeps what the encoder made of each window."""

    def __init__(self, model: _Whisper) -> None:
        super().__init__(model)
        self.encoded: list[NDArray[np.float32]] = []

    def generate_segment_batched(self, *args: Any) -> Any:  # noqa: ANN401 - as faster-whisper gives it
        encoded, output = super().generate_segment_batched(*args)
        self.encoded.extend(_on_cpu(encoded))
        return encoded, output


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
        nothing = np.zeros((self._model.model.n_mels, LEAST_FRAMES), np.float32)
        self._silence = _on_cpu(self._model.encode(nothing))[0, SILENT_POSITIONS]
        tone = np.sin(np.arange(SAMPLE_RATE, dtype=np.float32) / 6)
        spoken(tone)
        if self._model.model.is_multilingual:
            self._detect(tone, ())
        self._transcribe(tone, "en", 1.0, (0.0,), threading.Event())

    def recognize(
        self, samples: NDArray[np.float32], language: str | None, stop: threading.Event, likely: Sequence[str] = ()
    ) -> Recognition:
        """Recognize what was said, "" when nothing was; in several languages, if it changes at pauses.

        Args:
            samples: 16,000 Hz, mono, -1 to 1.
            language: ISO 639-1 code; detected when it is None, or none that the model knows.
            stop: set to stop early; checked between segments.
            likely: ISO 639-1 codes that are to be expected, for what is too short to be sure of.

        """
        pieces = spoken(samples)
        language = self._known(language) if self._model.model.is_multilingual else "en"
        expected = tuple(filter(None, map(self._known, likely)))
        if sum(map(len, pieces)) > self._settings.batch_over_seconds * SAMPLE_RATE:
            said = self._recognize_batches(pieces, language, expected, stop)
        else:
            said = self._recognize_windows(windows(pieces), language, expected, stop)
        return _joined(said) if said else Recognition("", language or "en", 0.0)

    def _known(self, language: str | None) -> str | None:
        code = language_code(language or "")
        return code if code in self._model.supported_languages else None

    def _recognize_windows(
        self,
        parts: Iterable[list[NDArray[np.float32]]],
        language: str | None,
        likely: tuple[str, ...],
        stop: threading.Event,
    ) -> list[_Said]:
        """Recognize window by window; the languages of those before are likely in the next."""
        said: list[_Said] = []
        for pieces in parts:
            if language:
                runs = [(np.concatenate(pieces), language, 1.0)]
            else:
                runs = self._runs(pieces, (*likely, *(one.language for one in said)))
            for speech, code, probability in runs:
                if stop.is_set():
                    return said
                said.append(self._recognize_run(speech, code, probability, stop))
        return said

    def _recognize_run(
        self, speech: NDArray[np.float32], code: str, probability: float, stop: threading.Event
    ) -> _Said:
        """Recognize speech in one language; once more, with all of Whisper's window, where that is in doubt.

        People do repeat themselves: what is heard twice, word for word, was said, and a sample that lacks words of it
        (one in five ended after a sentence) is not taken.
        """
        text, sure = self._transcribe(speech, code, probability, (0.0,), stop)
        if not sure and not stop.is_set():
            silence = max(0, WINDOW_SECONDS * SAMPLE_RATE - len(speech))  # which is then encoded like any sound
            window, first = np.pad(speech, (0, silence)), _plain(text)
            text, sure = self._transcribe(window, code, probability, (0.0,), stop)
            if not sure and _plain(text) != first and not stop.is_set():
                sampled, _sure = self._transcribe(window, code, probability, SAMPLED_TEMPERATURES, stop)
                if len(set(_plain(sampled).split())) >= len(set(_plain(text).split())):
                    text = sampled
        return _Said(text, code, probability, len(speech) / SAMPLE_RATE)

    def _transcribe(
        self,
        speech: NDArray[np.float32],
        code: str,
        probability: float,
        temperatures: tuple[float, ...],
        stop: threading.Event,
    ) -> tuple[str, bool]:
        """Return the text, and whether it can be relied on."""
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
        return _text(kept), probability >= SURE and len(kept) == len(said) and not odd

    def _recognize_batches(
        self,
        pieces: list[NDArray[np.float32]],
        language: str | None,
        likely: tuple[str, ...],
        stop: threading.Event,
    ) -> list[_Said]:
        """Recognize several windows at once, in the language of the first; those with another one by themselves."""
        parts = windows(pieces)
        code, probability = (language, 1.0) if language else self._detect(np.concatenate(parts[0]), likely)
        ends = np.cumsum([sum(map(len, part)) for part in parts]) / SAMPLE_RATE
        starts = np.insert(ends[:-1], 0, 0.0)
        pipeline = _Batches(self._model)
        segments, _info = pipeline.transcribe(
            np.concatenate(pieces),
            language=code,
            beam_size=self._settings.beam_size,
            batch_size=self._settings.batch_size,
            vad_filter=False,
            clip_timestamps=[{"start": start, "end": end} for start, end in zip(starts, ends, strict=True)],
        )
        found = defaultdict(list)
        for segment in _until(segments, stop):
            begun = segment.seek / 100 + 0.05  # of its window, rounded down to 10 ms
            found[int(np.searchsorted(starts, begun, side="right")) - 1].append(segment)
        said = []
        for index, (part, encoded) in enumerate(zip(parts, pipeline.encoded, strict=False)):  # fewer when stopped
            if language or not self._holds_another(code, part, encoded):
                text = _text([segment for segment in found[index] if not _is_noise(segment)])
                said.append(_Said(text, code, probability, float(ends[index] - starts[index])))
            else:
                said += self._recognize_windows([part], None, (*likely, code), stop)
        return said

    # Languages

    def _detect(self, speech: NDArray[np.float32], likely: Sequence[str]) -> tuple[str, float]:
        """Detect the language of the window that is transcribed then, so that it is encoded once."""
        return choose(self._ranking(self._model.encode(self._features(speech))), likely)

    def _runs(
        self, pieces: list[NDArray[np.float32]], likely: tuple[str, ...]
    ) -> list[tuple[NDArray[np.float32], str, float]]:
        """Divide a window into runs of one language each, with its probability: nearly always one."""
        speech = np.concatenate(pieces)
        code, probability = self._detect(speech, likely)
        if len(pieces) == 1:
            return [(speech, code, probability)]
        if not self._holds_another(code, pieces, _on_cpu(self._model.encode(self._features(speech)))[0]):
            return [(speech, code, probability)]
        chosen = [choose(self._ranking(self._model.encode(self._features(piece))), (*likely, code)) for piece in pieces]
        languages = carried_over([code if sure >= SWITCHED else None for code, sure in chosen], code)
        runs = []
        for language, indexes in groupby(range(len(pieces)), key=languages.__getitem__):
            run = list(indexes)
            sure = max((chosen[index][1] for index in run if chosen[index][0] == language), default=probability)
            runs.append((np.concatenate([pieces[index] for index in run]), language, sure))
        return runs

    def _holds_another(self, code: str, pieces: list[NDArray[np.float32]], encoded: NDArray[np.float32]) -> bool:
        """Return whether a piece may be in another language, by what the encoder made of all of them together.

        ``encoded``: positions by 20 ms, shape (positions, state), of the pieces one behind the other.
        """
        samples = FRAMES_A_POSITION * SAMPLE_RATE // 100
        ends = np.cumsum([len(piece) for piece in pieces]) // samples + 1
        starts = np.insert(ends[:-1] - 1, 0, 0)
        width = int((ends - starts).max()) + len(self._silence)
        alone = np.empty((len(pieces), width, encoded.shape[1]), np.float32)
        for row, start, end in zip(alone, starts, ends, strict=True):
            piece = encoded[start:end]
            row[: len(piece)] = piece
            row[len(piece) :] = np.resize(self._silence, (width - len(piece), encoded.shape[1]))
        rankings = self._model.model.detect_language(ctranslate2.StorageView.from_array(alone))
        return any(dict(ranking)[f"<|{code}|>"] < OTHER_LANGUAGE for ranking in rankings)

    def _features(self, speech: NDArray[np.float32]) -> NDArray[np.float32]:
        """Prepare the window as ``transcribe`` does."""
        features = self._model.feature_extractor(speech)
        return pad_or_trim(features[:, : min(self._model.feature_extractor.nb_max_frames, features.shape[1] - 1)])  # type: ignore[no-any-return]

    def _ranking(self, encoded: Any) -> Ranking:  # noqa: ANN401 - an opaque array of CTranslate2
        (ranking,) = self._model.model.detect_language(encoded)
        return [(token[2:-2], probability) for token, probability in ranking]  # <|en|>


def _context(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the padding of a window (zeros) to some room after what was said."""
    said = np.flatnonzero(features.any(axis=0))
    end = int(said[-1]) + 1 if len(said) else 0
    frames = -(-(end + ROOM_FRAMES) // STEP_FRAMES) * STEP_FRAMES
    return np.ascontiguousarray(features[:, : max(LEAST_FRAMES, frames)])


def _on_cpu(encoded: Any) -> NDArray[np.float32]:  # noqa: ANN401 - an opaque array of CTranslate2
    """Copy what the encoder made, shape (windows, positions, state)."""
    return np.array(encoded.to_device(ctranslate2.Device.cpu).to(ctranslate2.DataType.float32))


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


def _text(segments: list[Segment]) -> str:
    """Join the texts; segments bring their own spaces, in languages that have them."""
    text = "".join(segment.text for segment in segments)
    return text if re.search(r"\w", text) else ""


def _joined(said: list[_Said]) -> Recognition:
    """Join what was said; its language is the one that was spoken longest."""
    heard = [one for one in said if one.text]
    seconds: dict[str, float] = defaultdict(float)
    for one in heard or said:
        seconds[one.language] += one.seconds
    language = max(seconds, key=seconds.__getitem__)
    probability = max(one.probability for one in heard or said if one.language == language)
    return Recognition("".join(one.text for one in heard).strip(), language, probability, tuple(seconds))
