"""What june tells its owners on Telegram by itself."""

import logging
from collections.abc import Iterable

from telegram import Bot
from telegram.error import TelegramError

from activities.values import Notice
from bots.texts.catalogue import say

_log = logging.getLogger(__name__)


class Owners:
    """The private chats of june's owners."""

    def __init__(self, bot: Bot, owners: Iterable[str]) -> None:
        """Write to these people, by their ids."""
        self._bot = bot
        self._owners = tuple(owners)

    async def tell(self, notice: Notice, language: str | None) -> None:
        """Tell each owner; who has not begun a chat with june cannot be told.

        Args:
            notice: what to tell; of its figure ``chat``, the group's id, they read the title.
            language: ISO 639-1 code, or None for English.

        """
        sentence = say(await self._with_title(notice), language)
        for owner in self._owners:
            try:
                await self._bot.send_message(int(owner), sentence)
            except (TelegramError, ValueError) as error:
                _log.info("owner %s could not be told of %s: %s", owner, notice.key, error)

    async def _with_title(self, notice: Notice) -> Notice:
        """Name the group."""
        chat = int(notice.params["chat"])
        try:
            title = (await self._bot.get_chat(chat)).title
        except TelegramError as error:
            _log.info("the title of chat %d is not known: %s", chat, error.message)
            title = None
        return notice.model_copy(update={"params": notice.params | {"chat": title or str(chat)}})
