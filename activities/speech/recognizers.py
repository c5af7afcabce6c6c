"""What benchmarks of speech recognize by, by columns of the report."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from activities.benchmarks.attempts import Mode
from activities.benchmarks.pin_model import ServedModel
from activities.speech.clips import Decode
from activities.transcribe import SpeechRecognizer

JUNE, STOCK = "june", "stock"
"""Columns: june's recognizer as it is configured, and faster-whisper at its defaults with the same files."""


class ColumnError(Exception):
    """There is no recognizer of that name here."""


class Engines(NamedTuple):
    """What a worker measures speech by."""

    recognizer: Callable[[str], SpeechRecognizer]
    """Returns that of a column, loaded and warm; blocks. Raises ColumnError."""
    decode: Decode
    models: Mapping[Mode, ServedModel]
    """What each mode measures: the recognizer, the voices, the model that answers."""
