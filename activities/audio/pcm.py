"""PCM, the form in which engines take and give sound: s16le, mono, at one sample rate."""

SAMPLE_RATE = 16_000
"""Hertz of decoded audio: what speech recognition takes."""
OPUS_RATE = 48_000
"""Hertz of Opus, whatever goes in (RFC 7845, section 5.1)."""
SAMPLE_BYTES = 2
"""Bytes of one sample."""
PAUSE_SECONDS = 0.15
"""Silence after a sentence."""


def seconds_of(pcm: bytes, sample_rate: int = SAMPLE_RATE) -> float:
    """Return the duration of s16le mono PCM, in seconds."""
    return len(pcm) / SAMPLE_BYTES / sample_rate


def paused(pcm: bytes, sample_rate: int) -> bytes:
    """Add the silence that follows a sentence."""
    return pcm + bytes(int(PAUSE_SECONDS * sample_rate) * SAMPLE_BYTES)
