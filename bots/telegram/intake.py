"""Telegram's updates, one of a chat after the other, to the inbox; and the menu of commands."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from telegram import Bot, BotCommand, Update, User
from telegram.error import TelegramError

from activities.values import Address
from bots.commands import FOR_ALL, description
from bots.inbox import InboundMessage
from bots.telegram.messages import PLATFORM, convert
from bots.texts.catalogue import LANGUAGES

_log = logging.getLogger(__name__)

MAX_ANSWERS = 10
"""Sentences of june's own that wait to be sent in one chat; a flood of commands gets no more."""

Say = Callable[[Address, str], Awaitable[object]]
"""Send a text in reply to a message."""


class Receives(Protocol):
    """What stands behind: the inbox, or a stand-in."""

    async def receive(self, inbound: InboundMessage) -> str | None:
        """Take a message for good; return what to say at once."""


class TelegramIntake:
    """Takes updates, one of a chat after the other."""

    def __init__(self, inbox: Receives, say: Say, me: User) -> None:
        """Take the inbox, the way to answer at once, and who june is here."""
        self._inbox = inbox
        self._say = say
        self._me = me
        self._answers: set[asyncio.Task[None]] = set()
        self._waiting: Counter[str] = Counter()

    async def receive(self, update: Update) -> InboundMessage | None:
        """Take an update; when this returns, it may be confirmed.

        Returns:
            The message, if there is one, and the conversation rather than this intake has the next word.

        Raises:
            temporalio.service.RPCError: the server did not take it; it should be delivered again.

        """
        inbound = convert(update, self._me)
        sentence = await self._inbox.receive(inbound) if inbound else None
        if inbound is None or sentence is None:
            return inbound
        self._answer(inbound, sentence)
        return None

    def _answer(self, inbound: InboundMessage, sentence: str) -> None:
        """Send beside the intake, which must not wait for Telegram's pace."""
        if self._waiting[inbound.chat] >= MAX_ANSWERS:
            _log.warning("%d answers wait in chat %s; one more is left out", MAX_ANSWERS, inbound.chat)
            return
        self._waiting[inbound.chat] += 1
        task = asyncio.create_task(self._send(inbound, sentence))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

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
    """Give Telegram the menu of commands, in each of june's languages; failing that there is none, and no harm."""
    try:
        for language in (None, *LANGUAGES):
            await bot.set_my_commands(_menu(language), language_code=language)
    except TelegramError as error:
        _log.warning("the menu of commands was not set: %s", error.message)


def _menu(language: str | None) -> Sequence[BotCommand]:
    return [BotCommand(name, description(name, language)[:256]) for name in FOR_ALL]
