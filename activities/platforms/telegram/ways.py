"""How something gets to a chat: the one place that knows what to do where it cannot go as it is.

An answer goes where its question was, in reply to it, formatted. What Telegram refuses of that is left out, and the
answer is sent all the same:

==========================================  ===============================================================
refused                                     sent instead
==========================================  ===============================================================
the topic is gone or closed                 in the same chat, without the topic; an owner is told once
the message it replies to is gone           as a message of its own
the formatting                              the plain text
the group (it became a supergroup)          to the supergroup, where the old group's messages are not known
==========================================  ===============================================================
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from telegram import ReplyParameters
from telegram.error import BadRequest, ChatMigrated, TelegramError

from activities.platforms.telegram.errors import is_about, is_final
from activities.values import Address, Notice

_log = logging.getLogger(__name__)

TOPIC_GONE = "topic-gone"
"""Stable code in the log: a topic's answers go to the chat around it."""
MUTED = "chat-muted"
"""Stable code in the log: june may not write where it was asked."""
REMEMBERED = 1000
"""Groups that moved, and topics of which owners were told."""
_TOPIC = ("thread not found", "topic_", "topic not found", "topic closed", "topic deleted", "not a forum", "thread_id")
_QUESTION = ("replied not found", "replied message not found", "reply message", "reply_message", "reply_to")
_MUTED = ("not enough rights", "no rights to send", "write_forbidden", "chat_restricted", "send_plain_forbidden")

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class Way(NamedTuple):
    """Where and how something is sent."""

    chat: int
    thread: int | None = None
    replied: int | None = None
    """The message that it replies to."""
    formatted: bool = False

    @property
    def reply_parameters(self) -> ReplyParameters | None:
        """Reply to the message, even if it was deleted since."""
        return ReplyParameters(self.replied, allow_sending_without_reply=True) if self.replied else None


Call = Callable[[Way], Awaitable[T]]
"""Something to send, in the way that is given."""
TellOwners = Callable[[Notice, str | None], Awaitable[None]]
"""Tell june's owners something, in a language (ISO 639-1; None is English); failing that is theirs to log."""


def another_way(way: Way, error: TelegramError) -> Way | None:
    """Return the way to go where Telegram refuses one; None where there is none."""
    if isinstance(error, ChatMigrated):  # the supergroup knows neither the topics nor the messages of the group
        moved = error.new_chat_id != way.chat
        return Way(error.new_chat_id, formatted=way.formatted) if moved else None
    if not isinstance(error, BadRequest):
        return None
    if is_about(error, _TOPIC) and (way.thread or way.replied):  # a reply would go to the topic of what it replies to
        return way._replace(thread=None, replied=None)
    if is_about(error, _QUESTION) and way.replied:
        return way._replace(replied=None)
    if is_final(error) or not way.formatted:
        return None
    return way._replace(formatted=False)  # whatever is wrong with it: plain text is safe


class Ways:
    """Sends by whatever way is open, and remembers groups that have moved."""

    def __init__(self, tell_owners: TellOwners | None = None) -> None:
        """Tell owners by this, once for each topic, where answers go another way."""
        self._tell_owners = tell_owners
        self._moved: OrderedDict[int, int] = OrderedDict()
        """Groups that have become supergroups, and so have another id."""
        self._told: OrderedDict[tuple[str, int, int | None], None] = OrderedDict()
        self._telling: set[asyncio.Task[None]] = set()

    def chat(self, to: Address) -> int:
        """Return the id of the chat, where it is now."""
        return self._moved.get(int(to.chat), int(to.chat))

    async def send(self, to: Address, call: "Call[T]", *, formatted: bool = False, moves: bool = True) -> T:
        """Send something to where a message was, or where else it can go.

        Args:
            to: the message that is answered.
            call: sends it.
            formatted: its text has formatting.
            moves: it can go to the supergroup that a group has become, as what is bound to a message cannot.

        Raises:
            TelegramError: there is no other way.

        """
        way = self._first(to, formatted=formatted)
        while True:
            try:
                return await call(way)
            except TelegramError as error:
                other = another_way(way, error)
                self._note(to, way, other, error)
                if other is None or (other.chat != way.chat and not moves):
                    raise
                way = other

    def _first(self, to: Address, *, formatted: bool) -> Way:
        chat = self.chat(to)
        if chat != int(to.chat):
            return Way(chat, formatted=formatted)
        return Way(chat, int(to.thread) if to.thread else None, int(to.message) or None, formatted)

    def _note(self, to: Address, way: Way, other: Way | None, error: TelegramError) -> None:
        """Log what goes another way; of a closed topic, and of a chat that june may not write to, owners are told."""
        if other is None:
            if isinstance(error, BadRequest) and is_about(error, _MUTED):
                self._warn(MUTED, to, way, error)
        elif other.chat != way.chat:
            _remember(self._moved, way.chat, other.chat)
            _log.info("group %d has become supergroup %d: answers go there", way.chat, other.chat)
        elif other.thread != way.thread:
            self._warn(TOPIC_GONE, to, way, error)
        else:
            left_out = "the formatting" if way.formatted != other.formatted else "the reply to its question"
            _log.info("%s was refused in chat %d (%s): sent without", left_out, way.chat, error.message)

    def _warn(self, code: str, to: Address, way: Way, error: TelegramError) -> None:
        key = (code, way.chat, way.thread)
        if key in self._told:
            return
        _remember(self._told, key, None)
        _log.warning("%s: chat %d, topic %s: %s; owners are told", code, way.chat, way.thread, error.message)
        if self._tell_owners:
            notice = Notice(key=code, params={"chat": way.chat, "topic": way.thread or 0})
            task = asyncio.create_task(self._tell(notice, to.language))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, notice: Notice, language: str | None) -> None:
        if self._tell_owners:
            try:
                await self._tell_owners(notice, language)
            except TelegramError as error:
                _log.info("owners could not be told of %s: %s", notice.key, error.message)


def _remember(known: OrderedDict[K, V], key: K, value: V) -> None:
    known[key] = value
    while len(known) > REMEMBERED:
        known.popitem(last=False)
