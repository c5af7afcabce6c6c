"""Audio as bytes: container files in, PCM out, and back. No Temporal, no network, no files.

Input is hostile. The demuxer is forced by the file's first bytes (never guessed: FFmpeg would open a text file as
SDP and listen on the network), decoders come from an allow-list that binds the probe and the stream, and nothing that
a file claims of its own duration is believed: samples are counted while they are decoded. Of a video only the sound is
decoded. What C code does inside one call cannot be bounded from here (621 bytes of MP4 make FFmpeg fill 2.8 GB);
``activities.audio.decoder`` runs ``decode`` in a confined process for that.
"""

import io
import time
from collections.abc import Iterator, Sequence
from itertools import islice

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from activities.audio.downmix import mixed
from activities.audio.formats import DECODERS, demuxer_of, tag_length
from activities.audio.pcm import OPUS_RATE, SAMPLE_BYTES, SAMPLE_RATE, seconds_of
from activities.error_codes import ErrorCode, UnusableAudioError

__all__ = [
    "OPUS_RATE",
    "SAMPLE_BYTES",
    "SAMPLE_RATE",
    "decode",
    "encode_ogg_opus",
    "join_ogg_opus",
    "seconds_of",
]

LOWEST_RATE, HIGHEST_RATE = 4_000, 192_000
"""Hertz; outside of it lie only files that want a resampler's filter of gigabytes."""
MOST_CHANNELS = 8
MOST_STREAMS = 16
PACKETS_PER_SECOND = 400
"""Opus packets of 2.5 ms, the smallest there are; more packets than that decode to nothing on purpose."""
SPARE_PACKETS = 10_000
MIX_SECONDS = 1
"""Sound that is mixed at once: the channels' relation may change, as in recordings that were joined."""
PACKET_SAMPLES = OPUS_RATE // 50
"""Of june's own voice notes: 20 ms."""

_DECODERS = {"codec_whitelist": ",".join(sorted(DECODERS))}
_OPTIONS = _DECODERS | {
    "protocol_whitelist": "none",
    "max_streams": str(MOST_STREAMS),
    # An edit list copies the index once an edit; all it tells about speech is some milliseconds of encoder delay.
    "ignore_editlist": "1",
}


def decode(data: bytes, max_seconds: float, budget_seconds: float = 20) -> bytes:
    """Decode the first audio stream of a file to s16le PCM, mono, 16,000 Hz.

    Args:
        data: the whole file, of a format that ``activities.audio.formats`` knows; a video's sound is what counts.
        max_seconds: longest sound accepted, in seconds.
        budget_seconds: longest time of work, in seconds, looked at between packets.

    Raises:
        UnusableAudioError: ``audio-empty``, ``audio-unreadable`` or ``audio-too-long``.

    """
    if not data:
        raise UnusableAudioError(ErrorCode.AUDIO_EMPTY, "The audio has no bytes.")
    demuxer = demuxer_of(data)
    if demuxer is None:
        raise _unreadable("The file is of no accepted audio format.")
    data = data[tag_length(data) :]  # so that no parser of FFmpeg's sees what a tagger wrote
    pcm = _Pcm(max_seconds)
    try:
        options = _OPTIONS | {"format_whitelist": demuxer}
        with av.open(io.BytesIO(data), "r", format=demuxer, options=options) as container:
            damaged = _decode_into(pcm, container, max_seconds, time.monotonic() + budget_seconds)
        pcm.flush()
    except (av.FFmpegError, ValueError, ArithmeticError, LookupError, MemoryError) as error:
        raise _unreadable(f"The audio is damaged: {type(error).__name__}.") from error
    if not pcm.samples and not damaged:
        raise UnusableAudioError(ErrorCode.AUDIO_EMPTY, "The audio holds not a single sample.")
    if damaged > pcm.frames:
        raise _unreadable("Most of the audio is damaged.")
    return bytes(pcm.data)


def _decode_into(pcm: "_Pcm", container: InputContainer, max_seconds: float, deadline: float) -> int:
    """Decode all packets of the first audio stream of an accepted kind; return how many were damaged."""
    stream = next(filter(_is_accepted, container.streams.audio), None)
    if stream is None:
        held = "audio of no accepted kind" if container.streams.audio else "no audio"
        raise _unreadable(f"The file holds {held}.")
    stream.codec_context.options = _DECODERS  # the container's own list binds only FFmpeg's probe
    stream.codec_context.thread_count = 1
    most_packets = SPARE_PACKETS + int(max_seconds * PACKETS_PER_SECOND)
    damaged = 0
    for count, packet in enumerate(container.demux(stream)):
        if count > most_packets or time.monotonic() > deadline:
            raise _unreadable("The audio takes more work than any recording does.")
        try:
            for frame in packet.decode():
                pcm.add(frame)
        except (av.error.InvalidDataError, av.error.PatchWelcomeError):
            damaged += 1  # a cut recording starts and ends amid a packet; players skip those as well
    return damaged


def _is_accepted(stream: AudioStream) -> bool:
    return stream.codec_context is not None and stream.codec_context.codec.name in DECODERS


class _Pcm:
    """Decoded sound: resampled, mixed, counted, capped."""

    def __init__(self, max_seconds: float) -> None:
        self.data = bytearray()
        self.frames = 0
        self._max_seconds = max_seconds
        self._resampler: AudioResampler | None = None
        self._shape: tuple[int, str, str] | None = None
        self._block: list[NDArray[np.int16]] = []
        """Several channels, not mixed yet."""
        self._waiting = 0
        """Samples of a channel in the block."""

    @property
    def samples(self) -> int:
        return len(self.data) // SAMPLE_BYTES + self._waiting

    def add(self, frame: AudioFrame) -> None:
        rate, channels = frame.sample_rate, len(frame.layout.channels)
        if not LOWEST_RATE <= rate <= HIGHEST_RATE or not 1 <= channels <= MOST_CHANNELS:
            raise _unreadable(f"No recording has {channels} channels at {rate} Hz.")
        self._check(frame.samples / rate)  # before the resampler allocates anything for it
        self.frames += 1
        frame.pts = None  # gaps and jumps in time stamps must not become samples
        shape = (rate, frame.layout.name, frame.format.name)
        if shape != self._shape:
            self.flush()
            self._shape = shape
        if self._resampler is None:
            kept = "mono" if channels == 1 else frame.layout
            self._resampler = AudioResampler(format="s16" if channels == 1 else "s16p", layout=kept, rate=SAMPLE_RATE)
        self._append(self._resampler.resample(frame))

    def flush(self) -> None:
        if self._resampler is not None:
            self._append(self._resampler.resample(None))
            self._resampler = None
        self._mix()

    def _append(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            if len(frame.planes) == 1:
                self.data += memoryview(frame.planes[0])[: frame.samples * SAMPLE_BYTES]
            else:
                self._block.append(frame.to_ndarray().astype(np.int16, copy=False))
                self._waiting += frame.samples
        self._check(0)
        if self._waiting >= SAMPLE_RATE * MIX_SECONDS:
            self._mix()

    def _mix(self) -> None:
        if self._block:
            self.data += mixed(np.concatenate(self._block, axis=1)).tobytes()
            self._block, self._waiting = [], 0

    def _check(self, coming_seconds: float) -> None:
        if self.samples / SAMPLE_RATE + coming_seconds > self._max_seconds:
            message = f"The audio is longer than {self._max_seconds:g} s."
            raise UnusableAudioError(ErrorCode.AUDIO_TOO_LONG, message, limit_seconds=self._max_seconds)


def _unreadable(message: str) -> UnusableAudioError:
    return UnusableAudioError(ErrorCode.AUDIO_UNREADABLE, message)


def encode_ogg_opus(pcm: bytes, sample_rate: int, bit_rate: int) -> bytes:
    """Encode s16le mono PCM as a voice note: Opus in Ogg, 48,000 Hz, mono, 20 ms packets tuned for speech.

    Args:
        pcm: s16le samples, mono.
        sample_rate: Hertz of ``pcm``.
        bit_rate: bits per second of the Opus stream; Ogg adds about a sixth.

    """
    pcm = pcm.ljust(sample_rate // 50 * SAMPLE_BYTES, b"\0")  # one packet at least: a file without any is not Ogg
    target = io.BytesIO()
    with av.open(target, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=OPUS_RATE, layout="mono")
        stream.bit_rate = bit_rate
        stream.options = {"application": "voip", "frame_duration": "20"}
        resampler = AudioResampler(format="s16", layout="mono", rate=OPUS_RATE, frame_size=PACKET_SAMPLES)
        for block in _blocks(pcm, sample_rate):
            for frame in resampler.resample(block):
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def join_ogg_opus(notes: Sequence[bytes], max_seconds: float) -> tuple[bytes, float]:
    """Put voice notes of june's own (``encode_ogg_opus``) one behind the other, packet by packet, coding nothing anew.

    Each begins with a fresh encoder, which the decoder takes without a sound as long as the one before ends in silence.

    Args:
        notes: at least one.
        max_seconds: no packet is added beyond, in seconds.

    Returns:
        The file, and its duration in seconds.

    Raises:
        UnusableAudioError: ``audio-unreadable``.

    """
    target, packets = io.BytesIO(), 0
    most = max(1, int(max_seconds * OPUS_RATE) // PACKET_SAMPLES)
    try:
        with av.open(target, "w", format="ogg") as joined:
            stream: AudioStream | None = None
            for note in notes:
                with av.open(io.BytesIO(note), "r", format="ogg", options=_OPTIONS) as container:
                    (source,) = container.streams.audio
                    stream = stream or joined.add_stream_from_template(source)
                    filled = (packet for packet in container.demux(source) if packet.size)  # the last has nothing
                    for packet in islice(filled, most - packets):
                        packet.pts = packet.dts = packets * PACKET_SAMPLES
                        packet.duration = PACKET_SAMPLES
                        packet.stream = stream
                        joined.mux(packet)
                        packets += 1
    except (av.FFmpegError, ValueError) as error:
        raise _unreadable(f"A spoken sentence is damaged: {type(error).__name__}.") from error
    return target.getvalue(), packets * PACKET_SAMPLES / OPUS_RATE


def _blocks(pcm: bytes, sample_rate: int) -> Iterator[AudioFrame | None]:
    """Cut PCM into frames of one second, and None at the end, which flushes."""
    whole = len(pcm) - len(pcm) % SAMPLE_BYTES
    step = sample_rate * SAMPLE_BYTES
    for start in range(0, whole, step):
        part = pcm[start : min(start + step, whole)]
        frame = AudioFrame(format="s16", layout="mono", samples=len(part) // SAMPLE_BYTES)
        frame.sample_rate = sample_rate
        memoryview(frame.planes[0])[: len(part)] = part
        yield frame
    yield None
