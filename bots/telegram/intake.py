"""Telegram's updates, one of a chat after the other, to the inbox; and the menu of commands."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

from telegram import Bot, BotCommand, Update, User
from telegram.error import TelegramError

from activities.values import Address, Notice
from bots.commands import FOR_ALL, description
from bots.delivery import Delivery, DroppedError
from bots.intake import InboundMessage
from bots.telegram.messages import PLATFORM, convert
from bots.texts.catalogue import LANGUAGES, say

_log = logging.getLogger(__name__)

MAX_ANSWERS = 10
"""Sentences of june's own that wait to be sent in one chat; a flood of commands gets no more."""

Say = Callable[[Address, str], Awaitable[object]]
"""Send a text in reply to a message."""


class Receives(Protocol):
    """The inbox, or a double of it."""

    async def receive(self, inbound: InboundMessage) -> str | None:
        """Store a message durably; return what to say at once."""


class TelegramIntake:
    """Hands updates to the inbox; await it for one update of a chat after the other."""

    def __init__(self, inbox: Receives, say: Say, me: User) -> None:
        """Connect the inbox.

        Args:
            inbox: receives the messages.
            say: sends what the inbox says at once.
            me: june's user on Telegram.

        """
        self._inbox = inbox
        self._say = say
        self._me = me
        self._delivery = Delivery()
        self._answers: set[asyncio.Task[None]] = set()
        self._waiting: Counter[str] = Counter()

    async def receive(self, update: Update) -> InboundMessage | None:
        """Hand an update to the inbox; when this returns, it may be confirmed.

        One that can never be taken is dropped, and its sender told.

        Returns:
            The message, if there is one, and the conversation rather than this intake has the next word.

        Raises:
            TryAgainError: it was not taken; it should be delivered again, before later ones of its chat.

        """
        inbound: InboundMessage | None = None

        async def receive() -> str | None:
            nonlocal inbound
            inbound = convert(update, self._me)
            return await self._inbox.receive(inbound) if inbound else None

        try:
            sentence = await self._delivery.attempt(update.update_id, receive)
        except DroppedError:
            if inbound is None:  # it could not even be read
                return None
            sentence = say(Notice(key="internal"), inbound.language)
        if inbound is None or sentence is None:
            return inbound
        if self._waiting[inbound.chat] >= MAX_ANSWERS:
            _log.warning("%d answers wait in chat %s; one more is left out", MAX_ANSWERS, inbound.chat)
            return None
        self._waiting[inbound.chat] += 1
        task = asyncio.create_task(self._send(inbound, sentence))  # the intake must not wait for Telegram's pace
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)
        return None

    async def _send(self, inbound: InboundMessage, sentence: str) -> None:
        to = Address(platform=PLATFORM, chat=inbound.chat, thread=inbound.thread, message=inbound.message)
        try:
            await self._say(to, sentence)
        except Exception as error:  # noqa: BLE001 - once or not at all: whoever gave a command can give it again
            _log.warning("an answer in chat %s was not sent: %s", inbound.chat, error)
        finally:
            self._waiting[inbound.chat] -= 1
            if not self._waiting[inbound.chat]:
                del self._waiting[inbound.chat]

    async def settle(self) -> None:
        """Wait until all answers were sent."""
        await asyncio.gather(*self._answers)


async def publish_commands(bot: Bot) -> None:
    """Publish the menu of commands in each of june's languages; june works without, so a failure is only logged."""
    try:
        for language in (None, *LANGUAGES):
            menu = [BotCommand(name, description(name, language)[:256]) for name in FOR_ALL]
            await bot.set_my_commands(menu, language_code=language)
    except TelegramError as error:
        _log.warning("the menu of commands was not set: %s", error.message)
