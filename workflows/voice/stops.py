"""Ends the turns of a conversation because a person asks for it; what was said until then is kept."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import ErrorCode
    from activities.values import Notice
    from workflows.voice.background import BackgroundTasks, deliver
    from workflows.voice.backlog import Backlog, Turn
    from workflows.voice.contracts import Stop
    from workflows.voice.voice_message import VoiceMessage

STOPPED_TURNS = "stopped-turns"
"""A change since june 0.1.0, whose conversations go on: see ``workflow.patched``."""
COUNTED_STOPS = "counted-stops"
"""Another: only what was stopped is counted."""
OUTCOME_TIMEOUT = timedelta(seconds=5)
"""A turn that takes longer to end is not being sent, as a rule."""


class Stops:
    """Stops turns, and marks answers that are written to their end and were not heard to it."""

    def __init__(self, backlog: Backlog, background: BackgroundTasks, mark: Callable[[Stop], None]) -> None:
        """Stop nothing yet.

        Args:
            backlog: of the conversation.
            background: runs what takes a moment.
            mark: keeps the mark of an answer whose turn has ended.

        """
        self._backlog = backlog
        self._background = background
        self._mark = mark

    def stop(self, stop: Stop) -> int:
        """Stop what is under way and what waits; return how many."""
        waiting = sum(not request.stopped for request in self._backlog.waiting)
        under_way = self._backlog.stop()
        for turn in under_way:
            if turn.handle:  # or else it is stopped once it was started
                heard = stop.message in {None, turn.request.message}
                self._background.begin(self._stop_turn(turn, stop if heard else Stop()))
        if stop.message and all(turn.request.message != stop.message for turn in self._backlog.turns):
            self._mark(stop)
        return len(under_way) + waiting

    async def stop_and_count(self) -> int:
        """Stop all; return how many were stopped: an answer that was being sent already is answered."""
        under_way = [turn for turn in self._backlog.turns if not turn.cancelled]
        stopped = self.stop(Stop())
        if not under_way or not workflow.patched(COUNTED_STOPS):
            return stopped
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: all(turn.ended for turn in under_way), timeout=OUTCOME_TIMEOUT)
        return stopped - sum(turn.answered for turn in under_way)

    async def stop_started(self, turn: Turn) -> None:
        """Stop a turn that was being started when it was to be stopped."""
        if workflow.patched(STOPPED_TURNS):
            await self._stop_turn(turn, Stop())
        elif turn.handle:
            turn.handle.cancel()

    async def _stop_turn(self, turn: Turn, stop: Stop) -> None:
        if turn.handle is None:
            return
        try:
            await turn.handle.signal(VoiceMessage.stop, stop)
        except FailureError as error:
            workflow.logger.info("message %s ended before it was stopped: %s", turn.request.message, error)
            if stop.message:
                self._mark(stop)

    def cancel(self) -> int:
        """Cancel as june 0.1.0 did: for its histories, and where nothing is to be kept."""
        backlog = self._backlog
        cancelled = len(backlog.turns) + len(backlog.waiting)
        for turn in backlog.turns:
            turn.cancelled = True
            if turn.handle:
                turn.handle.cancel()
        for request in backlog.waiting:
            self._background.begin(deliver(request.address, Notice(key=ErrorCode.CANCELLED.value)))
        backlog.waiting.clear()
        return cancelled
