"""What of a recording is speech: raised to one level, cut at its pauses."""

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hertz."""
WINDOW_SECONDS = 30
"""What Whisper transcribes at once."""
LOUD = 0.5
"""Peak that a quieter recording is raised to, as the detector misses what is whispered far from the microphone."""
MAX_GAIN = 30.0
FRAME = SAMPLE_RATE // 50
"""Samples whose peak is one measure of loudness: 20 ms."""
KNOCKS = 25
"""Loudest frames that do not tell how loud the voice is: a click, a key, half a second of a hand at the microphone."""
CREST = 3.0
"""A voice's peak over the loudest frame that is not a knock; at most, in short notes. What is beyond is a knock."""

VAD = VadOptions(min_silence_duration_ms=300, speech_pad_ms=300, max_speech_duration_s=WINDOW_SECONDS)
"""Silero's voice activity detection, which faster-whisper ships. It cuts at pauses of 300 ms, where people change the
language, and leaves up to 300 ms of a pause at either side: joined again, pauses up to 600 ms are as they were."""


def levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raise a quiet recording, and in it what is louder than the voice only as far as it is not clipped.

    Args:
        samples: 16,000 Hz, mono, -1 to 1.

    """
    peaks = np.abs(np.pad(samples, (0, -len(samples) % FRAME))).reshape(-1, FRAME).max(axis=1)
    if not peaks.any():
        return samples
    knocks = min(KNOCKS, len(peaks) // 5)
    voice = min(peaks.max(), CREST * np.partition(peaks, -1 - knocks)[-1 - knocks])
    if voice >= LOUD:
        return samples
    gain = LOUD / max(voice, LOUD / MAX_GAIN)
    gains = np.minimum(gain, LOUD / np.maximum(peaks, LOUD / MAX_GAIN))
    near = np.minimum(gains, np.minimum(np.append(gains[1:], gain), np.insert(gains[:-1], 0, gain)))
    middles = (np.arange(len(peaks)) + 0.5) * FRAME
    raised: NDArray[np.float32] = samples * np.interp(np.arange(len(samples)), middles, near).astype(np.float32)
    return raised


def spoken(samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return what is spoken, at one level, cut at its pauses; no piece is longer than a window.

    The level is that of the speech alone: most of what was louder than the voice is not in it any more.
    """
    found = get_speech_timestamps(levelled(samples), VAD)
    pieces = [samples[piece["start"] : piece["end"]] for piece in found]
    return (
        np.split(levelled(np.concatenate(pieces)), np.cumsum([len(piece) for piece in pieces])[:-1]) if pieces else []
    )


def windows(pieces: list[NDArray[np.float32]]) -> list[list[NDArray[np.float32]]]:
    """Group pieces so that each group is as long as a window at most."""
    grouped: list[list[NDArray[np.float32]]] = []
    room = 0
    for piece in pieces:
        if not grouped or len(piece) > room:
            grouped.append([])
            room = WINDOW_SECONDS * SAMPLE_RATE
        grouped[-1].append(piece)
        room -= len(piece)
    return grouped
