"""Telegram's updates by long polling: one is confirmed only once its message is safe.

The library's own Updater confirms updates before they are handled, so that a crash would lose them.
"""

import asyncio
import logging
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import stamina
from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut

from bots.delivery import DROPPED, TryAgainError
from bots.telegram.messages import ALLOWED_UPDATES, moves

_log = logging.getLogger(__name__)

POLL_SECONDS = 50
"""Telegram holds a request for so long while there are no updates."""
CONFLICT_SECONDS = 5.0
"""Between tries while another process polls with the same token."""
CONFLICTS = 6
"""In a row: then it is no bot that is just being replaced, and an operator must act."""
CONFLICT = "telegram-conflict"
"""Stable code in the log."""
EMPTY_SECONDS = 1.0
"""An answer without new updates that comes sooner is of a server that does not wait for them."""
EMPTY_PAUSE_SECONDS = 0.5
LONGEST_ASKED_SECONDS = 300.0
"""A server that asks for a longer pause is asked again after this."""
TAKEN_REMEMBERED = 1000
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
        self._taken: OrderedDict[int, None] = OrderedDict()
        """Updates taken of late: some not yet confirmed, as an earlier one of another chat was not taken, and a server
        may give out again what was confirmed. Their numbers may begin anew after a quiet week.
        """
        self._retries = Retries()

    async def run(self) -> None:
        """Poll until cancelled; then confirm what was taken.

        Raises:
            TokenRefusedError: Telegram does not know the token.

        """
        try:
            while True:
                asked = time.monotonic()
                updates = await self._ask()
                new = [update for update in updates if update.update_id not in self._taken]
                if updates:
                    await self._take(updates, new)
                if not new and time.monotonic() - asked < EMPTY_SECONDS:
                    await asyncio.sleep(EMPTY_PAUSE_SECONDS)
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
            self._retries.may_pass,
            attempts=None,
            timeout=None,
            wait_initial=self._first_pause,
            wait_max=LONGEST_PAUSE_SECONDS,
            wait_jitter=0,
        ):
            with attempt:
                try:
                    updates = await self._bot.get_updates(
                        self._next, timeout=self._poll_seconds, allowed_updates=ALLOWED_UPDATES
                    )
                except UNREADABLE:  # the library gives up the whole batch for one that it cannot read
                    asked = {"offset": self._next, "timeout": 0, "allowed_updates": ALLOWED_UPDATES}
                    updates = read_all(await self._bot.do_api_request("getUpdates", asked), self._bot)
                self._retries.reset()
                return [update for update in updates if isinstance(update.update_id, int)]
        raise AssertionError("retried without end")

    async def _take(self, updates: Sequence[Update], new: Sequence[Update]) -> None:
        """Hand updates over, those of one chat in their order; one that must be tried again holds up its chat alone.

        A group that becomes a supergroup, and that, are one chat.
        """
        became = dict(filter(None, map(moves, new)))
        chats: defaultdict[str, list[Update]] = defaultdict(list)
        for update in new:
            chat = str(update.effective_chat.id if update.effective_chat else 0)
            chats[became.get(chat, chat)].append(update)

        async def take_in_order(chat: Sequence[Update]) -> None:
            for update in chat:
                try:
                    await self._receive(update)
                except TryAgainError:
                    return
                self._taken[update.update_id] = None

        try:
            await asyncio.gather(*(take_in_order(chat) for chat in chats.values()))
        finally:  # when cancelled, too
            left = [update.update_id for update in updates if update.update_id not in self._taken]
            self._next = min(left, default=updates[-1].update_id + 1)
            while len(self._taken) > TAKEN_REMEMBERED:
                self._taken.popitem(last=False)
        if not left:
            self._failures = 0
            return
        await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, self._first_pause * 2 ** min(self._failures, 10)))
        self._failures += 1


def read_all(answer: object, bot: Bot) -> tuple[Update, ...]:
    """Read updates one by one; what is none is left out."""
    listed = answer if isinstance(answer, list) else []
    known = [one for one in listed if isinstance(one, dict) and isinstance(one.get("update_id"), int)]
    if not isinstance(answer, list) or len(known) < len(listed):
        _log.warning("Telegram's server answers with what are no updates; they are left out")
    return tuple(read(one, bot) for one in known)


def read(update: dict[str, Any], bot: Bot) -> Update:
    """Read one update; of one that cannot be read only its number is left, so that it is confirmed."""
    number = int(update["update_id"])
    try:
        return Update.de_json(update, bot)
    except UNREADABLE as error:
        _log.error("%s: update %d cannot be read: %s", DROPPED, number, type(error).__name__)
        return Update(number)


class Retries:
    """Decides whether a call of Telegram's is tried again, and logs what is ordinary in one line."""

    def __init__(self) -> None:
        """Begin with no conflict."""
        self._conflicts = 0

    def reset(self) -> None:
        """Begin anew, as a call has succeeded."""
        self._conflicts = 0

    def may_pass(self, error: Exception) -> bool | float | timedelta:
        """Decide for stamina whether to try again, or after which pause."""
        match error:
            case Conflict():
                self._conflicts += 1
                if self._conflicts == CONFLICTS:
                    _log.error("%s: another process receives this bot's messages: %s", CONFLICT, error.message)
                else:
                    level = logging.WARNING if self._conflicts == 1 else logging.DEBUG
                    _log.log(level, "another process receives this bot's messages; tried again: %s", error.message)
                return CONFLICT_SECONDS
            case RetryAfter():
                pause = min(_seconds(error.retry_after), LONGEST_ASKED_SECONDS)
                _log.info("Telegram asks for a pause; tried again in %.0f s", pause)
                return pause
            case TimedOut():
                _log.debug("Telegram did not answer in time; tried again")
                return True
            case TelegramError() if not isinstance(error, InvalidToken):
                _log.warning("Telegram was not reached; tried again: %s", error.message)
                return True
        return False


def _seconds(pause: float | timedelta) -> float:
    return pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
