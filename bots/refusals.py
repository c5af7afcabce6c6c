"""Which refusals are said: a person learns why nothing comes, and a flood is not answered by another."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

FLOOD_GAP_SECONDS = 10.0
"""Messages that come sooner than that after one refused for the same reason are the same flood."""
REPEAT_SECONDS = 60.0
"""So often a flood that goes on is told again."""
PER_PERSON, PER_CHAT = 5, 15
"""Refusals that are said in a minute, whatever the reasons."""
REMEMBERED = 1000
"""People, and chats, of whom that is known; the oldest are forgotten."""
MINUTE_SECONDS = 60.0


@dataclass
class _Flood:
    """Messages refused for one reason."""

    said: float
    """When the reason was last said, in seconds."""
    last: float
    """When the last of them came, in seconds."""


@dataclass
class _Told:
    """What a person in a chat, or a chat, was told of late."""

    floods: dict[str, _Flood] = field(default_factory=dict)
    """By reason."""
    times: list[float] = field(default_factory=list)
    """When refusals were said in the last minute, in seconds."""

    def full(self, now: float, most: int) -> bool:
        self.times = [at for at in self.times if now - at < MINUTE_SECONDS]
        return len(self.times) >= most


class Refusals:
    """Decides which refusals of an inbox are said."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know of none; the clock gives seconds."""
        self._clock = clock
        self._people: OrderedDict[Hashable, _Told] = OrderedDict()
        self._chats: OrderedDict[Hashable, _Told] = OrderedDict()

    def say(self, chat: str, person: Hashable, reason: str, *, asked: bool = False) -> bool:
        """Return whether a refusal is said, and take it as said.

        Args:
            chat: the platform's id.
            person: who sent the message, and in which part of the chat.
            reason: why it is refused.
            asked: a command, which is part of no flood of messages.

        """
        now, told, around = self._clock(), _of(self._people, (chat, person)), _of(self._chats, chat)
        flood = told.floods.get(reason)
        same = not asked and flood is not None and now - flood.last < FLOOD_GAP_SECONDS
        if flood is not None:
            flood.last = now
            same = same and now - flood.said < REPEAT_SECONDS
        if same or told.full(now, PER_PERSON) or around.full(now, PER_CHAT):
            return False
        told.floods[reason] = _Flood(said=now, last=now)
        told.times.append(now)
        around.times.append(now)
        return True

    def end(self, chat: str, person: Hashable) -> None:
        """Take in that a message of that person was accepted: what is refused after it is a new matter."""
        if (chat, person) in self._people:
            self._people[chat, person].floods.clear()


def _of(known: OrderedDict[Hashable, _Told], key: Hashable) -> _Told:
    told = known.setdefault(key, _Told())
    known.move_to_end(key)
    while len(known) > REMEMBERED:
        known.popitem(last=False)
    return told
