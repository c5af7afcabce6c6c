"""One speech as telephones, browsers, cameras and taggers record it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame

from tests.support import audio_samples as make

RATE = 48_000
"""Hertz of the speech that is encoded."""


def pcm_of(file: Path | bytes) -> bytes:
    """Decode a file with PyAV alone to s16le, mono, at RATE."""
    source = io.BytesIO(file) if isinstance(file, bytes) else str(file)
    resampler, pcm = AudioResampler(format="s16", layout="mono", rate=RATE), bytearray()
    with av.open(source, "r") as container:
        for frame in container.decode(audio=0):
            frame.pts = None
            pcm += _bytes_of(resampler.resample(frame))
    return bytes(pcm + _bytes_of(resampler.resample(None)))


def _bytes_of(frames: list[AudioFrame]) -> bytes:
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)


def encoded(
    pcm: bytes, container: str, codec: str, rate: int = RATE, *, bit_rate: int = 0, picture: str | None = None
) -> bytes:
    """Encode speech, with a grey picture beside it where a video codec is named."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as out:
        pictures: Any = None
        if picture:
            pictures = out.add_stream(picture, rate=5)
            pictures.width, pictures.height, pictures.pix_fmt = 176, 144, "yuv420p"
        stream = out.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        if bit_rate:
            stream.bit_rate = bit_rate
        stream.codec_context.open()  # so that it tells its frames' size
        for index in range(len(pcm) // (2 * RATE) * 5 if pictures else 0):
            still = VideoFrame(176, 144, "yuv420p")
            still.pts = index
            out.mux(pictures.encode(still))
        if pictures:
            out.mux(pictures.encode(None))
        resampler = AudioResampler(
            format=stream.format.name, layout="mono", rate=rate, frame_size=stream.codec_context.frame_size or 0
        )
        frame = AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        for given in (frame, None):
            for part in resampler.resample(given):
                out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return target.getvalue()


def opposite(pcm: bytes) -> bytes:
    """Record in stereo with a miswired cable: the channels are each other's opposite."""
    left = np.frombuffer(pcm, "<i2").clip(-32767, 32767).astype("<i2")
    return make.wav(make.stereo(left.tobytes(), (-left).tobytes()), RATE, 2)


KINDS: dict[str, Callable[[bytes], bytes]] = {
    "messenger.ogg": lambda pcm: encoded(pcm, "ogg", "libopus", bit_rate=24_000),
    "browser.webm": lambda pcm: encoded(pcm, "webm", "libopus", bit_rate=48_000),
    "safari.mp4": lambda pcm: encoded(pcm, "mp4", "aac", 44_100, bit_rate=64_000),
    "memo.m4a": lambda pcm: encoded(pcm, "ipod", "alac", 44_100),
    "telephone.amr": lambda pcm: encoded(pcm, "amr", "libopencore_amrnb", 8_000, bit_rate=12_200),
    "telephone.3gp": lambda pcm: encoded(pcm, "3gp", "libopencore_amrnb", 8_000, bit_rate=12_200),
    "mac.aiff": lambda pcm: encoded(pcm, "aiff", "pcm_s16be", 44_100),
    "mac.caf": lambda pcm: encoded(pcm, "caf", "alac", 44_100),
    "tagged.flac": lambda pcm: make.id3(bytes(70_000)) + encoded(pcm, "flac", "flac"),
    "tagged.mp3": lambda pcm: make.id3(bytes(70_000)) + encoded(pcm, "mp3", "libmp3lame", 44_100, bit_rate=64_000),
    "tagged.aac": lambda pcm: make.id3(bytes(300)) + encoded(pcm, "adts", "aac", 44_100, bit_rate=64_000),
    "video.mp4": lambda pcm: encoded(pcm, "mp4", "aac", 44_100, bit_rate=64_000, picture="mpeg4"),
    "video.webm": lambda pcm: encoded(pcm, "webm", "libopus", bit_rate=48_000, picture="libvpx"),
    "camera.mov": lambda pcm: encoded(pcm, "mov", "pcm_s16be", picture="mpeg4"),
    "camera.avi": lambda pcm: encoded(pcm, "avi", "pcm_s16le", picture="mpeg4"),
    "camera.mts": lambda pcm: encoded(pcm, "mpegts", "ac3", bit_rate=128_000, picture="mpeg2video"),
    "voicemail.wav": lambda pcm: encoded(pcm, "wav", "pcm_mulaw", 8_000),
    "studio.wav": lambda pcm: encoded(pcm, "wav", "pcm_f32le"),
    "miswired.wav": opposite,
}
"""What a file of each kind is made of, of s16le mono PCM at RATE."""
