"""What is told to those who wait in line: one notice a chat, where the wait is long, gone when it is over."""

from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.values import Notice
    from workflows.voice.background import deliver, retract
    from workflows.voice.backlog import Backlog
    from workflows.voice.contracts import VoiceMessageRequest

NOTICE_DELAY = timedelta(seconds=8)
"""A shorter wait is told to no one."""
NOTICE_DELAY_OF_010 = timedelta(seconds=1)
ONE_QUEUE_NOTICE = "one-queue-notice"
"""A change since june 0.1.0, whose conversations go on: see ``workflow.patched``."""


class QueueNotice:
    """Tells the last of those who wait how many are ahead."""

    def __init__(self, backlog: Backlog, is_over: Callable[[], bool]) -> None:
        """Tell nothing yet.

        Args:
            backlog: of the conversation.
            is_over: the run of the conversation ends, and nothing more is answered in it.

        """
        self._backlog = backlog
        self._is_over = is_over
        self._shown = False

    async def tell(self, request: VoiceMessageRequest) -> None:
        """Tell of a wait that turns out to be long, and take that back in the end; called with each that waits."""
        if not workflow.patched(ONE_QUEUE_NOTICE):
            await self._tell_as_010(request)
            return
        if self._shown or request.signal_sentences:  # a page shows its queue by itself
            return
        self._shown = True
        try:
            await workflow.wait_condition(lambda: self._backlog.last is None or self._is_over(), timeout=NOTICE_DELAY)
        except TimeoutError:
            await self._show(self._backlog.last or request)
        finally:
            self._shown = False

    async def _show(self, request: VoiceMessageRequest) -> None:
        delivered = await deliver(request.address, self._position_of(request))
        await workflow.wait_condition(lambda: self._backlog.ahead_of(request) == 0 or self._is_over())
        if delivered and delivered.text_message and request.accompanied:
            await retract(request.address, delivered.text_message)

    async def _tell_as_010(self, request: VoiceMessageRequest) -> None:
        """Tell each message how many are ahead of it, as histories of june 0.1.0 do."""
        try:
            await workflow.wait_condition(lambda: self._backlog.ahead_of(request) == 0, timeout=NOTICE_DELAY_OF_010)
        except TimeoutError:
            await deliver(request.address, self._position_of(request))

    def _position_of(self, request: VoiceMessageRequest) -> Notice:
        ahead = self._backlog.ahead_of(request)
        return Notice(key="queued", params={"ahead": ahead, "position": ahead + 1})
