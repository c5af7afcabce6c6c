"""Noise added to speech, at a signal-to-noise ratio, the same each time."""

import numpy as np
from numpy.typing import NDArray

from activities.audio.pcm import SAMPLE_RATE

FRAME_SAMPLES = SAMPLE_RATE * 30 // 1000
ACTIVE = 1e-3
"""Of the loudest frame's power (30 dB below it): what has less is a pause."""
LOWEST_HERTZ = 50.0


def active_level(samples: NDArray[np.float32]) -> float:
    """Return the root mean square of what is said, pauses left out; 0 of silence.

    Args:
        samples: 16,000 Hz, mono.

    """
    whole = np.resize(samples, max(1, -(-len(samples) // FRAME_SAMPLES)) * FRAME_SAMPLES).astype(np.float64)
    whole[len(samples) :] = 0
    power = np.mean(whole.reshape(-1, FRAME_SAMPLES) ** 2, axis=1)
    loud = power[power >= ACTIVE * power.max()]
    return float(np.sqrt(loud.mean()))


def pink_noise(count: int, seed: int) -> NDArray[np.float64]:
    """Return noise whose power falls by 3 dB an octave, as that of rooms and streets about does; its level is 1."""
    if not count:
        return np.zeros(0)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    spectrum /= np.sqrt(np.maximum(hertz, LOWEST_HERTZ))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, count)
    level = np.sqrt(np.mean(noise**2))
    return noise / level if level else noise


def with_noise(samples: NDArray[np.float32], decibels: float, seed: int) -> NDArray[np.float32]:
    """Add noise so many decibels below the level of what is said; all is made quieter where it would be cut.

    Args:
        samples: 16,000 Hz, mono, -1 to 1; they are not changed.
        decibels: of the speech over the noise.
        seed: the same makes the same noise.

    """
    noise = active_level(samples) * 10 ** (-decibels / 20) * pink_noise(len(samples), seed)
    mixed = samples + noise
    loudest = float(np.abs(mixed).max(initial=0))
    return (mixed / max(1.0, loudest)).astype(np.float32)
