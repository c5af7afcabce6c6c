"""Noise at a signal-to-noise ratio."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from activities.audio.codec import decode
from activities.audio.pcm import SAMPLE_RATE
from activities.speech.clips import SHIPPED, read_set
from activities.speech.noise import active_level, pink_noise, with_noise

DECIBELS = st.floats(-5, 40)
SEEDS = st.integers(0, 2**63)


def tone(seconds: float, level: float = 0.1, pause: float = 0.0) -> NDArray[np.float32]:
    """A tone, and a pause after it."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sound = level * np.sin(2 * np.pi * 300 * time)
    return np.append(sound, np.zeros(int(pause * SAMPLE_RATE))).astype(np.float32)


def level_of(samples: NDArray[np.float64]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


@given(DECIBELS, SEEDS, st.floats(0.001, 0.5), st.floats(0, 3))
def test_the_ratio_is_that_which_was_asked_for(decibels: float, seed: int, level: float, pause: float) -> None:
    sound = tone(1, level, pause)
    noisy = with_noise(sound, decibels, seed).astype(np.float64)
    scale = np.dot(noisy, sound) / np.dot(sound, sound)
    whole = np.abs(noisy).max() >= 0.999
    factor = scale if whole else 1.0  # made quieter, where it would have been cut
    noise = noisy - factor * sound
    ratio = 20 * np.log10(factor * level / np.sqrt(2) / level_of(noise))
    assert ratio == pytest.approx(decibels, abs=0.5)
    assert np.abs(noisy).max() <= 1


@pytest.mark.parametrize("decibels", [10, 5])
def test_the_ratio_of_a_recording(decibels: float) -> None:
    sound = read_set(SHIPPED).sound("en-01", decode)
    noise = with_noise(0.1 * sound, decibels, 1) - 0.1 * sound
    assert 20 * np.log10(active_level(0.1 * sound) / level_of(noise)) == pytest.approx(decibels, abs=0.5)


@given(st.floats(0.01, 0.9), st.floats(0, 5))
def test_pauses_do_not_count(level: float, pause: float) -> None:
    assert active_level(tone(0.9, level, pause)) == pytest.approx(level / np.sqrt(2), rel=0.02)


@given(SEEDS)
def test_noise_is_the_same_for_a_seed_and_falls_by_three_decibels_an_octave(seed: int) -> None:
    noise = pink_noise(4 * SAMPLE_RATE, seed)
    assert np.array_equal(noise, pink_noise(4 * SAMPLE_RATE, seed))
    assert not np.array_equal(noise, pink_noise(4 * SAMPLE_RATE, seed + 1))
    assert level_of(noise) == pytest.approx(1)
    power = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [power[4 * low : 8 * low].mean() for low in (200, 400, 800, 1600)]
    falls = 10 * np.log10(np.divide(octaves[:-1], octaves[1:]))
    assert falls == pytest.approx([3, 3, 3], abs=1.5)


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_silence_and_next_to_nothing_stay_so(count: int) -> None:
    silence = np.zeros(count, np.float32)
    assert np.array_equal(with_noise(silence, 5, 1), silence)
    assert active_level(silence) == 0
