"""Makers of sample audio: tones and silence in many containers, and files that lie, burst or are no audio at all."""

import io
import math
import struct
import zlib
from functools import cache
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame


def tone(seconds: float, rate: int = 16_000, hertz: float = 440) -> bytes:
    """Make a sine as s16le mono PCM."""
    times = np.arange(int(seconds * rate)) / rate
    samples: bytes = (np.sin(2 * math.pi * hertz * times) * 9000).astype("<i2").tobytes()
    return samples


def silence(seconds: float, rate: int = 16_000) -> bytes:
    """Make digital silence as s16le mono PCM."""
    return bytes(2 * int(seconds * rate))


def wav(
    pcm: bytes, rate: int = 16_000, channels: int = 1, *, riff_size: int | None = None, data_size: int | None = None
) -> bytes:
    """Wrap s16le PCM as WAV, with whatever the header is to claim."""
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2 & 0xFFFFFFFF, channels * 2 & 0xFFFF, 16)
    size = len(pcm) if data_size is None else data_size
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + pcm
    return b"RIFF" + struct.pack("<I", len(body) if riff_size is None else riff_size) + body


@cache
def encoded(container: str, codec: str, seconds: float = 1.0, rate: int = 48_000, *, quiet: bool = False) -> bytes:
    """Encode a tone (or silence) with an FFmpeg encoder in an FFmpeg container."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        pcm = silence(seconds, rate) if quiet else tone(seconds, rate)
        step = rate * 2
        for start in range(0, len(pcm), step):
            out.mux(stream.encode(_frame(pcm[start : start + step], rate, start // 2)))
        out.mux(stream.encode(None))
    return target.getvalue()


def voice_note() -> bytes:
    """Make a second of sound as messengers send it."""
    return encoded("ogg", "libopus")


def stereo(left: bytes, right: bytes) -> bytes:
    """Interleave s16le PCM."""
    pcm: bytes = np.column_stack([np.frombuffer(left, "<i2"), np.frombuffer(right, "<i2")]).tobytes()
    return pcm


def video(container: str, codec: str, picture: str = "mpeg4", seconds: float = 2.0) -> bytes:
    """Make a video: a grey picture, and a tone."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as out:
        pictures: Any = out.add_stream(picture, rate=10)
        pictures.width, pictures.height = 128, 96
        pictures.pix_fmt = "yuv420p"
        sound = out.add_stream(codec, rate=48_000, layout="mono")
        assert isinstance(sound, AudioStream)
        for index in range(int(seconds * 10)):
            picture_frame = VideoFrame(128, 96, "yuv420p")
            picture_frame.pts = index
            out.mux(pictures.encode(picture_frame))
        out.mux(pictures.encode(None))
        out.mux(sound.encode(_frame(tone(seconds, 48_000), 48_000, 0)))
        out.mux(sound.encode(None))
    return target.getvalue()


def _frame(pcm: bytes, rate: int, position: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate
    frame.pts = position
    return frame


def video_only(container: str = "mp4", codec: str = "mpeg4") -> bytes:
    """Make a video without sound."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            out.mux(stream.encode(VideoFrame(32, 32, "yuv420p")))
        out.mux(stream.encode(None))
    return target.getvalue()


def png() -> bytes:
    """Make a picture of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")


# Ogg (RFC 3533) and Opus (RFC 6716, RFC 7845)


def ogg_page(packets: list[bytes], *, serial: int = 1, number: int = 0, granule: int = 0, flags: int = 0) -> bytes:
    """Make an Ogg page of packets shorter than 255 bytes."""
    lacing = bytes(len(packet) for packet in packets)
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, serial, number, 0, len(lacing))
    page = head + lacing + b"".join(packets)
    return page[:22] + struct.pack("<I", _ogg_crc(page)) + page[26:]


@cache
def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    return table


def _ogg_crc(page: bytes) -> int:
    table, crc = _crc_table(), 0
    for byte in page:
        crc = ((crc << 8) & 0xFFFFFFFF) ^ table[(crc >> 24) ^ byte]
    return crc


def opus_head(channels: int = 1, pre_skip: int = 312) -> bytes:
    """Make the packet that starts an Opus stream."""
    return struct.pack("<8sBBHIhB", b"OpusHead", 1, channels, pre_skip, 48_000, 0, 0)


OPUS_TAGS = b"OpusTags" + struct.pack("<I4sI", 4, b"june", 0)


def ogg_opus_headers(**head: int) -> bytes:
    """Make an Ogg file that ends after the two headers."""
    return ogg_page([opus_head(**head)], flags=2) + ogg_page([OPUS_TAGS], number=1)


@cache
def opus_bomb(hours: float) -> bytes:
    """Make hours of sound in small packets: 120 ms of silence (six empty frames, DTX) in two bytes each."""
    page_seconds = 255 * 0.12
    pages = [ogg_opus_headers()]
    for index in range(int(hours * 3600 / page_seconds)):
        granule = int((index + 1) * page_seconds * 48_000)
        pages.append(ogg_page([b"\x0b\x06"] * 255, number=index + 2, granule=granule))
    return b"".join(pages)


def many_ogg_streams(count: int) -> bytes:
    """Make an Ogg file of many logical streams."""
    return b"".join(ogg_page([opus_head()], serial=serial, flags=2) for serial in range(count))


# MP4 (ISO 14496-12) and QuickTime


def box(kind: bytes, *parts: bytes) -> bytes:
    """Make an MP4 box."""
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


FTYP = box(b"ftyp", b"M4A \0\0\0\0M4A isom")


def index_bomb(samples: int) -> bytes:
    """Make an MP4 of some hundred bytes whose sample table claims many one-byte samples: an index of gigabytes."""
    entry = box(b"mp4a", bytes(6) + b"\0\1" + bytes(8) + struct.pack(">HHHHI", 2, 16, 0, 0, 44_100 << 16))
    table = box(
        b"stbl",
        box(b"stsd", bytes(4) + struct.pack(">I", 1), entry),
        box(b"stts", bytes(4) + struct.pack(">III", 1, samples, 1024)),
        box(b"stsc", bytes(4) + struct.pack(">IIII", 1, 1, samples, 1)),
        box(b"stsz", bytes(4) + struct.pack(">II", 1, samples)),
        box(b"stco", bytes(4) + struct.pack(">II", 1, 40)),
    )
    media = box(
        b"mdia",
        box(b"mdhd", bytes(4) + struct.pack(">IIII", 0, 0, 44_100, 44_100) + bytes(4)),
        box(b"hdlr", bytes(8) + b"soun" + bytes(13)),
        box(b"minf", table),
    )
    track = box(b"trak", box(b"tkhd", b"\0\0\0\7" + struct.pack(">III", 0, 0, 1) + bytes(68)), media)
    movie = box(b"mvhd", bytes(4) + struct.pack(">IIII", 0, 0, 1000, 1000) + bytes(80))
    return FTYP + box(b"moov", movie, track) + box(b"mdat", bytes(100))


def compressed_moov_bomb(size: int) -> bytes:
    """Make a QuickTime file whose compressed header bursts to ``size`` bytes."""
    packed = box(b"cmvd", struct.pack(">I", size), zlib.compress(bytes(size), 1))
    return FTYP + box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), packed))


# ID3 (id3.org, version 2.4)


def _syncsafe(value: int) -> bytes:
    return bytes((value >> shift) & 0x7F for shift in (21, 14, 7, 0))


def id3(body: bytes, *, footer: bool = False) -> bytes:
    """Make a tag with a body of any bytes, before a file of any format."""
    head = b"\4\0" + (b"\x10" if footer else b"\0") + _syncsafe(len(body))
    return b"ID3" + head + body + (b"3DI" + head if footer else b"")


def id3_bomb(size: int) -> bytes:
    """Make an MP3 whose tag holds a compressed frame that bursts to ``size`` bytes."""
    packed = zlib.compress(bytes(size), 1)
    frame = b"TXXX" + _syncsafe(len(packed) + 4) + b"\0\x09" + _syncsafe(size) + packed
    return b"ID3\4\0\0" + _syncsafe(len(frame)) + frame


# Matroska (RFC 9559)


def _element(identifier: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes.fromhex(identifier) + (0x0100000000000000 | len(body)).to_bytes(8, "big") + body


MATROSKA_HEADER = _element("1A45DFA3", _element("4282", b"webm"), _element("4287", b"\4"), _element("4285", b"\2"))


def matroska_of_nothing(blocks: int) -> bytes:
    """Make a WebM with very many empty blocks: work without sound."""
    track = _element(
        "AE",
        _element("D7", b"\1"),
        _element("73C5", b"\1"),
        _element("83", b"\2"),
        _element("86", b"A_OPUS"),
        _element("63A2", opus_head()),
        _element("E1", _element("B5", struct.pack(">f", 48_000)), _element("9F", b"\1")),
    )
    cluster = _element("1F43B675", _element("E7", b"\0"), b"\xa3\x85\x81\0\0\x80\xff" * blocks)
    return MATROSKA_HEADER + _element("18538067", _element("1654AE6B", track), cluster)
