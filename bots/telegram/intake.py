"""Telegram's updates, one of a chat after the other, to the inbox; and the menu of commands."""

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from telegram import Bot, BotCommand, Update, User
from telegram.error import TelegramError

from activities.values import Address, Notice
from bots.commands import FOR_ALL, description
from bots.delivery import Delivery, DroppedError
from bots.intake import InboundMessage
from bots.telegram.answers import Answers, Say
from bots.telegram.continuations import Continuations
from bots.telegram.messages import PLATFORM, convert, moves
from bots.texts.catalogue import LANGUAGES, say

_log = logging.getLogger(__name__)

Move = Callable[[str, str, str | None], Awaitable[None]]
"""Move what june knows of a group to the supergroup that it has become: former id, id, title."""


class Receives(Protocol):
    """The inbox, or a double of it."""

    async def receive(self, inbound: InboundMessage) -> str | None:
        """Store a message durably; return what to say at once."""


class TelegramIntake:
    """Hands updates to the inbox; await it for one update of a chat after the other."""

    def __init__(self, inbox: Receives, say: Say, me: User, move: Move) -> None:
        """Connect the inbox.

        Args:
            inbox: receives the messages.
            say: sends what the inbox says at once.
            me: june's user on Telegram.
            move: moves along what belongs to a group that gets another id.

        """
        self._inbox = inbox
        self._answers = Answers(say)
        self._me = me
        self._move = move
        self._delivery = Delivery()
        self._continuations = Continuations()

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
            inbound = None
            if update.message is None:
                return None
            if moved := moves(update):
                await self._move(*moved, update.message.chat.title)
            read = convert(update, self._me)
            inbound = self._continuations.marked(update.message, read) if read else None
            sentence = await self._inbox.receive(inbound) if inbound else None
            if inbound:
                self._continuations.remember(update.message, inbound)
            return sentence

        try:
            sentence = await self._delivery.attempt(update.update_id, receive)
        except DroppedError:
            if inbound is None:  # it could not even be read
                return None
            sentence = say(Notice(key="internal"), inbound.language)
        if inbound is None or sentence is None:
            return inbound
        to = Address(platform=PLATFORM, chat=inbound.chat, thread=inbound.thread, message=inbound.message)
        self._answers.send(to, sentence)  # the intake must not wait for Telegram's pace
        return None

    async def settle(self) -> None:
        """Wait until all answers were sent, or given up."""
        await self._answers.settle()


async def publish_commands(bot: Bot) -> None:
    """Publish the menu of commands in each of june's languages; june works without, so a failure is only logged."""
    try:
        for language in (None, *LANGUAGES):
            menu = [BotCommand(name, description(name, language)[:256]) for name in FOR_ALL]
            await bot.set_my_commands(menu, language_code=language)
    except TelegramError as error:
        _log.warning("the menu of commands was not set: %s", error.message)
