"""Channels become one, and none is lost."""

import numpy as np
import pytest
from numpy.typing import NDArray

from activities.audio.downmix import mixed

SECOND = np.arange(16_000) / 16_000
Channel = NDArray[np.float64]
VOICE: Channel = 6000 * np.sin(2 * np.pi * 440 * SECOND)
OTHER: Channel = 5000 * np.sin(2 * np.pi * 620 * SECOND)
HUM: Channel = 6000 * np.sin(2 * np.pi * 50 * SECOND)
NOISE: Channel = np.random.default_rng(1).normal(0, 30, 16_000)


def part_of(sound: Channel, channels: list[Channel]) -> float:
    """Return how much of a sound a mix holds: its amplitude there over its own."""
    samples = mixed(np.stack(channels).astype(np.int16)).astype(np.float64)
    return float(samples @ sound / (sound @ sound))


@pytest.mark.parametrize(
    ("channels", "least"),
    [
        ([VOICE, VOICE], 0.99),
        ([VOICE, -VOICE], 0.99),
        ([-VOICE, VOICE * 0.9], 0.89),
        ([VOICE + NOISE, -VOICE - NOISE], 0.99),
        ([VOICE + HUM, HUM - VOICE], 0.99),
        ([VOICE, 0 * VOICE], 0.49),
        ([0 * VOICE, VOICE], 0.49),
        ([VOICE, OTHER], 0.49),
        ([NOISE, NOISE, VOICE, NOISE, NOISE, NOISE], 0.16),  # a film's speech in the middle
        ([VOICE, -VOICE, VOICE, -VOICE], 0.99),
        ([VOICE], 0.99),
    ],
)
def test_the_voice_is_in_the_mix(channels: list[Channel], least: float) -> None:
    assert abs(part_of(VOICE, channels)) > least


def test_two_people_on_two_channels_are_both_heard() -> None:
    assert part_of(OTHER, [VOICE, OTHER]) > 0.49


def test_silence_stays_silent() -> None:
    assert not mixed(np.zeros((2, 100), np.int16)).any()


def test_the_loudest_sound_is_not_clipped() -> None:
    loudest = np.full((2, 100), -32768, np.int16)
    assert mixed(loudest).min() == -32768
