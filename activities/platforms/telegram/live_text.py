"""What Telegram shows of a turn under way: the chat action, and the text as it is written."""

import asyncio
import logging
import time
import zlib
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self

from telegram import Bot
from telegram.constants import ChatAction, MessageLimit
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from activities.platforms.telegram.errors import NOT_MODIFIED, is_about, seconds_of
from activities.platforms.telegram.formatted import Formatted, split_formatted
from activities.platforms.telegram.message import so_far
from activities.platforms.telegram.pacing import Pacing, is_group
from activities.platforms.telegram.ways import Way, Ways
from activities.values import Address

_log = logging.getLogger(__name__)

ACTION_SECONDS = 4.5
"""Telegram shows a chat action for five."""
SHOW_SECONDS = 1.5
"""Between two changes of the text."""
DRAFT_SECONDS = 20.0
"""A draft is gone after thirty, so one that does not grow is sent again."""
HANDOVER_SECONDS = 3.0
"""How long a message with the text so far waits for the reply to replace it, before it is deleted."""
WRITING = " …"


class LiveText:
    """The text so far of one turn, shown until its block is left: a draft in private chats, a message in groups."""

    def __init__(
        self,
        bot: Bot,
        pacing: Pacing,
        ways: Ways,
        to: Address,
        action: ChatAction,
        shown: str | None,
        *,
        drafts_only: bool = False,
    ) -> None:
        """Show nothing yet.

        Args:
            bot: shows it.
            pacing: of the bot's messages.
            ways: how it gets to the chat.
            to: the message that is answered.
            action: what june is doing, as a chat action.
            shown: id of the message that shows the text already, if an attempt before this one has sent it.
            drafts_only: no message may show the text, as a captioned voice note has it; june's own sentences may be.

        """
        self.shown = shown
        """Id of the message that shows the text; drafts are no messages."""
        self._bot = bot
        self._pacing = pacing
        self._ways = ways
        self._to = to
        # The same for each attempt, and never zero.
        self._draft_id = zlib.crc32(f"{to.chat}/{to.message}".encode()) % (2**31 - 1) + 1
        self._action = action
        self._drafts = not is_group(int(to.chat))
        self._drafts_only = drafts_only
        self._owned = False
        """This object has sent or edited that message, so that it is not the final text of another process."""
        self._text = Formatted("")
        self._shown_at = 0.0
        self._ended = False
        self._taken = asyncio.Event()
        """Set once the reply has taken over, or no longer can."""
        self._busy = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._acting = asyncio.create_task(self._repeat_action())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show nothing more; delete the message with the text so far, unless the reply replaces it in time."""
        self._acting.cancel()
        await asyncio.wait([self._acting])
        if not self._acting.cancelled() and self._acting.exception():
            _log.warning("the chat action ended: %s", self._acting.exception())
        self._ended = True
        async with self._busy:
            if self.shown is None or not self._owned or self._taken.is_set():
                return
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._taken.wait(), HANDOVER_SECONDS)
        finally:
            if not self._taken.is_set():
                self._taken.set()
                message, self.shown = self.shown, None  # a reply from here on is a message of its own
                try:
                    await self._bot.delete_message(self._ways.chat(self._to), int(message))
                except TelegramError as error:
                    _log.warning("a message with a part of the text stays: %s", error.message)

    async def show(self, text: str) -> None:
        """Show as much of the Markdown as one message holds, unless something was shown a moment ago."""
        now = time.monotonic()
        if not text.strip() or self._ended or self._busy.locked() or now - self._shown_at < SHOW_SECONDS:
            return
        await self._show(now, so_far(text))

    async def tell(self, sentence: str) -> None:
        """Show a sentence of june's own in the place of the text."""
        await self._show(time.monotonic(), Formatted(sentence), told=True)

    async def _show(self, now: float, text: Formatted, *, told: bool = False) -> None:
        """Show a text; of one that does not fit, a draft has the last part, and a message what it will become."""
        parts = split_formatted(text, MessageLimit.MAX_TEXT_LENGTH - len(WRITING))
        if not parts or self._ended or self._busy.locked():
            return
        part = parts[-1 if self._drafts else 0]
        pause = SHOW_SECONDS if part != self._text else (DRAFT_SECONDS if self._drafts else float("inf"))
        if now - self._shown_at < pause:
            return
        async with self._busy:
            self._shown_at = now
            try:
                if await self._send(part, told=told):
                    self._text = part
            except RetryAfter as error:
                self._shown_at = now + seconds_of(error)
                self._pacing.hold(self._ways.chat(self._to), seconds_of(error))
            except TelegramError as error:
                _log.debug("the text so far was not shown: %s", error.message)
                self._give_way(error)

    def _give_way(self, error: TelegramError) -> None:
        """Go on with a message where drafts are refused (an older server knows none); else show nothing more."""
        refused = isinstance(error, BadRequest | Forbidden | InvalidToken) and not is_about(error, NOT_MODIFIED)
        if refused and self._drafts and not isinstance(error, Forbidden):
            self._drafts, self._shown_at = False, 0.0
        elif refused:
            self._ended = True

    async def _send(self, text: Formatted, *, told: bool) -> bool:
        """Send the draft, or send or edit the message; return False if the chat has had enough messages for now."""
        if self._drafts:
            await self._ways.send(self._to, partial(self._send_draft, text), formatted=bool(text.spans))
            return True
        if (self._drafts_only and not told) or not self._pacing.reserve_spare(self._ways.chat(self._to)):
            return False
        await self._ways.send(
            self._to, partial(self._send_message, text), formatted=bool(text.spans), moves=self.shown is None
        )
        self._owned = True
        return True

    async def _send_draft(self, text: Formatted, way: Way) -> None:
        entities = text.entities if way.formatted else None
        await self._bot.send_message_draft(
            way.chat, self._draft_id, text.text, entities=entities, message_thread_id=way.thread
        )

    async def _send_message(self, text: Formatted, way: Way) -> None:
        entities = text.entities if way.formatted else None
        if self.shown is None:
            sent = await self._bot.send_message(
                way.chat,
                text.text + WRITING,
                entities=entities,
                message_thread_id=way.thread,
                reply_parameters=way.reply_parameters,
            )
            self.shown = str(sent.message_id)
        else:
            await self._bot.edit_message_text(text.text + WRITING, way.chat, int(self.shown), entities=entities)

    async def finish(self) -> str | None:
        """Show nothing more; return the id of the message that the final text may replace."""
        self._ended = True
        self._taken.set()
        async with self._busy:  # a draft on its way must not come after the final text
            return self.shown if self._owned else None

    async def _repeat_action(self) -> None:
        """Show the chat action until cancelled; what the platform refuses is left out."""
        while True:
            pause = ACTION_SECONDS
            try:
                await self._ways.send(self._to, self._act)
            except RetryAfter as error:
                pause = max(pause, seconds_of(error))
            except (BadRequest, Forbidden) as error:
                _log.debug("no chat action: %s", error.message)
                return
            except NetworkError as error:
                _log.debug("no chat action this time: %s", error.message)
            await asyncio.sleep(pause)

    async def _act(self, way: Way) -> None:
        await self._bot.send_chat_action(way.chat, self._action, message_thread_id=way.thread)
