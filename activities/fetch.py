"""Fetch a message's audio from its platform, verify it by content, and store it as 16 kHz mono PCM."""

from temporalio import activity

from activities.audio.decoder import Decoder
from activities.audio.pcm import SAMPLE_RATE, seconds_of
from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.heartbeats import heartbeats, in_thread
from activities.platforms.platform import Platform
from activities.values import AudioSource, BlobRef, Identifier, Value
from activities.waiting import Waiting

SILENT_SECONDS = 100.0
"""Of downloads that came to nothing, in all attempts together."""


class FetchRequest(Value):
    """Which audio to fetch."""

    platform: Identifier
    chat: Identifier
    thread: Identifier | None = None
    source: AudioSource


class FetchedAudio(Value):
    """Verified, decoded, stored."""

    audio: BlobRef
    """s16le PCM, mono, 16,000 Hz."""


class FetchActivity:
    """The activity ``fetch`` of one platform."""

    def __init__(
        self, platform: Platform, blobs: BlobStore, max_bytes: int, max_seconds: float, decoder: Decoder | None = None
    ) -> None:
        """Use a platform and a store, within limits.

        Args:
            platform: the platform to download from.
            blobs: where decoded audio is stored.
            max_bytes: largest file accepted, in bytes.
            max_seconds: longest sound accepted, in seconds.
            decoder: decodes in processes of its own; one is made by default, and ends with this process.

        """
        self._platform = platform
        self._blobs = blobs
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._decoder = decoder or Decoder()

    @activity.defn
    async def fetch(self, request: FetchRequest) -> FetchedAudio:
        """Download, verify, decode, store.

        Raises:
            BadInputError: ``audio-missing``, ``audio-forbidden``, ``audio-too-large``, ``audio-empty``,
                ``audio-unreadable``, ``audio-too-long``.
            ApplicationError: ``audio-unavailable`` for good, once downloads have hung for ``SILENT_SECONDS``.

        """
        self._check_size(request.source.claimed_bytes or 0)
        waiting = Waiting(SILENT_SECONDS, ErrorCode.AUDIO_UNAVAILABLE)
        async with heartbeats(waiting.details), waiting.bounded():
            data = await self._platform.download(request.source, self._max_bytes)
        self._check_size(len(data))
        pcm = await in_thread(lambda stop: self._decoder.decode(data, self._max_seconds, stop=stop))
        audio = await self._blobs.put(
            request.platform,
            request.chat,
            pcm,
            mime=f"audio/L16;rate={SAMPLE_RATE}",
            seconds=seconds_of(pcm),
            sample_rate=SAMPLE_RATE,
            ending="pcm",
            thread=request.thread,
        )
        return FetchedAudio(audio=audio)

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            message = f"The file has more than {self._max_bytes} bytes."
            raise BadInputError(ErrorCode.AUDIO_TOO_LARGE, message, limit_bytes=self._max_bytes)
