"""Formats known by their first bytes, behind tags too."""

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.audio.formats import DECODERS, demuxer_of, tag_length
from tests.support import audio_samples as make


@pytest.mark.parametrize(
    ("head", "demuxer"),
    [
        (b"OggS", "ogg"),
        (b"fLaC", "flac"),
        (b"#!AMR\n", "amr"),
        (b"#!AMR-WB\n", "amr"),
        (b"caff\0\1", "caf"),
        (b".snd", "au"),
        (b"\x1a\x45\xdf\xa3", "matroska,webm"),
        (b"FORM1234AIFF", "aiff"),
        (b"FORM1234AIFC", "aiff"),
        (b"FORM12348SVX", None),
        (b"RIFF1234WAVE", "wav"),
        (b"RIFX1234WAVE", "wav"),
        (b"RF64\xff\xff\xff\xffWAVE", "wav"),
        (b"RIFF1234AVI ", "avi"),
        (b"RIFF1234WEBP", None),
        (b"\0\0\0\x18ftypM4A ", "mov,mp4,m4a,3gp,3g2,mj2"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "mov,mp4,m4a,3gp,3g2,mj2"),
        (b"\xff\xfb\x90\0", "mp3"),
        (b"\xff\xf1\x50\x80", "aac"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", None),
        (b"\xff\xfeH\0e\0l\0l\0o\0", "mp3"),  # UTF-16's mark looks like a sync word; the demuxer finds no frame
        (b"G" + bytes(187) + b"G" + bytes(187) + b"G", "mpegts"),
        (b"GGG, a text that begins so", None),
        (b"%PDF-1.7", None),
        (b"PK\3\4", None),
        (b"", None),
    ],
)
def test_magic(head: bytes, demuxer: str | None) -> None:
    assert demuxer_of(head) == demuxer


@pytest.mark.parametrize("size", [0, 200, 2_000_000])
@pytest.mark.parametrize(
    ("container", "codec", "demuxer"),
    [("flac", "flac", "flac"), ("adts", "aac", "aac"), ("wav", "pcm_s16le", "wav"), ("aiff", "pcm_s16be", "aiff")],
)
def test_what_stands_behind_a_tag_counts(container: str, codec: str, demuxer: str, size: int) -> None:
    tag = make.id3(bytes(size))
    assert tag_length(tag + b"whatever") == len(tag)
    assert demuxer_of(tag + tag + make.encoded(container, codec)) == demuxer


def test_a_tag_with_a_footer() -> None:
    assert tag_length(make.id3(bytes(100), footer=True)) == 120


@given(st.binary(max_size=300))
def test_any_bytes_behind_a_tag(rest: bytes) -> None:
    for data in (b"ID3\4\0\0" + rest, make.id3(b"") + rest):
        assert tag_length(data) >= 0
        assert demuxer_of(data) is None or data[tag_length(data) :]


def test_every_decoder_is_there_and_decodes_sound() -> None:
    for name in DECODERS & av.codecs_available:
        assert av.Codec(name, "r").type == "audio"
    assert av.codecs_available | {"aac_fixed"} >= DECODERS
