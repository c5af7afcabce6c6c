"""What benchmarks of speech recognize by: the worker's own recognizer, stock faster-whisper, and other models."""

import threading

from activities.speech.measure import JUNE, STOCK, ColumnError, Engines
from activities.transcribe import SpeechRecognizer
from workers.models.catalogue import ModelError, find, models
from workers.settings import StorageSettings, WhisperSettings

WEIGHTS = "model.bin"


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
        entry = models().get(column) or models().get(f"whisper-{column}")
        if entry is None or entry.kind != "speech-to-text":
            raise ColumnError(f"{column!r} is none of {JUNE}, {STOCK} and the models of speech that june knows.")
        from workers.engines.whisper import WhisperRecognizer

        return WhisperRecognizer(self._settings.model_copy(update={"model": entry.name}), self._storage)


def real_engines(recognizer: SpeechRecognizer, settings: WhisperSettings, storage: StorageSettings) -> Engines:
    """Return what benchmarks recognize by beside a recognizer of these settings."""
    from workers.engines.stock_whisper import stock_version

    entry = models().get(settings.model)
    digest = next((file.sha256 for file in entry.files if file.name == WEIGHTS), "") if entry else ""
    versions = (
        f"{JUNE}: {settings.model}, {settings.device}, {settings.compute_type}, beam {settings.beam_size}; "
        f"{STOCK}: {stock_version()} at its defaults"
    )
    return Engines(Columns(recognizer, settings, storage).recognizer, settings.model, digest, versions)


def no_engines(recognizer: SpeechRecognizer) -> Engines:
    """Return the one recognizer of a worker without real engines for all columns, for benchmarks of june itself."""
    return Engines(lambda _column: recognizer, model="none", versions="none")
