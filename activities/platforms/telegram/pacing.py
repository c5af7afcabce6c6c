"""Telegram's pace: about a message a second in a chat, and twenty a minute in a group."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

SECOND = 1.0
MINUTE = 60.0
BURST = 3
"""Messages that may follow each other without a pause: a text and its voice note, say."""
PER_MINUTE_IN_GROUPS = 20
RESERVE = 8
"""Messages of a group's minute that edits, which may be left out, do not take."""
MAX_CHATS = 1000
"""Kept; a chat in which nothing was sent for a minute has nothing to keep."""


@dataclass
class _Chat:
    sent: deque[float] = field(default_factory=lambda: deque(maxlen=PER_MINUTE_IN_GROUPS))
    """When the last messages were sent, or will be."""
    held_until: float = 0.0
    """Telegram has asked to send nothing before."""


class Pacing:
    """The rate limit of one bot's messages, by chat.

    The library's own limiter counts what the bot sends in all (30 a second), but not by private chat.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Use a clock that returns seconds."""
        self._clock = clock
        self._chats: OrderedDict[int, _Chat] = OrderedDict()

    def delay(self, chat: int) -> float:
        """Return how many seconds the next message of this chat has to wait; nothing is reserved."""
        now, known = self._clock(), self._chat(chat)
        ready = [now, known.held_until]
        if len(known.sent) >= BURST:
            ready.append(known.sent[-BURST] + BURST * SECOND)
        if is_group(chat) and len(known.sent) == PER_MINUTE_IN_GROUPS:
            ready.append(known.sent[0] + MINUTE)
        return max(ready) - now

    def reserve(self, chat: int) -> float:
        """Reserve the next place; return how many seconds from now it is."""
        delay = self.delay(chat)
        self._chat(chat).sent.append(self._clock() + delay)
        return delay

    def reserve_spare(self, chat: int) -> bool:
        """Reserve a place for something that may be left out; return False if there is none to spare now."""
        sent, now = self._chat(chat).sent, self._clock()
        crowded = is_group(chat) and sum(now - at < MINUTE for at in sent) >= PER_MINUTE_IN_GROUPS - RESERVE
        if crowded or self.delay(chat) > 0:
            return False
        sent.append(now)
        return True

    def hold(self, chat: int, seconds: float) -> None:
        """Send nothing to a chat for so many seconds, as Telegram has asked."""
        known = self._chat(chat)
        known.held_until = max(known.held_until, self._clock() + seconds)

    def _chat(self, chat: int) -> _Chat:
        known = self._chats.setdefault(chat, _Chat())
        self._chats.move_to_end(chat)
        while len(self._chats) > MAX_CHATS:
            self._chats.popitem(last=False)
        return known


def is_group(chat: int) -> bool:
    """Check whether a chat is a group, whose ids are negative, rather than private."""
    return chat < 0
