"""Stored sound for browsers: WAV that others read, and exactly the piece that was asked for."""

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.web.sound import as_wav, playable


@given(st.binary(max_size=400).map(lambda data: data[: len(data) // 2 * 2]), st.sampled_from([8_000, 22_050, 48_000]))
def test_wav_holds_the_samples(pcm: bytes, rate: int) -> None:
    with wave.open(io.BytesIO(as_wav(pcm, rate))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, rate)
        assert file.readframes(file.getnframes()) == pcm


@pytest.mark.parametrize(
    ("wanted", "status", "piece"),
    [
        (None, 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
        ("lines=0-1", 200, b"0123456789"),
        ("bytes=0-0", 206, b"0"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=10-", 416, b""),
        ("bytes=5-3", 416, b""),
    ],
)
def test_pieces(wanted: str | None, status: int, piece: bytes) -> None:
    answer = playable(b"0123456789", "audio/ogg", wanted)
    assert (answer.status_code, answer.body) == (status, piece)
