"""What benchmarks of speech recognize by: the worker's own recognizer, stock faster-whisper, and other models."""

import threading
from importlib.metadata import version
from pathlib import Path

from activities.benchmarks.attempts import Mode
from activities.benchmarks.pin_model import ServedModel
from activities.speech.clips import Decode
from activities.speech.recognizers import JUNE, STOCK, ColumnError, Engines
from activities.transcribe import SpeechRecognizer
from workers.models.catalogue import ModelError, entry, find, models
from workers.settings import LlmSettings, PiperSettings, StorageSettings, WhisperSettings

WEIGHTS = "model.bin"
"""Of Whisper's models, which are opened as a folder."""


class Columns:
    """Recognizers by column, each loaded when a benchmark first asks for it, and kept."""

    def __init__(self, recognizer: SpeechRecognizer, settings: WhisperSettings, storage: StorageSettings) -> None:
        """Begin with the worker's own recognizer."""
        self._loaded: dict[str, SpeechRecognizer] = {JUNE: recognizer}
        self._settings = settings
        self._storage = storage
        self._loading = threading.Lock()

    def recognizer(self, column: str) -> SpeechRecognizer:
        """Return the recognizer of a column: ``june``, ``stock``, or a model that june knows; blocks.

        Raises:
            ColumnError: it is no such model, or is not here.

        """
        with self._loading:
            if column not in self._loaded:
                try:
                    self._loaded[column] = self._load(column)
                except ModelError as error:
                    raise ColumnError(str(error)) from error
            return self._loaded[column]

    def _load(self, column: str) -> SpeechRecognizer:
        if column == STOCK:
            from workers.engines.stock_whisper import StockWhisper

            return StockWhisper(find(self._settings.model, self._storage.models))
        model = models().get(column) or models().get(f"whisper-{column}")
        if model is None or model.kind != "speech-to-text":
            raise ColumnError(f"{column!r} is none of {JUNE}, {STOCK} and the models of speech that june knows.")
        from workers.engines.whisper import WhisperRecognizer

        return WhisperRecognizer(self._settings.model_copy(update={"model": model.name}), self._storage)


def measured_models(whisper: WhisperSettings, piper: PiperSettings, llm: LlmSettings) -> dict[Mode, ServedModel]:
    """Return what each mode measures where the workers have these settings."""
    from workers.engines.stock_whisper import stock_version

    hears = f"{JUNE}: {whisper.model}, {whisper.device}, {whisper.compute_type}, beam {whisper.beam_size}"
    voices = ", ".join(Path(voice).name for voice in piper.voices)
    served = llm.base_url or f"xllamacpp {version('xllamacpp')}"
    return {
        Mode.STT: _measured(whisper.model, f"{hears}; {STOCK}: {stock_version()} at its defaults"),
        Mode.TTS: _measured(voices, f"piper-tts {version('piper-tts')}; heard by {hears}"),
        Mode.TURNS: _measured(llm.model, f"{served}; {hears}; voices: {voices}"),
    }


def _measured(name: str, server: str) -> ServedModel:
    model = entry(name)
    digest = next((file.sha256 for file in model.files if file.name in {WEIGHTS, model.opens}), "") if model else ""
    return ServedModel(name=name, sha256=digest, server=server)


def no_engines(recognizer: SpeechRecognizer, decode: Decode) -> Engines:
    """Return the one recognizer of a worker without real engines for all columns, for benchmarks of june itself."""
    none = ServedModel(name="none", server="none")
    return Engines(lambda _column: recognizer, decode, dict.fromkeys((Mode.STT, Mode.TTS, Mode.TURNS), none))
