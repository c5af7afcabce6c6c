"""The hostile files, each with the error code it must get; None where the honest part of it is played."""

import random
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO

from activities.error_codes import ErrorCode
from tests.support import audio_samples as make

EMPTY, UNREADABLE = ErrorCode.AUDIO_EMPTY, ErrorCode.AUDIO_UNREADABLE
TOO_LONG, TOO_LARGE = ErrorCode.AUDIO_TOO_LONG, ErrorCode.AUDIO_TOO_LARGE

MAX_BYTES = 20_000_000
SDP = b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 40000 RTP/AVP 0\n"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"


def _ogg() -> bytes:
    return make.encoded("ogg", "libopus", 4)


def _flac() -> bytes:
    return make.encoded("flac", "flac")


def _flipped(data: bytes, every: int) -> bytes:
    """Flip one bit in so many bytes."""
    damaged = bytearray(data)
    chance = random.Random(7)  # noqa: S311
    for _ in range(len(damaged) // every):
        damaged[chance.randrange(4, len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _flac_claiming_hours() -> bytes:
    """STREAMINFO's count of samples (36 bits at byte 21) says 400 hours."""
    data = bytearray(_flac())
    data[21] |= 0x0F
    data[22:26] = b"\xff\xff\xff\xff"
    return bytes(data)


def _zip() -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(1_000_000))
    return target.getvalue()


def _sync_words() -> bytes:
    return b"\xff\xfb\x90\x00" * 100_000


def _claiming(container: str, codec: str, marker: bytes, skip: int, claim: bytes) -> bytes:
    """Overwrite a size that a header claims: the bytes ``skip`` behind a marker."""
    data = bytearray(make.encoded(container, codec, 1, 8_000))
    place = data.index(marker) + skip
    data[place : place + len(claim)] = claim
    return bytes(data)


def _amr_of_nothing() -> bytes:
    """Frames of the type that holds nothing (15): a byte each, 20 ms each."""
    return b"#!AMR\n" + b"\x7c" * 200_000


FILES: dict[str, tuple[Callable[[], bytes], ErrorCode | None]] = {
    "empty": (lambda: b"", EMPTY),
    "one-byte": (lambda: b"O", UNREADABLE),
    "garbage": (lambda: random.Random(1).randbytes(50_000), UNREADABLE),  # noqa: S311
    "text": (lambda: b"This is not audio. " * 100, UNREADABLE),
    "sdp": (lambda: SDP, UNREADABLE),
    "hls-playlist": (lambda: PLAYLIST, UNREADABLE),
    "concat-script": (lambda: b"ffconcat version 1.0\nfile /etc/passwd\n", UNREADABLE),
    "html": (lambda: b"<!DOCTYPE html><html><body>404</body></html>", UNREADABLE),
    "png": (make.png, UNREADABLE),
    "zip": (_zip, UNREADABLE),
    "video-only": (make.video_only, UNREADABLE),
    "ogg-magic-only": (lambda: b"OggS", UNREADABLE),
    "ogg-headers-only": (make.ogg_opus_headers, UNREADABLE),
    "ogg-no-channels": (lambda: make.ogg_opus_headers(channels=0) + _ogg()[200:], UNREADABLE),
    "ogg-truncated-head": (lambda: _ogg()[:60], UNREADABLE),
    "ogg-truncated": (lambda: _ogg()[: len(_ogg()) * 3 // 4], None),
    "ogg-garbage-body": (lambda: _ogg()[:28] + bytes(5000), UNREADABLE),
    "ogg-flipped": (lambda: _flipped(_ogg(), 3), UNREADABLE),
    "ogg-20000-streams": (lambda: make.many_ogg_streams(20_000), UNREADABLE),
    "opus-bomb": (lambda: make.opus_bomb(8.5), TOO_LONG),
    "flac-truncated": (lambda: _flac()[: len(_flac()) // 2], None),
    "flac-flipped": (lambda: _flipped(_flac(), 3), UNREADABLE),
    "flac-claims-hours": (_flac_claiming_hours, None),
    "flac-bomb": (lambda: make.encoded("flac", "flac", 3600, 8_000, quiet=True), TOO_LONG),
    "mp3-truncated": (lambda: make.encoded("mp3", "libmp3lame")[:3000], None),
    "mp3-sync-words": (_sync_words, UNREADABLE),
    "id3-huge-claim": (lambda: b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(1000), UNREADABLE),
    "id3-compression-bomb": (lambda: make.id3_bomb(120_000_000), UNREADABLE),
    "id3-longer-than-the-file": (lambda: make.id3(bytes(90_000))[:50_000] + _flac()[:100], UNREADABLE),
    "id3-and-nothing": (lambda: make.id3(bytes(100)), UNREADABLE),
    "id3-2000-times": (lambda: make.id3(b"") * 2000 + b"fLaC", UNREADABLE),
    "id3-before-text": (lambda: make.id3(bytes(100)) + b"This is not audio. " * 100, UNREADABLE),
    "amr-magic-only": (lambda: b"#!AMR\n", EMPTY),
    "amr-garbage": (lambda: b"#!AMR-WB\n" + random.Random(2).randbytes(50_000), None),  # noqa: S311
    "amr-of-nothing": (_amr_of_nothing, UNREADABLE),
    "aiff-claims-gigabytes": (lambda: _claiming("aiff", "pcm_s16be", b"SSND", 4, b"\x7f\xff\xff\xf0"), None),
    "aiff-claims-a-huge-header": (lambda: _claiming("aiff", "pcm_s16be", b"COMM", 4, b"\x7f\xff\xff\xf0"), EMPTY),
    "aiff-claims-65535-channels": (lambda: _claiming("aiff", "pcm_s16be", b"COMM", 8, b"\xff\xff"), UNREADABLE),
    "caf-claims-exabytes": (lambda: _claiming("caf", "pcm_s16le", b"data", 4, b"\x7f" + b"\xff" * 7), UNREADABLE),
    "caf-of-a-recorder-that-died": (lambda: _claiming("caf", "pcm_s16le", b"data", 4, b"\xff" * 8), None),
    "caf-claims-a-huge-table": (lambda: _claiming("caf", "alac", b"kuki", 4, b"\0\0\0\0\x7f\xff\xff\xff"), UNREADABLE),
    "caf-claims-huge-packets": (lambda: _claiming("caf", "pcm_s16le", b"lpcm", 8, b"\x7f\xff\xff\xff"), UNREADABLE),
    "mp4-of-another-codec": (
        lambda: make.encoded("ipod", "alac", 1, 44_100).replace(b"alac", b"Qclp"),
        UNREADABLE,
    ),
    "matroska-of-another-codec": (lambda: make.encoded("matroska", "tta"), UNREADABLE),
    "avi-claims-gigabytes": (lambda: _claiming("avi", "pcm_s16le", b"movi", -4, b"\xf0\xff\xff\x7f"), None),
    "asf-magic-only": (lambda: b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + b"\xff" * 200, UNREADABLE),
    "mpegts-of-nothing": (lambda: (b"G" + b"\x1f\xff\x10" + bytes(184)) * 5000, UNREADABLE),
    "webm-video-only": (lambda: make.video_only("webm", "libvpx"), UNREADABLE),
    "wav-headers-only": (lambda: make.wav(b""), EMPTY),
    "wav-truncated-head": (lambda: make.wav(make.tone(1))[:30], UNREADABLE),
    "wav-claims-hours": (lambda: make.wav(make.tone(1), data_size=0xFFFFFFF0, riff_size=0xFFFFFFFF), None),
    "wav-wrong-sizes": (lambda: make.wav(make.tone(1), riff_size=1), None),
    "wav-4-ghz": (lambda: make.wav(make.tone(1), rate=0xFFFFFFFF), UNREADABLE),
    "wav-1-hz": (lambda: make.wav(make.tone(1), rate=1), UNREADABLE),
    "wav-0-hz": (lambda: make.wav(make.tone(1), rate=0), UNREADABLE),
    "wav-65535-channels": (lambda: make.wav(make.tone(9), channels=65535), UNREADABLE),
    "wav-0-channels": (lambda: make.wav(make.tone(1), channels=0), UNREADABLE),
    "wav-long": (lambda: make.wav(make.silence(1200, 8_000), rate=8_000), TOO_LONG),
    "matroska-absurd-size": (lambda: b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe" + bytes(100), UNREADABLE),
    "matroska-of-nothing": (lambda: make.matroska_of_nothing(600_000), EMPTY),
    "mp4-absurd-moov": (lambda: make.FTYP + struct.pack(">I4sQ", 1, b"moov", 1 << 62) + bytes(100), UNREADABLE),
    "mp4-index-bomb": (lambda: make.index_bomb(80_000_000), EMPTY),
    "mp4-compressed-bomb": (lambda: make.compressed_moov_bomb(400_000_000), UNREADABLE),
    "too-large": (lambda: make.wav(bytes(MAX_BYTES)), TOO_LARGE),
}
