"""Transcribe an utterance."""

from activities.references import BlobRef, Value


class TranscribeRequest(Value):
    """What to transcribe."""

    audio: BlobRef
    """s16le PCM, mono, 16,000 Hz."""
    language: str | None = None
    """ISO 639-1 code; None detects it."""


class Transcript(Value):
    """What was said."""

    text: str
    language: str
    """ISO 639-1 code, detected or as asked for."""
    language_probability: float
    """0 to 1; 1 when the language was given."""
    seconds: float
    """Duration of the utterance."""
    engine_ms: int
    """Milliseconds in the engine alone."""
