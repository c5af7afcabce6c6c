"""Reply on the platform: text first, then the voice note; or both in one message, where a chat has asked for it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Literal

from pydantic import Field, model_validator
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.audio.pcm import OPUS_RATE
from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError, unusable_is_bad_input
from activities.heartbeats import heartbeat_now, heartbeats
from activities.platforms.platform import (
    NO_TEXT,
    Document,
    MessageText,
    Platform,
    SendUncertainError,
    VoiceForbiddenError,
    VoiceNote,
)
from activities.text.message_parts import units
from activities.values import Address, BlobRef, Notice, Say, Value

SHORTEST_SECONDS = 0.02
"""One packet."""
CAPTION_ATTEMPTS = 5
"""Then the text goes first: what keeps a voice note from being sent must not keep back the text."""
STORE_ATTEMPTS = 5
"""Then spoken sentences that are not in the store are taken for lost, and the text is all there is."""


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

    @property
    def is_uncertain(self) -> bool:
        """Whether a part of it may not have arrived, or may have although it seems not to."""
        return "uncertain" in {self.text, self.voice}


class FileRequest(Value):
    """Which file to send, and where."""

    to: Address
    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")
    file: BlobRef


class FileDelivered(Value):
    """What became of it."""

    state: Literal["sent", "uncertain"]
    message: str | None = None
    """The platform's id of it."""


class PartState(StrEnum):
    """How a part of a reply stands."""

    PENDING = "pending"
    BEGUN = "begun"
    """It may have been sent: the platform was asked to, and did not say."""
    SENT = "sent"


class Part(Value):
    """One message of a reply."""

    state: PartState = PartState.PENDING
    message: str | None = None
    """The platform's id of it, once it was sent."""
    audio: BlobRef | None = None
    """The voice note, from before it is sent."""


PartName = Literal["text", "voice", "file"]


class Ledger(Value):
    """Which parts of a reply were begun, and which sent; the server keeps it as heartbeat details between attempts."""

    text: Part = Part()
    voice: Part = Part()
    file: Part = Part()
    captioned: bool = False
    """The voice note has the text with it."""

    @model_validator(mode="before")
    @classmethod
    def _read_details_of_010(cls, details: object) -> object:
        """Accept what an attempt of june 0.1.0 has recorded, for replies that were under way when june was updated."""
        if not (isinstance(details, dict) and "text_begun" in details):
            return details
        message, audio = details.get("text_message"), details.get("voice")
        written = PartState.SENT if message else PartState.BEGUN if details["text_begun"] else PartState.PENDING
        spoken = PartState.BEGUN if audio else PartState.PENDING
        return {
            "text": {"state": written, "message": message},
            "voice": {"state": spoken, "audio": audio},
            "captioned": details.get("captioned", False),
        }


JoinNotes = Callable[[Sequence[bytes], float], tuple[bytes, float]]
"""Join voice notes (Ogg/Opus, 48,000 Hz, mono) up to so many seconds; return the file, and its duration in seconds."""


class ReplyActivity:
    """The activities ``reply`` and ``send_file`` of one platform."""

    def __init__(
        self, platform: Platform, blobs: BlobStore, say: Say, join: JoinNotes, max_seconds: float, max_bytes: int
    ) -> None:
        """Reply on this platform.

        Args:
            platform: where to send to.
            blobs: where spoken sentences lie, and the voice note is kept.
            say: words a notice.
            join: makes one voice note of spoken sentences.
            max_seconds: longest voice note, in seconds.
            max_bytes: largest voice note, in bytes.

        """
        self._platform = platform
        self._blobs = blobs
        self._say = say
        self._join = join
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
        notice = self._say(request.notice, request.to.language) if request.notice else ""
        text = MessageText(request.text, request.transcript, notice)
        delivery = _Delivery(repeatable=self._platform.repeatable)
        async with heartbeats(lambda: [delivery.ledger]):
            caption, spoken = self._caption(request, text, delivery.ledger), Delivered()
            if caption:
                try:
                    spoken = await self._speak(request, caption, delivery)
                except BadInputError as error:
                    activity.logger.warning("no captioned voice note: %s", error)
                    spoken = Delivered(error=ErrorCode(error.type or ErrorCode.REPLY_FAILED))
                if spoken.text != "none":
                    return spoken
            written = await self._write(request.to, text, delivery)
            if request.speech and not caption:
                spoken = await self._speak(request, None, delivery)
        return written.model_copy(
            update={"voice": spoken.voice, "audio": spoken.audio, "error": written.error or spoken.error}
        )

    @activity.defn
    async def send_file(self, request: FileRequest) -> FileDelivered:
        """Send a file; one that an earlier attempt has sent, or may have, is not sent again.

        Raises:
            BadInputError: ``reply-failed``, it is larger than the platform takes, or refused for good.

        """
        if request.file.bytes > self._platform.file_limit:
            message = f"{self._platform.platform} takes files of at most {self._platform.file_limit} bytes."
            raise BadInputError(ErrorCode.REPLY_FAILED, message, limit_bytes=self._platform.file_limit)
        delivery = _Delivery(repeatable=self._platform.repeatable)
        async with heartbeats(lambda: [delivery.ledger]):
            part = delivery.ledger.file
            if delivery.may_send(part):
                document = Document(request.name, await self._blobs.get(request.file))
                part = await delivery.deliver_once("file", lambda: self._platform.send_file(request.to, document))
        state: Literal["sent", "uncertain"] = "uncertain" if part.state is PartState.BEGUN else "sent"
        return FileDelivered(state=state, message=part.message)

    def _caption(self, request: ReplyRequest, text: MessageText, ledger: Ledger) -> MessageText | None:
        """Return the text that goes with the voice note; None where it is a message of its own."""
        if ledger.captioned:
            return text
        begun = {ledger.text.state, ledger.voice.state} != {PartState.PENDING}
        wanted = request.captioned and bool(request.speech) and units(text.plain) <= self._platform.caption_limit
        return text if wanted and not begun and activity.info().attempt <= CAPTION_ATTEMPTS else None

    async def _write(self, to: Address, text: MessageText, delivery: "_Delivery") -> Delivered:
        """Send the text."""
        if not any(text):
            return Delivered()
        part = await delivery.deliver_once("text", lambda: self._platform.send_text(to, text))
        if part.state is PartState.BEGUN:
            return Delivered(text="uncertain", error=ErrorCode.REPLY_UNCERTAIN)
        return Delivered(text="sent", text_message=part.message)

    async def _speak(self, request: ReplyRequest, caption: MessageText | None, delivery: "_Delivery") -> Delivered:
        """Send the voice note, with its caption."""
        part = delivery.ledger.voice
        if delivery.may_send(part):
            try:
                note, audio = await self._note(request, caption)
            except ApplicationError as error:
                if not error.non_retryable and activity.info().attempt < STORE_ATTEMPTS:
                    raise
                activity.logger.warning("no voice note: %s", error)
                return Delivered(error=ErrorCode.VOICE_UNAVAILABLE)
            send = partial(self._platform.send_voice, request.to, note)
            try:
                part = await delivery.deliver_once("voice", send, audio=audio, captioned=bool(caption))
            except VoiceForbiddenError:
                return Delivered(voice="forbidden", audio=audio, error=ErrorCode.VOICE_FORBIDDEN)
        if part.state is PartState.BEGUN:
            text: Literal["uncertain", "none"] = "uncertain" if caption else "none"
            return Delivered(text=text, voice="uncertain", audio=part.audio, error=ErrorCode.REPLY_UNCERTAIN)
        if caption:
            return Delivered(text="sent", text_message=part.message, voice="sent", audio=part.audio)
        return Delivered(voice="sent", audio=part.audio)

    async def _note(self, request: ReplyRequest, caption: MessageText | None) -> tuple[VoiceNote, BlobRef]:
        """Join the sentences, and store the voice note.

        Raises:
            ApplicationError: sentences are not in the store, or that is away: worth a retry.
            BadInputError: they are no Opus, or no voice note is as small as the limit.

        """
        fitting = within(request.speech, self._max_seconds, self._max_bytes)
        sentences = [await self._blobs.get(ref) for ref in fitting]
        data, seconds = await asyncio.to_thread(self._join_within_limits, sentences)
        audio = await self._blobs.put(
            request.to.platform,
            request.to.chat,
            data,
            mime="audio/ogg",
            seconds=seconds,
            sample_rate=OPUS_RATE,
            ending="ogg",
            thread=request.to.thread,
        )
        return VoiceNote(data, seconds, caption or NO_TEXT), audio

    def _join_within_limits(self, sentences: list[bytes]) -> tuple[bytes, float]:
        """Join the sentences; one alone that does not fit is cut. Blocks."""
        most = self._max_seconds
        while most > 0:
            with unusable_is_bad_input():
                data, seconds = self._join(sentences, most)
            if len(data) <= self._max_bytes:
                return data, seconds
            most = 0.98 * seconds * self._max_bytes / len(data) - SHORTEST_SECONDS
        raise BadInputError(ErrorCode.VOICE_UNAVAILABLE, "No voice note is as small as the limit.")


class _Delivery:
    """One attempt at a reply, with the ledger that the attempts before it have left."""

    def __init__(self, *, repeatable: bool) -> None:
        details = activity.info().heartbeat_details
        self.ledger = Ledger.model_validate(details[0]) if details else Ledger()
        self._repeatable = repeatable

    def may_send(self, part: Part) -> bool:
        """Whether a part was certainly not sent, or may be sent again without a second message."""
        return part.state is PartState.PENDING or (part.state is PartState.BEGUN and self._repeatable)

    async def deliver_once(
        self,
        name: PartName,
        send: Callable[[], Awaitable[str | None]],
        *,
        audio: BlobRef | None = None,
        captioned: bool = False,
    ) -> Part:
        """Send a part, unless an earlier attempt has, or may have.

        Args:
            name: of the part.
            send: sends it, and returns the platform's id of the message.
            audio: the voice note that is sent.
            captioned: it has the text with it.

        Returns:
            The part: sent, or begun where it may have been.

        Raises:
            Exception: what ``send`` raised; nothing was sent, and the next attempt may try.

        """
        part: Part = getattr(self.ledger, name)
        if not self.may_send(part):
            return part
        begun = Part(state=PartState.BEGUN, audio=audio)
        if captioned or not self._repeatable:  # a caption that may have arrived must not become a text of its own
            await self._record(name, begun, captioned=captioned)
        try:
            message = await send()
        except SendUncertainError:
            return begun
        except Exception:
            await self._record(name, Part(), captioned=False)
            raise
        sent = Part(state=PartState.SENT, message=message, audio=audio)
        try:
            await self._record(name, sent, captioned=captioned)
        except (RPCError, ApplicationError) as error:  # what was sent is sent; the next heartbeat has it as well
            activity.logger.warning("that the %s was sent is not recorded yet: %s", name, error)
        return sent

    async def _record(self, name: PartName, part: Part, *, captioned: bool) -> None:
        self.ledger = self.ledger.model_copy(update={name: part, "captioned": captioned})
        await heartbeat_now(self.ledger)


def within(speech: Sequence[BlobRef], max_seconds: float, max_bytes: int) -> Sequence[BlobRef]:
    """Return the sentences that fit, in order; the first in any case."""
    seconds, size = 0.0, 0
    for count, sentence in enumerate(speech):
        seconds, size = seconds + sentence.seconds, size + sentence.bytes
        if seconds > max_seconds or size > max_bytes:
            return speech[: max(1, count)]
    return speech
