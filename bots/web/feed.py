"""What the pages of a chat are told as it happens: one reader for each turn under way, however many pages listen.

Nothing is read while nobody listens: a page that comes (back) gets all that there is first.
"""

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from typing import NamedTuple
from weakref import WeakValueDictionary

from bots.web.shared_reads import SharedReads
from bots.web.tasks import Tasks, is_task
from bots.web.turns import Turns, TurnView

RECENT_SECONDS = 60.0
RECENT_KEPT = 1000
"""Messages remembered for so long after they came: Temporal lists a turn a moment after it began."""
MOST_PENDING = 200
"""Events that one page may be behind; older ones are dropped."""

logger = logging.getLogger(__name__)


class Event(NamedTuple):
    """What pages are told."""

    name: str
    """``turns`` (the last ones), ``turn``, ``settings``, ``said`` or ``cleared``."""
    data: str
    """JSON."""


class Feed:
    """The events of one chat."""

    def __init__(self, turns: Turns, chat: str, recent: "Recent | None" = None, tasks: Tasks | None = None) -> None:
        """Begin with nobody who listens.

        Args:
            turns: what is read.
            tasks: coding tasks, which are read as well.
            chat: whose.
            recent: messages that came of late.

        """
        self._turns = turns
        self._tasks = tasks
        self._chat = chat
        self._reads = SharedReads()
        self._recent = recent or Recent()
        self._listeners: set[_Listener] = set()
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._views: dict[str, TurnView] = {}
        """What the readers have last seen."""

    async def listen(self, language: str | None = None) -> AsyncGenerator[Event]:
        """Yield ``turns``, and then every event until the caller closes this.

        Args:
            language: of june's sentences (ISO 639-1).

        Raises:
            temporalio.service.RPCError: the turns cannot be listed now.

        """
        listener = _Listener(language)
        self._listeners.add(listener)
        try:
            turns = await self._reads.read("turns", self._last)
            self._follow_those_under_way(turns)
            shown = [view.said_in(language).model_dump(mode="json") for view in self._shown(turns)]
            yield Event("turns", json.dumps({"turns": shown}))
            while True:
                yield await listener.next()
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._stop_reading()

    async def _last(self) -> list[TurnView]:
        """Return the last turns, with the tasks that have ended; follow those that have not."""
        if self._tasks is None:
            return await self._turns.last(self._chat)
        turns, (tasks, under_way) = await asyncio.gather(self._turns.last(self._chat), self._tasks.last(self._chat))
        for task in under_way:
            self.follow(task)
        return [*turns, *tasks]

    def follow(self, message: str, at: float | None = None) -> None:
        """Read a turn until it is done, and tell of each change.

        Args:
            message: the message that it answers.
            at: when that came, in seconds since the epoch; now by default.

        """
        if self._listeners and message not in self._readers:
            reader = asyncio.create_task(self._read(message, at or time.time()))
            self._readers[message] = reader
            reader.add_done_callback(lambda ended: self._forget_reader(message, ended))

    def tell(self, event: Event, key: str) -> None:
        """Tell all that listen; an event that somebody has not taken yet gives way to the next with its key."""
        for listener in self._listeners:
            listener.add(event, key)

    def clear(self) -> None:
        """Tell that nothing of the chat is left."""
        self._stop_reading()
        for listener in self._listeners:
            listener.clear()
        self.tell(Event("cleared", "{}"), "cleared")

    def _follow_those_under_way(self, turns: list[TurnView]) -> None:
        for turn in turns:
            if not turn.done:
                self.follow(turn.message, turn.at)
        for message, at in self._recent.of(self._chat).items():
            if all(turn.message != message for turn in turns):
                self.follow(message, at)

    def _shown(self, turns: list[TurnView]) -> list[TurnView]:
        """Return the turns as they are by now."""
        listed = {turn.message: turn if turn.done else self._views.get(turn.message, turn) for turn in turns}
        return list({**listed, **{name: view for name, view in self._views.items() if name not in listed}}.values())

    async def _read(self, message: str, at: float) -> None:
        watched = self._tasks if self._tasks and is_task(message) else self._turns
        async for view in watched.watch(self._chat, message):
            self._views[message] = dated = view.model_copy(update={"at": view.at or at})
            events: dict[str | None, Event] = {}
            for listener in self._listeners:
                if listener.language not in events:
                    text = dated.said_in(listener.language).model_dump_json()
                    events[listener.language] = Event("turn", text)
                listener.add(events[listener.language], f"turn {message}")

    def _forget_reader(self, message: str, ended: asyncio.Task[None]) -> None:
        if self._readers.get(message) is ended:
            del self._readers[message]
            self._views.pop(message, None)
        if not ended.cancelled() and (error := ended.exception()):
            logger.error("message %s is not shown any further", message, exc_info=error)

    def _stop_reading(self) -> None:
        for reader in self._readers.values():
            reader.cancel()
        self._readers.clear()
        self._views.clear()


class Feeds:
    """The feeds of all chats that somebody looks at."""

    def __init__(self, turns: Turns, tasks: Tasks | None = None) -> None:
        """Read from these turns, and these coding tasks."""
        self._turns = turns
        self._tasks = tasks
        self._recent = Recent()
        self._feeds: WeakValueDictionary[str, Feed] = WeakValueDictionary()
        """By chat, for as long as they are listened to."""

    def feed(self, chat: str) -> Feed:
        """Return a chat's feed."""
        return self._feeds.setdefault(chat, Feed(self._turns, chat, self._recent, self._tasks))

    def of(self, chat: str) -> Feed | None:
        """Return the feed of a chat that is listened to."""
        return self._feeds.get(chat)

    def follow(self, chat: str, message: str) -> None:
        """Tell of a turn that was just asked for."""
        self._recent.add(chat, message)
        if feed := self.of(chat):
            feed.follow(message)

    def recent(self, chat: str) -> dict[str, float]:
        """Return the messages of a chat that came of late, and when each came, in seconds since the epoch."""
        return self._recent.of(chat)

    def tell(self, chat: str, name: str, data: object, key: str = "") -> None:
        """Tell all pages of a chat; ``key`` tells events of one name apart."""
        if feed := self.of(chat):
            feed.tell(Event(name, json.dumps(data)), f"{name} {key}")

    def clear(self, chat: str) -> None:
        """Tell all pages of a chat that nothing of it is left."""
        self._recent.clear(chat)
        if feed := self.of(chat):
            feed.clear()


class Recent:
    """The messages that came of late."""

    def __init__(self) -> None:
        """Begin with none."""
        self._came: OrderedDict[tuple[str, str], float] = OrderedDict()

    def add(self, chat: str, message: str) -> None:
        """Remember a message, unless it is known."""
        self._came.setdefault((chat, message), time.time())
        if len(self._came) > RECENT_KEPT:
            self._came.popitem(last=False)

    def of(self, chat: str) -> dict[str, float]:
        """Return the messages of a chat, and when each came, in seconds since the epoch."""
        since = time.time() - RECENT_SECONDS
        return {message: at for (owner, message), at in self._came.items() if owner == chat and at > since}

    def clear(self, chat: str) -> None:
        """Forget those of a chat."""
        for key in [key for key in self._came if key[0] == chat]:
            del self._came[key]


class _Listener:
    """What one page was not told yet: of each turn the last view alone, so that a slow page costs no memory."""

    def __init__(self, language: str | None) -> None:
        self.language = language
        self._pending: dict[str, Event] = {}
        self._filled = asyncio.Event()

    def add(self, event: Event, key: str) -> None:
        self._pending.pop(key, None)
        self._pending[key] = event
        if len(self._pending) > MOST_PENDING:
            del self._pending[next(iter(self._pending))]
        self._filled.set()

    def clear(self) -> None:
        self._pending.clear()

    async def next(self) -> Event:
        while not self._pending:
            self._filled.clear()
            await self._filled.wait()
        return self._pending.pop(next(iter(self._pending)))
