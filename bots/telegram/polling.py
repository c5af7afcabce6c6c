"""Telegram's updates by long polling: one is confirmed only once its message is safe.

The library's own Updater confirms updates before they are handled, so that a crash would lose them.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import stamina
from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut

from bots.delivery import DROPPED, TryAgainError
from bots.telegram.messages import ALLOWED_UPDATES

_log = logging.getLogger(__name__)

POLL_SECONDS = 50
"""Telegram holds a request for so long while there are no updates."""
CONFLICT_SECONDS = 5.0
"""Between tries while another process polls with the same token."""
LONGEST_PAUSE_SECONDS = 30.0
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
"""What the library raises at an update that is not as it knows them."""
LAST_CONFIRMATION_SECONDS = 2.0

Receive = Callable[[Update], Awaitable[object]]
"""Hand an update to the inbox; raise ``TryAgainError`` where it should be delivered again."""


class TokenRefusedError(Exception):
    """Telegram does not know the bot's token (any more)."""


class Polling:
    """Asks for updates until cancelled."""

    def __init__(self, bot: Bot, receive: Receive, *, poll_seconds: int = POLL_SECONDS, pause: float = 0.5) -> None:
        """Configure the poll.

        Args:
            bot: whom the updates are for.
            receive: hands one over; when it returns, the update is safe.
            poll_seconds: how long Telegram holds a request.
            pause: the first pause after a failure, in seconds; each further one is twice as long.

        """
        self._bot = bot
        self._receive = receive
        self._poll_seconds = poll_seconds
        self._first_pause = pause
        self._failures = 0
        """Batches in a row of which an update was not taken."""
        self._next: int | None = None
        """The first update that is still to be taken, and to be asked for."""
        self._done: set[int] = set()
        """Updates taken, but not yet confirmed, as an earlier one of another chat was not taken."""

    async def run(self) -> None:
        """Poll until cancelled; then confirm what was taken.

        Raises:
            TokenRefusedError: Telegram does not know the token.

        """
        try:
            while True:
                if updates := await self._ask():
                    await self._take(updates)
        except InvalidToken:
            raise TokenRefusedError from None
        finally:
            if self._next is not None:  # so that the next process is not given again what was taken
                try:
                    async with asyncio.timeout(LAST_CONFIRMATION_SECONDS):
                        await self._bot.get_updates(self._next, limit=1, timeout=0, allowed_updates=ALLOWED_UPDATES)
                except (TelegramError, TimeoutError) as error:
                    _log.info("the last updates were not confirmed, and will come again: %s", type(error).__name__)

    async def _ask(self) -> Sequence[Update]:
        """Ask for updates, which confirms those before the next, until Telegram answers."""
        async for attempt in stamina.retry_context(
            may_pass,
            attempts=None,
            timeout=None,
            wait_initial=self._first_pause,
            wait_max=LONGEST_PAUSE_SECONDS,
            wait_jitter=0,
        ):
            with attempt:
                try:
                    return await self._bot.get_updates(
                        self._next, timeout=self._poll_seconds, allowed_updates=ALLOWED_UPDATES
                    )
                except UNREADABLE:  # the library gives up the whole batch for one that it cannot read
                    asked = {"offset": self._next, "timeout": 0, "allowed_updates": ALLOWED_UPDATES}
                    return [read(one, self._bot) for one in await self._bot.do_api_request("getUpdates", asked)]
        raise AssertionError("retried without end")

    async def _take(self, updates: Sequence[Update]) -> None:
        """Hand updates over, those of one chat in their order; one that must be tried again holds up its chat alone."""
        chats: defaultdict[int, list[Update]] = defaultdict(list)
        for update in updates:
            chats[update.effective_chat.id if update.effective_chat else 0].append(update)

        async def take_in_order(chat: Sequence[Update]) -> None:
            for update in chat:
                if update.update_id not in self._done:
                    try:
                        await self._receive(update)
                    except TryAgainError:
                        return
                    self._done.add(update.update_id)

        try:
            await asyncio.gather(*(take_in_order(chat) for chat in chats.values()))
        finally:  # when cancelled, too
            left = [update.update_id for update in updates if update.update_id not in self._done]
            self._next = min(left, default=updates[-1].update_id + 1)
            self._done = {update for update in self._done if update >= self._next}
        if not left:
            self._failures = 0
            return
        await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, self._first_pause * 2 ** min(self._failures, 10)))
        self._failures += 1


def read(update: dict[str, Any], bot: Bot) -> Update:
    """Read one update; of one that cannot be read only its number is left, so that it is confirmed."""
    number = int(update["update_id"])
    try:
        return Update.de_json(update, bot)
    except UNREADABLE as error:
        _log.error("%s: update %d cannot be read: %s", DROPPED, number, type(error).__name__)
        return Update(number)


def may_pass(error: Exception) -> bool | float | timedelta:
    """Decide for stamina whether to try a call of Telegram's again, or after which pause."""
    match error:
        case Conflict():
            _log.error("another process receives this bot's messages, or a webhook is set: %s", error.message)
            return CONFLICT_SECONDS
        case RetryAfter():
            return error.retry_after
        case TimedOut():
            _log.debug("Telegram did not answer in time")
            return True
        case TelegramError() if not isinstance(error, InvalidToken):
            _log.warning("Telegram was not reached: %s", error.message)
            return True
    return False
