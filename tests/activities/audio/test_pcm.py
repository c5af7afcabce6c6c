"""PCM by the second, and the silence after a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.audio.pcm import PAUSE_SECONDS, SAMPLE_BYTES, SAMPLE_RATE, paused, seconds_of

RATES = st.sampled_from([8_000, 16_000, 22_050, 48_000])


@given(st.integers(0, 100_000), RATES)
def test_seconds_are_samples_by_rate(samples: int, rate: int) -> None:
    assert seconds_of(bytes(samples * SAMPLE_BYTES), rate) == pytest.approx(samples / rate)


@given(st.binary(max_size=1000).filter(lambda pcm: len(pcm) % SAMPLE_BYTES == 0), RATES)
def test_a_pause_is_silence_behind_the_sound(pcm: bytes, rate: int) -> None:
    longer = paused(pcm, rate)
    assert longer.startswith(pcm)
    assert set(longer[len(pcm) :]) <= {0}
    assert seconds_of(longer, rate) - seconds_of(pcm, rate) == pytest.approx(PAUSE_SECONDS, abs=1 / rate)


def test_recognition_takes_sixteen_kilohertz() -> None:
    assert seconds_of(bytes(SAMPLE_RATE * SAMPLE_BYTES)) == 1
