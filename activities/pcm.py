"""PCM, the form in which engines take and give sound: s16le, mono, at one sample rate."""

from collections.abc import Sequence

SAMPLE_RATE = 16_000
"""Hertz of decoded audio: what speech recognition takes."""
OPUS_RATE = 48_000
"""Hertz of Opus, whatever goes in (RFC 7845, section 5.1)."""
SAMPLE_BYTES = 2
"""Bytes of one sample."""
PAUSE_SECONDS = 0.15
"""Silence between sentences."""


def seconds_of(pcm: bytes, sample_rate: int = SAMPLE_RATE) -> float:
    """Tell the duration of PCM, in seconds."""
    return len(pcm) / SAMPLE_BYTES / sample_rate


def join(sentences: Sequence[bytes], sample_rate: int, max_bytes: int) -> bytes:
    """Join sentences, with pauses, up to the last that fits; only a first that does not is cut."""
    pause = bytes(int(PAUSE_SECONDS * sample_rate) * SAMPLE_BYTES)
    count = fitting([len(sentence) for sentence in sentences], len(pause), max_bytes)
    return pause.join(sentences[:count])[: max_bytes - max_bytes % SAMPLE_BYTES]


def fitting(lengths: Sequence[float], pause: float, most: float) -> int:
    """Count how many of these lengths, with pauses in between, fit; at least one."""
    total = -pause
    for count, length in enumerate(lengths):
        total += pause + length
        if total > most:
            return max(1, count)
    return len(lengths)
