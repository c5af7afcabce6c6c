"""What is spoken, at which level, cut where."""

from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers.engines.voice_activity import LOUD, MAX_GAIN, SAMPLE_RATE, WINDOW_SECONDS, levelled, spoken, windows

AUDIO = Path(__file__).parents[2] / "data"
Samples = NDArray[np.float32]


@pytest.fixture(scope="module")
def voice() -> Samples:
    return np.asarray(decode_audio(str(AUDIO / "living_room_light_en.wav")), np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)


def test_a_normal_recording_stays_as_it_is(voice: Samples) -> None:
    assert levelled(voice) is voice


def test_a_quiet_recording_is_raised_to_its_peak(voice: Samples) -> None:
    raised = levelled(voice * np.float32(0.1))
    assert np.abs(raised).max() == pytest.approx(LOUD, rel=0.02)
    assert np.corrcoef(raised, voice)[0, 1] > 0.999


@pytest.mark.parametrize("knock", [np.full(64, 0.98), np.full(4000, -0.9)], ids=["click", "quarter of a second"])
def test_a_knock_does_not_hide_a_faint_voice(voice: Samples, knock: Samples) -> None:
    faint = voice * np.float32(0.01)
    raised = levelled(np.concatenate([knock, silence(0.4), faint]).astype(np.float32))
    assert np.abs(raised[-len(faint) :]).max() > 10 * np.abs(faint).max()
    assert np.abs(raised).max() <= 1


@given(st.lists(st.floats(-1, 1, width=32), max_size=2000))
def test_any_samples_stay_within_bounds(samples: list[float]) -> None:
    given_samples = np.asarray(samples, np.float32)
    raised = levelled(given_samples)
    assert raised.shape == given_samples.shape
    assert np.abs(raised).max(initial=0) <= max(LOUD * 1.001, np.abs(given_samples).max(initial=0))
    assert (np.abs(raised) <= np.abs(given_samples) * MAX_GAIN * 1.001).all()


def test_pieces_are_cut_at_pauses(voice: Samples) -> None:
    pieces = spoken(np.concatenate([silence(2), voice, silence(0.4), voice, silence(3)]))
    assert len(pieces) == 2
    assert [len(piece) / SAMPLE_RATE for piece in pieces] == pytest.approx([1.7, 1.7], abs=0.4)
    assert spoken(silence(3)) == []


@given(st.lists(st.integers(1, WINDOW_SECONDS * SAMPLE_RATE), max_size=12))
def test_windows_hold_all_pieces_in_order(lengths: list[int]) -> None:
    pieces = [np.zeros(length, np.float32) for length in lengths]
    grouped = windows(pieces)
    assert [id(piece) for window in grouped for piece in window] == [id(piece) for piece in pieces]
    assert all(0 < sum(map(len, window)) <= WINDOW_SECONDS * SAMPLE_RATE for window in grouped)
