"""References that travel instead of audio: small, typed, safe to keep in a history."""

from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9._:@+-]+$")]
"""A platform's id of a chat, thread, message or person; part of workflow ids and blob keys, so of few characters."""


class Value(BaseModel):
    """Base of all that crosses Temporal: immutable; unknown fields are ignored, as histories outlive releases.

    Errors do not quote what was given: they end in logs, which nobody's words belong into.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class BlobRef(Value):
    """Where stored audio lies in the blob store."""

    key: str
    """``<platform>/<chat>/<sha256>.<ending>``, in a topic ``<platform>/<chat>/<thread>/<sha256>.<ending>``"""
    mime: str
    bytes: int
    """Size in bytes."""
    seconds: float
    """Duration of the sound."""
    sample_rate: int
    """Hertz."""


BLOB_SCHEME = "blob:"
"""Before the key of stored audio, in an AudioSource's locator."""


class AudioSource(Value):
    """Where a message's audio lies on its platform; never the audio itself."""

    locator: str = Field(min_length=1, max_length=2000)
    """``file``: a path, or ``blob:<key>``; Telegram: a file id; Discord: ``<channel>/<message>/<attachment>``."""
    claimed_bytes: int | None = None
    """Size in bytes as the platform tells it; refused early when too large, never trusted otherwise."""
    link_key: str | None = Field(default=None, max_length=400)
    """Discord, where the message cannot be read again: the key under which the file's signed link is stored."""


class Address(Value):
    """Where a reply goes."""

    platform: Identifier
    chat: Identifier
    thread: Identifier | None = None
    message: Identifier
    """The message that is answered; Telegram: 0 where none is."""
    destination: str | None = Field(default=None, max_length=2000)
    """Platform ``file`` only: where the reply's Ogg file is written, besides the outbox."""
    language: str | None = None
    """The user's language (ISO 639-1), for notices; None is English."""


class Notice(Value):
    """A sentence of june's own, chosen by key and said in the user's language."""

    key: str
    """An ErrorCode's value, or ``queued``."""
    params: dict[str, float | int | str] = Field(default_factory=dict)
    """Figures for the sentence, such as ``limit_seconds``."""


Say = Callable[[Notice, str | None], str]
"""Turn a notice into a sentence in a language (ISO 639-1; None is English)."""
