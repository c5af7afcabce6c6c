"""Reply on the platform: text first, then the voice note; or both in one message, where a chat has asked for it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from temporalio import activity

from activities.audio.pcm import OPUS_RATE
from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError, unusable_is_bad_input
from activities.heartbeats import heartbeat_now, heartbeats
from activities.platforms.platform import Platform, SendUncertainError, VoiceForbiddenError, VoiceNote
from activities.text.message_parts import units
from activities.values import Address, BlobRef, Notice, Value

SHORTEST_SECONDS = 0.02
"""One packet."""
CAPTION_ATTEMPTS = 5
"""Then the text goes first: what keeps a voice note from being sent must not keep back the text."""


class ReplyRequest(Value):
    """What to deliver, and where."""

    to: Address
    text: str = ""
    """The answer, for reading."""
    transcript: str = ""
    """What was heard, shown so that mishearing is visible."""
    speech: tuple[BlobRef, ...] = ()
    """Spoken sentences in order (Ogg/Opus); joined, bounded in seconds and bytes."""
    captioned: bool = False
    """Send text and speech as one message, where the platform's captions hold the text."""
    notice: Notice | None = None
    """Instead of an answer (refusal, apology, queue), or with it (why there is no voice)."""


class Delivered(Value):
    """What reached the platform."""

    text: Literal["sent", "none", "uncertain"] = "none"
    text_message: str | None = None
    """The platform's id of the text message; of the voice note, where the text is its caption."""
    voice: Literal["sent", "none", "forbidden", "uncertain"] = "none"
    audio: BlobRef | None = None
    """The voice note as sent (Ogg/Opus, 48 kHz, mono)."""
    error: ErrorCode | None = None


class Progress(Value):
    """How far the reply has come; kept by the server as the heartbeat's details, for the next attempt."""

    text_begun: bool = False
    """Set before the text is sent where that cannot be repeated; found by a later attempt, it may have been."""
    text_message: str | None = None
    """Set once the text was sent."""
    voice: BlobRef | None = None
    """Set before this voice note is sent; found by a later attempt, it may have been."""
    captioned: bool = False
    """That voice note has the text with it."""


UNCERTAIN_TEXT = {"text": "uncertain", "error": ErrorCode.REPLY_UNCERTAIN}

Say = Callable[[Notice, str | None], str]
"""Turn a notice into a sentence in a language (ISO 639-1; None is English)."""


class ReplyActivity:
    """The activity ``reply`` of one platform."""

    def __init__(self, platform: Platform, blobs: BlobStore, say: Say, max_seconds: float, max_bytes: int) -> None:
        """Take the platform, the store, the sentences and the caps.

        Args:
            platform: the platform to send to.
            blobs: where spoken sentences lie, and the voice note is kept.
            say: words a notice.
            max_seconds: longest voice note, in seconds.
            max_bytes: largest voice note, in bytes.

        """
        # Here, as workflows and bots import this module for its models and must not load FFmpeg.
        from activities.audio.codec import join_ogg_opus

        self._join_ogg_opus = join_ogg_opus
        self._platform = platform
        self._blobs = blobs
        self._say = say
        self._max_seconds = max_seconds
        self._max_bytes = max_bytes

    @activity.defn
    async def reply(self, request: ReplyRequest) -> Delivered:
        """Send the text and the voice note; what an earlier attempt has sent is not sent again.

        A captioned voice note that was certainly not sent leaves the text to be sent by itself; of one that may have
        been, so may the text, and nothing is repeated.

        Raises:
            BadInputError: ``reply-failed``, the platform refuses this reply for good.

        """
        journal = _Journal()
        async with heartbeats(lambda: [journal.progress]):
            caption = self._caption(request, journal.progress)
            spoken = await self._speak_captioned(request, caption, journal) if caption else {}
            if "text" in spoken:
                return Delivered(**spoken)
            written = await self._write(request, journal)
            if request.speech and not caption:
                spoken = await self._speak(request, "", journal)
            return Delivered(**spoken | written)

    def _caption(self, request: ReplyRequest, progress: Progress) -> str:
        """Give the text that goes with the voice note; none where it is a message of its own."""
        text = self._text(request)
        if progress.captioned:
            return text
        begun = progress.text_begun or progress.text_message is not None or progress.voice is not None
        wanted = request.captioned and bool(request.speech) and units(text) <= self._platform.caption_limit
        return text if wanted and not begun and activity.info().attempt <= CAPTION_ATTEMPTS else ""

    async def _speak_captioned(self, request: ReplyRequest, caption: str, journal: "_Journal") -> dict[str, Any]:
        """Send the voice note with the text; return what that adds to the result, ``text`` if it may have arrived."""
        try:
            spoken = await self._speak(request, caption, journal)
        except BadInputError as error:
            activity.logger.warning("no captioned voice note: %s", error)
            return {"error": ErrorCode(error.type or ErrorCode.REPLY_FAILED)}
        arrived = spoken.get("voice") in {"sent", "uncertain"}
        return spoken | {"text": spoken["voice"]} if arrived else spoken

    async def _write(self, request: ReplyRequest, journal: "_Journal") -> dict[str, Any]:
        """Send the text; return what that adds to the result."""
        text, progress = self._text(request), journal.progress
        if not text:
            return {}
        if progress.text_message is None:
            if progress.text_begun:
                return UNCERTAIN_TEXT
            try:
                await self._send_text(request.to, text, journal)
            except SendUncertainError:
                return UNCERTAIN_TEXT
        return {"text": "sent", "text_message": journal.progress.text_message}

    async def _send_text(self, to: Address, text: str, journal: "_Journal") -> None:
        if not self._platform.repeatable:
            await journal.record(Progress(text_begun=True))
        try:
            message = await self._platform.send_text(to, text)
        except SendUncertainError:
            raise
        except Exception:  # nothing was sent: the next attempt may
            await journal.record(Progress())
            raise
        await journal.record(Progress(text_begun=True, text_message=message))

    def _text(self, request: ReplyRequest) -> str:
        heard = f"🎤 {request.transcript}" if request.transcript else ""
        notice = self._say(request.notice, request.to.language) if request.notice else ""
        return "\n\n".join(part for part in (heard, request.text, notice) if part)

    async def _speak(self, request: ReplyRequest, caption: str, journal: "_Journal") -> dict[str, Any]:
        """Send the voice note; return what that adds to the result."""
        begun = journal.progress.voice
        if begun is not None and not self._platform.repeatable:
            return {"voice": "uncertain", "audio": begun, "error": ErrorCode.REPLY_UNCERTAIN}
        try:
            note, audio = await self._note(request, caption)
        except BadInputError as error:
            activity.logger.warning("no voice note: %s", error)
            return {"error": ErrorCode.VOICE_UNAVAILABLE}
        await journal.record(journal.progress.model_copy(update={"voice": audio, "captioned": bool(caption)}))
        return {"audio": audio} | await self._send_voice(request.to, note, journal)

    async def _send_voice(self, to: Address, note: VoiceNote, journal: "_Journal") -> dict[str, Any]:
        try:
            message = await self._platform.send_voice(to, note)
        except SendUncertainError:
            return {"voice": "uncertain", "error": ErrorCode.REPLY_UNCERTAIN}
        except Exception as error:  # nothing was sent: the text alone may be, and the next attempt may
            await journal.record(journal.progress.model_copy(update={"voice": None, "captioned": False}))
            if isinstance(error, VoiceForbiddenError):
                return {"voice": "forbidden", "error": ErrorCode.VOICE_FORBIDDEN}
            raise
        return {"voice": "sent"} | ({"text_message": message} if note.caption else {})

    async def _note(self, request: ReplyRequest, caption: str) -> tuple[VoiceNote, BlobRef]:
        """Join the sentences, and store the voice note.

        Raises:
            BadInputError: sentences are missing, or no Opus.

        """
        fitting = within(request.speech, self._max_seconds, self._max_bytes)
        sentences = [await self._blobs.get(ref) for ref in fitting]
        note = replace(await asyncio.to_thread(self._join, sentences), caption=caption)
        audio = await self._blobs.put(
            request.to.platform,
            request.to.chat,
            note.data,
            mime="audio/ogg",
            seconds=note.seconds,
            sample_rate=OPUS_RATE,
            ending="ogg",
        )
        return note, audio

    def _join(self, sentences: list[bytes]) -> VoiceNote:
        """Join the sentences; one alone that does not fit is cut."""
        most = self._max_seconds
        while most > 0:
            with unusable_is_bad_input():
                data, seconds = self._join_ogg_opus(sentences, most)
            if len(data) <= self._max_bytes:
                return VoiceNote(data, seconds)
            most = 0.98 * seconds * self._max_bytes / len(data) - SHORTEST_SECONDS
        raise BadInputError(ErrorCode.VOICE_UNAVAILABLE, "No voice note is as small as the limit.")


class _Journal:
    """The progress of this reply, which the server keeps for the next attempt."""

    def __init__(self) -> None:
        details = activity.info().heartbeat_details
        self.progress = Progress.model_validate(details[0]) if details else Progress()

    async def record(self, progress: Progress) -> None:
        self.progress = progress
        await heartbeat_now(progress)


def within(speech: Sequence[BlobRef], max_seconds: float, max_bytes: int) -> Sequence[BlobRef]:
    """Take sentences while they fit; the first in any case."""
    seconds, size = 0.0, 0
    for count, sentence in enumerate(speech):
        seconds, size = seconds + sentence.seconds, size + sentence.bytes
        if seconds > max_seconds or size > max_bytes:
            return speech[: max(1, count)]
    return speech
