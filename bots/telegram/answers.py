"""What june says at once in reply to messages: those of a chat in their order, when Telegram lets them through."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

from temporalio.exceptions import ApplicationError

from activities.values import Address

_log = logging.getLogger(__name__)

MAX_ANSWERS = 10
"""Sentences of june's own that wait to be sent in one chat; a flood of commands gets no more."""
WAIT_SECONDS = 180.0
"""An answer that could not be sent for so long is no answer any more."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
"""Between tries, where Telegram is not reached; each pause is twice as long as the one before."""

Say = Callable[[Address, str], Awaitable[object]]
"""Send a text in reply to a message.

Raises an ``ApplicationError`` where nothing was sent: with ``next_retry_delay`` where Telegram asks for a pause, and
``non_retryable`` where nothing ever will be.
"""


class Answers:
    """Sends sentences in the background, one of a chat after the other."""

    def __init__(self, say: Say) -> None:
        """Send by this."""
        self._say = say
        self._waiting: dict[str, deque[tuple[Address, str]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, to: Address, sentence: str) -> None:
        """Have a sentence sent; nobody waits for it."""
        waiting = self._waiting.get(to.chat)
        if waiting is not None and len(waiting) >= MAX_ANSWERS:
            _log.warning("%d answers wait in chat %s; one more is left out", MAX_ANSWERS, to.chat)
        elif waiting is not None:
            waiting.append((to, sentence))
        else:
            self._waiting[to.chat] = deque([(to, sentence)])
            task = asyncio.create_task(self._send_all(to.chat))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until all were sent, or given up."""
        await asyncio.gather(*self._tasks)

    async def _send_all(self, chat: str) -> None:
        waiting = self._waiting[chat]
        try:
            while waiting:
                await self._send_when_possible(*waiting[0])
                waiting.popleft()
        finally:
            del self._waiting[chat]

    async def _send_when_possible(self, to: Address, sentence: str) -> None:
        """Send one sentence; where certainly nothing was sent, try again after a pause, for a while."""
        last, pause = time.monotonic() + WAIT_SECONDS, FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._say(to, sentence)
            except ApplicationError as error:
                delay = error.next_retry_delay.total_seconds() if error.next_retry_delay else pause
                if error.non_retryable or time.monotonic() + delay > last:
                    _log.warning("an answer in chat %s is not sent: %s", to.chat, error.message)
                    return
                _log.info("an answer in chat %s waits %.1f s: %s", to.chat, delay, error.message)
                await asyncio.sleep(delay)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - it may have arrived; whoever gave a command can give it again
                _log.warning("whether an answer in chat %s was sent is not known: %s", to.chat, error)
                return
            else:
                return
