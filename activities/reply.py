"""Reply on the platform: text first, then the voice note."""

from typing import Literal

from activities.errors import ErrorCode
from activities.references import Address, BlobRef, Notice, Value


class ReplyRequest(Value):
    """What to deliver, and where."""

    to: Address
    text: str = ""
    """The answer, for reading."""
    transcript: str = ""
    """What was heard, shown so that mishearing is visible."""
    speech: tuple[BlobRef, ...] = ()
    """Spoken sentences in order; joined and encoded once, bounded in seconds and bytes."""
    notice: Notice | None = None
    """Instead of an answer (refusal, apology, queue), or with it (why there is no voice)."""


class Delivered(Value):
    """What reached the platform."""

    text_message: str | None = None
    """The platform's id of the text message."""
    voice: Literal["sent", "none", "forbidden", "uncertain"] = "none"
    audio: BlobRef | None = None
    """The voice note as sent (Ogg/Opus, 48 kHz, mono)."""
    error: ErrorCode | None = None
