"""Protocols that each platform's module implements for the activities ``fetch``, ``reply`` and ``accompany``."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from activities.values import Address, AudioSource


class MessageText(NamedTuple):
    """What a message says: each part is shown as what it is, in this order; empty parts are not shown."""

    answer: str = ""
    """The model's, in Markdown."""
    transcript: str = ""
    """What was heard in the user's recording; to be told from the answer at a glance."""
    notice: str = ""
    """A sentence of june's own, without markup: what looks like some is meant as it stands."""

    @property
    def plain(self) -> str:
        """All of it for platforms that show no markup."""
        heard = f"🎤 {self.transcript}" if self.transcript else ""
        return "\n\n".join(part for part in (heard, self.answer, self.notice) if part)


NO_TEXT = MessageText()


@dataclass(frozen=True)
class VoiceNote:
    """A spoken reply, ready to be sent."""

    data: bytes
    """Ogg/Opus, 48,000 Hz, mono."""
    seconds: float
    caption: MessageText = NO_TEXT
    """Text in the same message, within the platform's ``caption_limit``."""


@dataclass(frozen=True)
class Document:
    """A file, ready to be sent."""

    name: str
    """Of ASCII letters, digits and ``._-``."""
    data: bytes


class VoiceForbiddenError(Exception):
    """The receiver does not accept voice messages; text is welcome."""


class SendUncertainError(Exception):
    """The platform did not say whether a message arrived (the connection broke after the upload, say)."""


class Platform(Protocol):
    """One platform, with its token.

    All methods raise ``BadInputError`` for what no retry can mend (``chat-gone`` where june was blocked or kicked); any
    other exception means that nothing was done, and is tried again, after the ``next_retry_delay`` of an
    ``ApplicationError`` where the platform asks for a pause.
    """

    @property
    def platform(self) -> str:
        """The platform's name in requests and queues."""

    @property
    def repeatable(self) -> bool:
        """Whether sending the same text, voice note or file for the same message again leaves a single one."""

    @property
    def caption_limit(self) -> int:
        """UTF-16 code units that a voice note's caption may have; 0: its messages hold no text."""

    @property
    def file_limit(self) -> int:
        """Bytes that a file may have."""

    async def download(self, source: AudioSource, max_bytes: int) -> bytes:
        """Return the file, or its first ``max_bytes + 1`` bytes; never read more than that."""

    async def send_text(self, to: Address, text: MessageText) -> str:
        """Send text, in several messages where the platform's limit asks for it; return the (last) message's id.

        Raises:
            SendUncertainError: it, or a part of it, may or may not have been sent.

        """

    async def send_voice(self, to: Address, voice: VoiceNote) -> str | None:
        """Send a voice note, with its caption; return the message's id if the platform has one.

        Raises:
            VoiceForbiddenError: nothing was sent, and nothing will ever be.
            SendUncertainError: it may or may not have been sent.

        """

    async def send_file(self, to: Address, document: Document) -> str | None:
        """Send a file within the platform's ``file_limit``; return the message's id if the platform has one.

        Raises:
            SendUncertainError: it may or may not have been sent.

        """


class Retracts(Protocol):
    """A platform on which june can take back a message of its own."""

    async def retract(self, to: Address, message: str) -> None:
        """Delete a message that was sent in reply to another; what cannot be deleted is logged, and stays."""


class Presence(Protocol):
    """What a platform shows of a turn under way; entered when it begins, left when the reply takes over."""

    @property
    def shown(self) -> str | None:
        """The platform's id of the message that shows the text, if there is one."""

    async def show(self, text: str) -> None:
        """Show the text so far, Markdown as the model has written it; called at every poll, also with the same again.

        The platform limits the rate. What cannot be shown is left out: the reply will hold it all.
        """

    async def tell(self, sentence: str) -> None:
        """Show a sentence of june's own, until the text comes or the reply takes over; called at every poll."""


class ShowsProgress(Protocol):
    """A platform that can show a turn under way."""

    def presence(
        self, to: Address, *, speaks: bool, captioned: bool, shown: str | None
    ) -> AbstractAsyncContextManager[Presence]:
        """Show that june is working on an answer, until the block is left.

        Args:
            to: the message that is being answered.
            speaks: a voice note is being made, rather than a text.
            captioned: the voice note's text is to be its caption: no message of its own may be left with it.
            shown: the message that shows the text already, if an attempt before this one has sent it.

        """
