"""Several channels become one, without losing what is said."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

CANCELLED = 0.25
"""Part of the energy that unrelated channels leave in their mean (6 dB less), below which the mean lost them."""


def mixed(channels: NDArray[np.int16]) -> NDArray[np.int16]:
    """Mix a block of sound: the channels' mean, or the loudest of them where the mean cancels what they hold.

    Channels that are each other's opposite (a miswired cable, a headset that is broken) leave silence in the mean.
    Neighbouring samples' differences are compared, in which a hum that the channels share weighs little.

    Args:
        channels: samples by channel, shape (channels, samples).

    """
    mean = channels.mean(axis=0, dtype=np.float32)
    energies = [_energy(channel) for channel in channels]
    if _energy(mean) < CANCELLED * sum(energies) / len(channels) ** 2:
        loudest: NDArray[np.int16] = channels[int(np.argmax(energies))]
        return loudest
    rounded: NDArray[np.int16] = np.rint(mean).astype(np.int16)
    return rounded


def _energy(samples: NDArray[Any]) -> float:
    return float(np.square(np.diff(samples.astype(np.float32))).sum(dtype=np.float64))
