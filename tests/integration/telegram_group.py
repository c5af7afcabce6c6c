"""A group on Telegram of the tests' own, as june's bot sees it.

A traceback shows what its functions were given, the token in an address among it: what goes wrong with Telegram is told
in a sentence, and no function here is given a bot, which writes its token when it is shown.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telegram import Bot, Update, User
from telegram.error import InvalidToken, TelegramError
from temporalio.exceptions import ApplicationError

from activities.platforms.telegram.platform import TelegramPlatform
from activities.reply import Delivered
from activities.values import AudioSource
from bots.intake import InboundMessage
from bots.telegram.messages import convert
from tests.integration.june import HTTP_SECONDS, June
from tests.integration.owner import SPEAKER, failure, needed, owner_of
from workers.roles.telegram import REFUSED, build_bot
from workers.settings import AudioSettings, TelegramSettings

TOKEN, OWNERS, CHAT = "JUNE_TELEGRAM_TOKEN", "JUNE_TELEGRAM_OWNERS", "JUNE_INTEGRATION_TELEGRAM_CHAT"
IN_CAPTION = "/voice caption"
"""june's command for an answer in one message: of a message with text and a voice note, Telegram tells the id; of a
voice note that follows the text nobody keeps it."""


class Group:
    """What the tests have sent into the group, and june, to be deleted at the end."""

    def __init__(self, bot: Bot, chat: int) -> None:
        """Take the bot, which is ready, and the group's id."""
        self._bot = bot
        self._chat = chat
        self._sent: list[int] = []
        self._reply = 0

    async def ask(self, sound: bytes, owner: str) -> InboundMessage:
        """Upload a recording with june's name as its caption; give it as the owner's message to june."""
        name = f"@{self._bot.username}"
        sent = await self._bot.send_voice(self._chat, sound, caption=name, filename="question.ogg")
        self._sent.append(sent.message_id)
        speaker = {"id": int(owner), "is_bot": False, "first_name": SPEAKER}
        update = Update.de_json({"update_id": 1, "message": sent.to_dict() | {"from": speaker}}, self._bot)
        inbound = convert(update, self._bot.bot)
        assert inbound is not None, f"june does not listen in chat {self._chat}: {CHAT} names a group"
        assert inbound.audio
        assert (inbound.user, inbound.addressed, inbound.text) == (owner, True, "")
        return inbound

    def answered(self, delivered: list[Delivered]) -> None:
        """Learn what june has sent."""
        self._sent += [int(each.text_message) for each in delivered if each.text_message]
        self._reply = self._sent[-1]

    async def reply(self) -> tuple[str, bytes]:
        """Read june's answer, text and voice: a bot cannot read its chats, but is shown what it forwards."""
        copy = await self._bot.forward_message(self._chat, self._chat, self._reply)
        self._sent.append(copy.message_id)
        assert copy.voice, "the answer is no voice note with its text as the caption"
        source = AudioSource(locator=copy.voice.file_id)
        return copy.caption or "", await TelegramPlatform(self._bot).download(source, AudioSettings().max_bytes)

    async def clear(self) -> None:
        """Delete all of it."""
        if self._sent:
            await self._bot.delete_messages(self._chat, self._sent)


@asynccontextmanager
async def telegram_bot() -> AsyncIterator[tuple[Bot, User]]:
    """Be june's bot, of which Telegram tells who it is."""
    settings = TelegramSettings()
    needed(settings.token.get_secret_value(), TOKEN, "there is no Telegram bot, or these tests do not know its token")
    bot = build_bot(settings)
    try:
        async with asyncio.timeout(HTTP_SECONDS):
            await bot.initialize()
        yield bot, bot.bot
    except InvalidToken:
        raise failure(REFUSED) from None  # the library's error names the token
    except (TelegramError, ApplicationError) as error:
        raise failure(f"Telegram: {error.message}") from None
    finally:
        await bot.shutdown()


@asynccontextmanager
async def telegram_group(june: June) -> AsyncIterator[tuple[Group, str]]:
    """Be in the group, with the name of an owner; nothing stays there."""
    async with telegram_bot() as (bot, _):
        chat = int(needed(june.settings.telegram_chat, CHAT, "there is no group on Telegram for a test's turn"))
        owner = owner_of(TelegramSettings(), OWNERS)
        if chat > 0:
            what = f"{CHAT} names somebody's private chat with june, whose memory would be lost: name a group"
            raise failure(what)
        group = Group(bot, chat)
        try:
            yield group, owner
        finally:
            await group.clear()
