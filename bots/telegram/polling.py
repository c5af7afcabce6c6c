"""Telegram's updates by long polling: one is confirmed only once its message is safe.

The library's own Updater confirms updates before they are handled, so that a crash would lose them.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut
from temporalio.service import RPCError, RPCStatusCode

from bots.telegram.messages import ALLOWED_UPDATES

_log = logging.getLogger(__name__)

POLL_SECONDS = 50
"""Telegram holds a request for so long while there is nothing to tell."""
CONFLICT_SECONDS = 5.0
"""Between tries while another process polls with the same token."""
LONGEST_PAUSE_SECONDS = 30.0
TRIES = 3
"""An update that fails so often for reasons of its own is left out, as it would hold up all others."""
HOPELESS = (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.OUT_OF_RANGE)
"""What the server will not take however often it is asked; any other refusal passes."""
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
"""What the library raises at an update that is not as it knows them."""
GOODBYE_SECONDS = 2.0

Receive = Callable[[Update], Awaitable[object]]


class TokenRefusedError(Exception):
    """Telegram does not know the bot's token (any more)."""


class Polling:
    """Asks for updates, for ever."""

    def __init__(self, bot: Bot, receive: Receive, *, poll_seconds: int = POLL_SECONDS, pause: float = 0.5) -> None:
        """Take the bot and what takes its updates.

        Args:
            bot: whom the updates are for.
            receive: takes one; when it returns, the update is safe.
            poll_seconds: how long Telegram holds a request.
            pause: the first pause after a failure, in seconds; each further one is twice as long.

        """
        self._bot = bot
        self._receive = receive
        self._poll_seconds = poll_seconds
        self._first_pause = pause
        self._failures = 0
        self._next: int | None = None
        """The first update that is still to be taken, and to be asked for."""
        self._done: set[int] = set()
        """Updates taken, but not yet confirmed, as an earlier one of another chat was not taken."""
        self._tries: Counter[int] = Counter()

    async def run(self) -> None:
        """Poll until cancelled; then confirm what was taken.

        Raises:
            TokenRefusedError: there is no use in going on.

        """
        try:
            while True:
                updates = await self._ask()
                if updates:
                    await self._take(updates)
        finally:
            if self._next is not None:
                await self._confirm(self._next)

    async def _ask(self) -> Sequence[Update]:
        """Ask for updates, which confirms those before the next; after a failure pause, and return none."""
        try:
            updates = await self._updates()
        except InvalidToken:
            raise TokenRefusedError from None
        except Conflict as error:
            _log.error("another process receives this bot's messages, or a webhook is set: %s", error.message)
            await asyncio.sleep(CONFLICT_SECONDS)
        except RetryAfter as error:
            await asyncio.sleep(_seconds(error))
        except TimedOut:
            _log.debug("the poll brought nothing")
            await self._pause()
        except TelegramError as error:
            _log.warning("Telegram was not reached: %s", error.message)
            await self._pause()
        else:
            if not updates:
                self._failures = 0
            return updates
        return ()

    async def _updates(self) -> Sequence[Update]:
        try:
            return await self._bot.get_updates(self._next, timeout=self._poll_seconds, allowed_updates=ALLOWED_UPDATES)
        except UNREADABLE:  # the library gives up the whole batch for one that it cannot read
            asked = {"offset": self._next, "timeout": 0, "allowed_updates": ALLOWED_UPDATES}
            return [self._read(one) for one in await self._bot.do_api_request("getUpdates", asked)]

    def _read(self, update: dict[str, Any]) -> Update:
        """Read one update; of one that cannot be read only its number is left, so that it is confirmed."""
        number = int(update["update_id"])
        try:
            return Update.de_json(update, self._bot)
        except UNREADABLE as error:
            _log.error("update %d cannot be read, and is left out: %s", number, type(error).__name__)
            return Update(number)

    async def _take(self, updates: Sequence[Update]) -> None:
        """Take updates, those of one chat in their order."""
        chats: defaultdict[int, list[Update]] = defaultdict(list)
        for update in updates:
            chats[update.effective_chat.id if update.effective_chat else 0].append(update)
        last = updates[-1].update_id
        try:
            await asyncio.gather(*(self._take_in_order(chat) for chat in chats.values()))
        finally:  # when cancelled, too
            left = [update.update_id for update in updates if update.update_id not in self._done]
            self._next = min(left, default=last + 1)
            self._done = {update for update in self._done if update >= self._next}
        if left:
            await self._pause()
        else:
            self._failures = 0

    async def _take_in_order(self, updates: Sequence[Update]) -> None:
        for update in updates:
            if update.update_id not in self._done and not await self._taken(update):
                return
            self._done.add(update.update_id)

    async def _taken(self, update: Update) -> bool:
        try:
            await self._receive(update)
        except RPCError as error:
            if error.status not in HOPELESS:
                _log.warning("update %d waits for Temporal: %s", update.update_id, error.message)
                return False
            return self._given_up(update, error)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one update must not stop all others
            return self._given_up(update, error)
        self._tries.pop(update.update_id, None)
        return True

    def _given_up(self, update: Update, error: Exception) -> bool:
        self._tries[update.update_id] += 1
        given_up = self._tries[update.update_id] >= TRIES
        verdict = "is left out" if given_up else "is tried again"
        _log.error("update %d could not be taken and %s", update.update_id, verdict, exc_info=error)
        if given_up:
            del self._tries[update.update_id]
        return given_up

    async def _pause(self) -> None:
        self._failures += 1
        await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, self._first_pause * 2 ** min(self._failures - 1, 10)))

    async def _confirm(self, offset: int) -> None:
        """Confirm what was taken since the last request, so that the next process is not told of it again."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._bot.get_updates(offset, limit=1, timeout=0, allowed_updates=ALLOWED_UPDATES)
        except (TelegramError, TimeoutError) as error:
            _log.info("the last updates were not confirmed, and will be told of again: %s", type(error).__name__)


def _seconds(error: RetryAfter) -> float:
    asked = error.retry_after
    return asked.total_seconds() if isinstance(asked, timedelta) else float(asked)
