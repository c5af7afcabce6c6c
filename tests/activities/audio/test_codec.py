"""Decoding and encoding."""

import io
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.audio import codec
from activities.audio.codec import SAMPLE_RATE, decode, encode_ogg_opus, join_ogg_opus, seconds_of
from activities.audio.formats import demuxer_of, tag_length
from activities.audio.pcm import paused
from activities.error_codes import ErrorCode, UnusableAudioError
from activities.transcribe import samples_of
from tests.support import audio_samples as make

DATA = Path(__file__).resolve().parents[2] / "data"

CONTAINERS = [
    ("ogg", "libopus", 48_000),
    ("mp4", "aac", 44_100),
    ("mp3", "libmp3lame", 44_100),
    ("flac", "flac", 22_050),
    ("webm", "libopus", 48_000),
    ("matroska", "flac", 48_000),
    ("adts", "aac", 48_000),
    ("wav", "pcm_s16le", 8_000),
    # Apple's
    ("ipod", "alac", 44_100),
    ("caf", "alac", 44_100),
    ("caf", "pcm_s16le", 44_100),
    ("caf", "adpcm_ima_qt", 44_100),
    ("aiff", "pcm_s16be", 44_100),
    ("aiff", "pcm_s24be", 48_000),
    ("aiff", "pcm_f32be", 48_000),
    ("mov", "pcm_s16be", 44_100),
    # Telephones'
    ("amr", "libopencore_amrnb", 8_000),
    ("3gp", "libopencore_amrnb", 8_000),
    ("mp4", "libopus", 48_000),
    # Voice mail's
    ("wav", "pcm_alaw", 8_000),
    ("wav", "g722", 16_000),
    ("wav", "g726", 8_000),
    ("aiff", "pcm_alaw", 8_000),
    ("au", "pcm_mulaw", 8_000),
    # Studios' and cameras'
    ("wav", "pcm_f32le", 48_000),
    ("w64", "pcm_s16le", 44_100),
    ("ogg", "flac", 48_000),
    ("avi", "libmp3lame", 48_000),
    ("mp4", "ac3", 48_000),
    ("mpegts", "aac", 48_000),
    ("vob", "ac3", 48_000),
]
VIDEOS = [
    ("mp4", "aac", "mpeg4"),
    ("mov", "alac", "mpeg4"),
    ("webm", "libopus", "libvpx"),
    ("matroska", "libmp3lame", "mpeg4"),
    ("avi", "pcm_s16le", "mpeg4"),
    ("3gp", "aac", "h263"),
    ("mpegts", "mp2", "mpeg2video"),
]
"""Container, audio codec, video codec."""


def loudest_hertz(pcm: bytes, rate: int = SAMPLE_RATE) -> float:
    """Find the strongest frequency."""
    samples = np.frombuffer(pcm, "<i2")
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate / len(samples))


@pytest.mark.parametrize(("container", "codec", "rate"), CONTAINERS)
def test_accepted_formats_become_16_khz_mono(container: str, codec: str, rate: int) -> None:
    pcm = decode(make.encoded(container, codec, 2, rate), 10)
    assert seconds_of(pcm) == pytest.approx(2, abs=0.12)  # MP3 and AAC pad their frames
    assert loudest_hertz(pcm) == pytest.approx(440, abs=2)


def test_mp3_without_tag_is_known_by_its_sync_word() -> None:
    tagged = make.encoded("mp3", "libmp3lame", 1, 44_100)
    assert demuxer_of(tagged) == "mp3"
    assert demuxer_of(tagged[tagged.index(b"\xff\xfb") :]) == "mp3"


@pytest.mark.parametrize("path", sorted(DATA.glob("*.[fw]*")), ids=lambda path: path.name)
def test_recordings(path: Path) -> None:
    with av.open(str(path)) as container:
        assert container.duration is not None
        seconds = container.duration / 1e6
    assert seconds_of(decode(path.read_bytes(), 60)) == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize("right", [make.silence(3), make.tone(3), bytes(-np.frombuffer(make.tone(3), "<i2"))])
def test_stereo_is_mixed(right: bytes) -> None:
    pcm = decode(make.wav(make.stereo(make.tone(3), right), channels=2), 10)
    assert seconds_of(pcm) == pytest.approx(3, abs=0.01)
    assert loudest_hertz(pcm) == pytest.approx(440, abs=2)
    assert np.abs(np.frombuffer(pcm, "<i2")).max() > 4000


def test_channels_become_one_whatever_the_rate_and_layout() -> None:
    channels = np.repeat(np.frombuffer(make.tone(2.5, 44_100), "<i2"), 6).tobytes()
    pcm = decode(make.wav(channels, 44_100, 6), 10)
    assert seconds_of(pcm) == pytest.approx(2.5, abs=0.01)
    assert loudest_hertz(pcm) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("size", [200, 2_000_000])
@pytest.mark.parametrize(
    ("container", "codec"),
    [("flac", "flac"), ("adts", "aac"), ("wav", "pcm_s16le"), ("mp3", "libmp3lame"), ("ogg", "libopus")],
)
def test_a_tag_before_any_format_is_stepped_over(container: str, codec: str, size: int) -> None:
    pcm = decode(make.id3(bytes(size)) + make.encoded(container, codec), 10)
    assert seconds_of(pcm) == pytest.approx(1, abs=0.12)
    assert loudest_hertz(pcm) == pytest.approx(440, abs=3)


def test_padding_between_a_tag_and_the_first_frame_is_skipped() -> None:
    frames = make.encoded("mp3", "libmp3lame", 1, 44_100)
    assert seconds_of(decode(make.id3(b"") + bytes(2000) + frames[tag_length(frames) :], 10)) > 0.9


@pytest.mark.parametrize(("container", "codec", "picture"), VIDEOS)
def test_the_sound_of_a_video_counts(container: str, codec: str, picture: str) -> None:
    pcm = decode(make.video(container, codec, picture), 10)
    assert seconds_of(pcm) == pytest.approx(2, abs=0.12)
    assert loudest_hertz(pcm) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("kind", ["tta", "wavpack"])
def test_no_decoder_outside_the_list_sees_a_byte(kind: str) -> None:
    with pytest.raises(UnusableAudioError, match="no accepted kind") as caught:
        decode(make.encoded("matroska", kind), 10)
    assert caught.value.code == ErrorCode.AUDIO_UNREADABLE


def test_the_list_binds_the_stream_as_well_as_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_is_accepted", lambda stream: stream.type == "audio")
    with pytest.raises(UnusableAudioError):
        decode(make.encoded("matroska", "tta"), 10)


def test_the_cap_is_exact() -> None:
    assert len(decode(make.wav(make.tone(2)), 2)) == 64_000
    with pytest.raises(UnusableAudioError) as caught:
        decode(make.wav(make.tone(2.01)), 2)
    assert caught.value.code == ErrorCode.AUDIO_TOO_LONG
    assert caught.value.params == {"limit_seconds": 2}


def test_the_budget_of_time_is_kept() -> None:
    with pytest.raises(UnusableAudioError, match="more work") as caught:
        decode(make.opus_bomb(0.1), 600, budget_seconds=0)
    assert caught.value.code == ErrorCode.AUDIO_UNREADABLE


def test_a_picture_beside_the_sound_is_left_alone() -> None:
    tagged = make.encoded("flac", "flac", 1, 16_000)
    picture = make.png()
    block = b"\0\0\0\3\0\0\0\x09image/png\0\0\0\0" + bytes(16) + len(picture).to_bytes(4, "big") + picture
    with_picture = tagged[:42] + b"\6" + len(block).to_bytes(3, "big") + block + tagged[42:]
    with av.open(io.BytesIO(with_picture)) as container:
        assert len(container.streams.video) == 1
    assert seconds_of(decode(with_picture, 10)) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_voice_notes_are_opus_48_khz_mono(rate: int) -> None:
    note = encode_ogg_opus(make.tone(3, rate), rate, 32_000)
    assert len(note) < 3 * 6_000
    with av.open(io.BytesIO(note)) as container:
        stream = container.streams[0]
        assert isinstance(stream, AudioStream)
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("opus", 48_000, 1)
    pcm = decode(note, 10)
    assert seconds_of(pcm) == pytest.approx(3, abs=0.03)
    assert loudest_hertz(pcm) == pytest.approx(440, abs=2)


def test_joined_notes_sound_as_each_by_itself() -> None:
    tones = [make.tone(seconds, 22_050, hertz) for seconds, hertz in ((1, 300), (0.61, 500), (2.005, 400))]
    notes = [encode_ogg_opus(paused(tone, 22_050), 22_050, 32_000) for tone in tones]
    joined, seconds = join_ogg_opus(notes, 60)
    alone = [samples_of(decode(note, 60)) for note in notes]
    together = samples_of(decode(joined, 60))
    assert len(together) / 16_000 == pytest.approx(seconds, abs=0.02)
    start = 0
    for note, sound in zip(notes, alone, strict=True):
        assert np.abs(together[start : start + len(sound) - 400] - sound[:-400]).max() < 0.01
        start += 320 * packets(note)


def test_joined_notes_end_when_they_are_told_to() -> None:
    note = encode_ogg_opus(make.tone(1, 22_050), 22_050, 32_000)
    joined, seconds = join_ogg_opus([note, note], 1.5)
    assert (packets(joined), seconds) == (75, 1.5)


def packets(note: bytes) -> int:
    with av.open(io.BytesIO(note), "r") as container:
        return sum(packet.size > 0 for packet in container.demux())


def test_opus_packets_last_20_ms() -> None:
    note = encode_ogg_opus(make.tone(1, 22_050), 22_050, 32_000)
    with av.open(io.BytesIO(note), "r") as container:
        durations = {packet.duration for packet in container.demux() if packet.size}
    assert max(d for d in durations if d is not None) == 960


@pytest.mark.parametrize("pcm", [b"", b"\0", b"\0\0\0"])
def test_hardly_anything_can_be_encoded(pcm: bytes) -> None:
    assert encode_ogg_opus(pcm, 22_050, 32_000).startswith(b"OggS")


MAGIC = st.sampled_from(
    [
        *(b"", b"OggS", b"fLaC", b"ID3", b"\xff\xfb", b"\xff\xf1", b"RIFF1234WAVE", b"0000ftyp", b"\x1a\x45\xdf\xa3"),
        *(b"#!AMR\n", b"#!AMR-WB\n", b"FORM1234AIFF", b"FORM1234AIFC", b"caff\0\1\0\0desc", b".snd", b"RIFF1234AVI "),
        *(b"RF641234WAVE", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"riff\x2e\x91\xcf\x11", b"\0\0\1\xba", b"0000moov"),
    ]
)


@given(MAGIC, st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes_decode_or_are_bad_input(magic: bytes, rest: bytes) -> None:
    decodes_or_is_bad_input(magic + rest)


@pytest.mark.slow
@given(
    st.sampled_from(CONTAINERS).map(lambda made: make.encoded(made[0], made[1], 0.2, made[2])),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12),
    st.floats(0, 1),
)
@settings(max_examples=200, deadline=None)
def test_damaged_files_decode_or_are_bad_input(file: bytes, changes: list[tuple[int, int]], kept: float) -> None:
    damaged = bytearray(file)
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    decodes_or_is_bad_input(bytes(damaged[: int(len(damaged) * (1 - kept / 4))]))


def decodes_or_is_bad_input(data: bytes) -> None:
    """Decode; anything but PCM within the cap or UnusableAudioError fails the test."""
    with suppress(UnusableAudioError):
        pcm = decode(data, 5)
        assert len(pcm) % 2 == 0
        assert 0 < seconds_of(pcm) <= 5
