"""What Discord shows of a turn under way: that june is typing, and the text as it is written, in one message.

Discord has no drafts, so a message shows the text and is edited; the reply's first part replaces it (docs/adr/0026).
"""

import asyncio
import logging
import time
from contextlib import suppress
from itertools import takewhile
from types import TracebackType
from typing import Protocol, Self

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.errors import BadInputError
from activities.platforms.discord.markdown import CONTENT_LIMIT, as_written, for_discord
from activities.platforms.discord.requests import LIVE_MARK
from activities.text.message_parts import split_markdown
from activities.values import Address

_log = logging.getLogger(__name__)

TYPING_SECONDS = 8.0
"""Discord shows ten."""
FIRST_SECONDS = 3.0
"""A turn that is done sooner shows its answer alone, and nothing that changes."""
LONG_CHARS = 400
"""A text of so many characters is shown sooner: it is not done in a moment."""
EDIT_SECONDS = 1.5
"""Between two changes of the text; Discord allows five in five seconds in a channel."""
HANDOVER_SECONDS = 3.0
"""How long a message with the text so far waits for the reply to replace it, before it is deleted."""


class Shows(Protocol):
    """What shows it: messages to the channel of an address. All raise what ``request_error`` returns."""

    async def show_typing(self, to: Address) -> None:
        """Show for ten seconds that june is typing."""

    async def post_live(self, to: Address, content: str) -> str:
        """Send the text so far; return the message's id."""

    async def edit(self, to: Address, message: str, content: str) -> bool:
        """Replace the content of a message; return False if it is gone."""

    async def find_live(self, to: Address) -> str | None:
        """Find the message with the text so far that a process before this one has left."""

    async def retract_live(self, to: Address, message: str) -> None:
        """Delete a message with the text so far, where that is possible; one that is an answer by now stays."""


class LiveText:
    """The text so far of one turn, shown until its block is left."""

    def __init__(self, shows: Shows, to: Address, *, with_text: bool) -> None:
        """Show nothing yet.

        Args:
            shows: shows it.
            to: the message that is answered.
            with_text: no voice note is to hold the text, so that a message with it may be left.

        """
        self.shown: str | None = None
        """Id of the message that shows the text."""
        self._shows = shows
        self._to = to
        self._with_text = with_text
        self._content = ""
        self._began = time.monotonic()
        self._next_at = 0.0
        """When the text may change."""
        self._ended = False
        self._has_text = False
        self._taken = asyncio.Event()
        """Set once the reply has taken the message over, or no longer can."""
        self._busy = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._typing = asyncio.create_task(self._repeat_typing())
        if activity.in_activity() and activity.info().attempt > 1:
            try:
                self.shown = await self._shows.find_live(self._to)
            except (ApplicationError, BadInputError) as error:
                _log.info("whether a text so far was left is not known: %s", error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show nothing more; delete the message with the text so far, unless the reply replaces it in time."""
        self._typing.cancel()
        await asyncio.wait([self._typing])
        self._ended = True
        async with self._busy:
            if self.shown is None or self._taken.is_set():
                return
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._taken.wait(), HANDOVER_SECONDS)
        finally:
            if not self._taken.is_set():
                self._taken.set()
                message, self.shown = self.shown, None  # a reply from here on is a message of its own
                await self._shows.retract_live(self._to, message)

    async def show(self, text: str) -> None:
        """Show as much of the text as one message holds, unless something was shown a moment ago."""
        soon = time.monotonic() - self._began < FIRST_SECONDS and len(text) < LONG_CHARS and self.shown is None
        if self._with_text and text.strip() and not soon:
            self._has_text = True
            await self._put(live_content(text))

    async def tell(self, sentence: str) -> None:
        """Show a sentence of june's own in the place of the text, until there is one."""
        if not self._has_text:
            await self._put(f"-# {as_written(sentence)}{LIVE_MARK}")

    async def finish(self) -> str | None:
        """Show nothing more; give up the message that the final text may replace: return its id, and once only."""
        self._ended = True
        self._taken.set()
        async with self._busy:  # an edit on its way must not come after the final text
            message, self.shown = self.shown, None
        return message

    async def _put(self, content: str) -> None:
        """Send or edit the message, at Discord's pace; what cannot be shown is left out."""
        early = time.monotonic() < self._next_at
        if self._ended or self._busy.locked() or early or content in {self._content, LIVE_MARK}:
            return
        async with self._busy:
            pause = EDIT_SECONDS
            try:
                if self.shown is None:
                    self.shown = await self._shows.post_live(self._to, content)
                elif not await self._shows.edit(self._to, self.shown, content):
                    self.shown, self._ended = None, True  # somebody has deleted it
                self._content = content
            except BadInputError as error:
                _log.info("the text so far is not shown in channel %s: %s", self._to.chat, error)
                self._ended = True
            except ApplicationError as error:
                _log.info("the text so far is shown later: %s", error)
                pause = max(pause, seconds_of(error))
            self._next_at = time.monotonic() + pause

    async def _repeat_typing(self) -> None:
        """Show june typing until cancelled; where that is refused, no more."""
        while True:
            pause = TYPING_SECONDS
            try:
                await self._shows.show_typing(self._to)
            except BadInputError as error:
                _log.info("typing is not shown in channel %s: %s", self._to.chat, error)
                return
            except ApplicationError as error:
                _log.info("typing is not shown this time: %s", error)
                pause = max(pause, seconds_of(error))
            await asyncio.sleep(pause)


def seconds_of(error: ApplicationError) -> float:
    """Return the pause that Discord asks for; 0 if it asks for none."""
    return error.next_retry_delay.total_seconds() if error.next_retry_delay else 0.0


def live_content(text: str) -> str:
    """Return what one message shows of a text that goes on: code and tables with an end, and a sign that it goes on."""
    lines = text.rstrip().split("\n")
    rows = list(takewhile(lambda line: line.startswith("|"), reversed(lines)))
    if len(rows) == 1 or (len(rows) == 2 and rows[0].count("|") < rows[1].count("|")):
        del lines[-len(rows) :]  # a table begins with two lines
    parts = split_markdown(for_discord("\n".join(lines)), CONTENT_LIMIT - len(LIVE_MARK))
    return (parts[0] if parts else "") + LIVE_MARK
