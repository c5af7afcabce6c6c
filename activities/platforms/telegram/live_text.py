"""What Telegram shows of a turn under way: the chat action, and the text as it is written."""

import asyncio
import logging
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from telegram import Bot, ReplyParameters
from telegram.constants import ChatAction, MessageLimit
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from activities.platforms.telegram.errors import seconds_of
from activities.platforms.telegram.pacing import Pacing, is_group
from activities.text.message_parts import split_text
from activities.values import Address

_log = logging.getLogger(__name__)

ACTION_SECONDS = 4.5
"""Telegram shows a chat action for five."""
SHOW_SECONDS = 1.5
"""Between two showings of the text."""
DRAFT_SECONDS = 20.0
"""A draft is gone after thirty, so one that does not grow is shown again."""
HANDOVER_SECONDS = 3.0
"""How long a message with the text so far waits for the reply to take it over, before it is deleted."""
WRITING = " …"


@dataclass
class Live:
    """One turn under way."""

    bot: Bot
    pacing: Pacing
    to: Address
    chat: int
    shown: str | None
    """Id of the message that shows the text; drafts are no messages."""
    drafts_only: bool = False
    """No message may show the text: beside a captioned voice note it would be left over."""
    owned: bool = False
    """This process has sent or edited that message, so that it is not the final text of another."""
    text: str = ""
    drafts: bool = True
    shown_at: float = 0.0
    ended: bool = False
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def show(self, text: str) -> None:
        """Show the text so far, unless something was shown a moment ago."""
        now, text = time.monotonic(), _fitting(text)
        due = SHOW_SECONDS if text != self.text else (DRAFT_SECONDS if self.drafts else float("inf"))
        if not text or self.ended or self._busy.locked() or now - self.shown_at < due:
            return
        async with self._busy:
            self.shown_at = now
            try:
                shown = await self._show(text)
            except RetryAfter as error:
                self.shown_at = now + seconds_of(error)
                self.pacing.hold(self.chat, seconds_of(error))
            except TelegramError as error:
                self._refused(error)
            else:
                self.text = text if shown else self.text

    async def _show(self, text: str) -> bool:
        """Show a text; False: it was left out, as the chat has had enough for now."""
        thread = int(self.to.thread) if self.to.thread else None
        if self.drafts:
            await self.bot.send_message_draft(self.chat, draft_id(self.to), text, message_thread_id=thread)
            return True
        if self.drafts_only or not self.pacing.spare(self.chat):
            return False
        if self.shown is None:
            quote = ReplyParameters(int(self.to.message), allow_sending_without_reply=True)
            sent = await self.bot.send_message(
                self.chat, text + WRITING, message_thread_id=thread, reply_parameters=quote
            )
            self.shown = str(sent.message_id)
        else:
            await self.bot.edit_message_text(text + WRITING, self.chat, int(self.shown))
        self.owned = True
        return True

    def _refused(self, error: TelegramError) -> None:
        """Leave the text out: until the next time, or for good where Telegram will not have it."""
        _log.debug("the text so far was not shown: %s", error.message)
        if isinstance(error, BadRequest | Forbidden | InvalidToken) and "not modified" not in error.message.lower():
            self.ended = True  # an older server of one's own knows no drafts, for one

    async def finish(self) -> str | None:
        """Show nothing more; return the message that the final text may replace."""
        self.ended = True
        self.taken.set()
        async with self._busy:  # a draft on its way must not come after the final text
            return self.shown if self.owned else None

    async def leave(self) -> None:
        """End without the final text, or after it: no partial text stays."""
        self.ended = True
        async with self._busy:
            if self.shown is None or not self.owned or self.taken.is_set():
                return
        try:
            await asyncio.wait_for(self.taken.wait(), HANDOVER_SECONDS)
        except TimeoutError:
            await self._delete(self.shown)
        except asyncio.CancelledError:
            await self._delete(self.shown)
            raise

    async def _delete(self, message: str) -> None:
        self.taken.set()
        try:
            await self.bot.delete_message(self.chat, int(message))
        except TelegramError as error:
            _log.warning("a message with a part of the text stays: %s", error.message)

    async def act(self, action: ChatAction) -> None:
        """Show the chat action until cancelled; what the platform refuses is left out."""
        thread = int(self.to.thread) if self.to.thread else None
        while True:
            pause = ACTION_SECONDS
            try:
                await self.bot.send_chat_action(self.chat, action, message_thread_id=thread)
            except RetryAfter as error:
                pause = max(pause, seconds_of(error))
            except (BadRequest, Forbidden) as error:
                _log.debug("no chat action: %s", error.message)
                return
            except NetworkError as error:
                _log.debug("no chat action this time: %s", error.message)
            await asyncio.sleep(pause)


def _fitting(text: str) -> str:
    """Take as much of a text as one message holds; the reply will hold it all."""
    return next(iter(split_text(text, MessageLimit.MAX_TEXT_LENGTH - len(WRITING))), "")


def draft_id(to: Address) -> int:
    """Number the draft of a message's answer; the same for each attempt, and never zero."""
    return zlib.crc32(f"{to.chat}/{to.message}".encode()) % (2**31 - 1) + 1


@asynccontextmanager
async def showing(live: Live, *, speaks: bool) -> AsyncIterator[Live]:
    """Show that june is at it for as long as the block runs."""
    live.drafts = not is_group(live.chat)
    acting = asyncio.create_task(live.act(ChatAction.RECORD_VOICE if speaks else ChatAction.TYPING))
    try:
        yield live
    finally:
        acting.cancel()
        await asyncio.wait([acting])
        if not acting.cancelled() and acting.exception():
            _log.warning("the chat action ended: %s", acting.exception())
        await live.leave()
