"""Synthesize the speech of one sentence."""

from activities.references import BlobRef, Identifier, Value


class SynthesizeRequest(Value):
    """What to say, and for which chat it is stored."""

    platform: Identifier
    chat: Identifier
    text: str
    language: str
    """ISO 639-1 code; chooses the voice when none is named."""
    voice: str | None = None


class Speech(Value):
    """A spoken sentence."""

    audio: BlobRef
    """s16le PCM, mono, at the voice's own sample rate (22,050 Hz as a rule)."""
    engine_ms: int
    """Milliseconds in the engine alone."""
