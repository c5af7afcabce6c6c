"""Which messages belong together: Telegram's clients send a long paste, a comment and its forward, an album apart."""

from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from telegram import Message

from bots.intake import InboundMessage

LONG_UNITS = 4000
"""UTF-16 code units of a text that may be the first part of a longer one; clients split at 4096, before a word."""
NEAR_SECONDS = 1
"""Telegram tells the times of messages in whole seconds."""
REMEMBERED = 1000
"""People, by chat and topic."""


class _Last(NamedTuple):
    """What a person has sent last."""

    message: str
    sent: datetime
    long: bool
    forwarded: bool
    album: str | None
    addressed: bool


class Continuations:
    """Remembers what each person sent last in each chat, for a moment in which more may belong to it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._last: OrderedDict[tuple[str, str | None, str], _Last] = OrderedDict()

    def marked(self, message: Message, inbound: InboundMessage) -> InboundMessage | None:
        """Mark a message that continues the one before it, or may be continued.

        Returns:
            The message; None for a picture of an album that was answered for another of its pictures.

        """
        last = self._last.get(_key(inbound))
        album = message.media_group_id
        if last and album and album == last.album and not (inbound.text or inbound.audio):
            return None
        continues = last is not None and self._continues(message, inbound, last)
        return replace(
            inbound,
            addressed=inbound.addressed or (last is not None and continues and last.addressed),
            continues=continues,
            may_continue=inbound.audio is None and _units(message.text) >= LONG_UNITS,
        )

    def remember(self, message: Message, inbound: InboundMessage) -> None:
        """Remember a message that was taken."""
        self._last[_key(inbound)] = _Last(
            inbound.message,
            message.date,
            _units(message.text) >= LONG_UNITS,
            message.forward_origin is not None,
            message.media_group_id,
            inbound.addressed,
        )
        self._last.move_to_end(_key(inbound))
        while len(self._last) > REMEMBERED:
            self._last.popitem(last=False)

    @staticmethod
    def _continues(message: Message, inbound: InboundMessage, last: _Last) -> bool:
        near = 0 <= (message.date - last.sent).total_seconds() <= NEAR_SECONDS
        if not near or last.message == inbound.message or (inbound.text or "").startswith("/"):
            return False
        forwarded = message.forward_origin is not None
        long = last.long and message.text is not None and forwarded == last.forwarded
        commented = forwarded and not last.forwarded
        return long or commented or (last.album is not None and last.album == message.media_group_id)


def _key(inbound: InboundMessage) -> tuple[str, str | None, str]:
    return inbound.chat, inbound.thread, inbound.user


def _units(text: str | None) -> int:
    return len((text or "").encode("utf-16-le")) // 2
