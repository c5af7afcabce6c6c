"""The messages of a conversation that are not answered yet: which are accepted, and in which order they are answered.

Pure: no clock and no commands, so that order and limits can be tried without a server.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import ErrorCode
    from workflows.access.arrivals import MAX_ARRIVALS, Arrivals
    from workflows.voice.continuations import joined
    from workflows.voice.contracts import (
        MAX_MESSAGE_BYTES,
        MAX_WAITING_BYTES,
        ConversationState,
        QueuedMessage,
        VoiceMessageRequest,
        VoiceMessageResult,
    )
    from workflows.voice.seen_ids import SeenIds

MAX_PRETRANSCRIBED = 2
"""Messages transcribed while an earlier one is being answered."""
MAX_TOLD = 10
"""People who are told that there are too many messages, before one is accepted again."""


@dataclass
class Turn:
    """A message whose workflow is being started, or was."""

    request: VoiceMessageRequest
    due: bool
    """It was given the conversation's memory, and may be answered."""
    handle: workflow.ChildWorkflowHandle[Any, VoiceMessageResult] | None = None
    cancelled: bool = False
    continued: bool = False
    """It was cancelled, as what continues its message is answered together with it: nobody is told."""
    remembered: bool = True
    """False once the conversation was reset: the answer is sent, and forgotten."""

    @property
    def ended(self) -> bool:
        """Whether its workflow has ended, in whatever way."""
        return self.handle is not None and self.handle.done()

    @property
    def answered(self) -> bool:
        """Whether its workflow has ended with the answer being sent."""
        if self.handle is None or not self.handle.done() or self.handle.cancelled() or self.handle.exception():
            return False
        return self.handle.result().status == "answered"


class Backlog:
    """Messages in the order of their arrival: those that wait, and the turns of those that were started."""

    def __init__(self, state: ConversationState) -> None:
        """Restore what the run before knew."""
        self.waiting = deque(state.waiting)
        """Accepted, not yet started."""
        self.turns: deque[Turn] = deque()
        """Started, the first of them being answered."""
        self.limits = state.limits
        self.seen = SeenIds(state)
        self._bytes: dict[str, int] = {}  # of those that wait, by id
        self.arrivals = Arrivals(state.arrivals)
        self._refusing: set[str | None] = set()
        self._held: str | None = None
        """The last message, which may be continued."""

    def refusal(self, now: float) -> ErrorCode | None:
        """Return why one more message is too many; None when it is not.

        Args:
            now: seconds since the epoch.

        """
        if len(self.waiting) >= self.limits.waiting:
            return ErrorCode.QUEUE_FULL
        if self.arrivals.count(now) >= min(self.limits.messages_per_minute, MAX_ARRIVALS):
            return ErrorCode.RATE_LIMITED
        return None

    def oversize(self, request: VoiceMessageRequest) -> ErrorCode | None:
        """Return why a message has too many bytes, by itself or beside those that wait; None when it has not.

        What a run hands to the next is bounded by bytes: more than Temporal takes would leave it stuck for ever.
        """
        size = _bytes_of(request)
        if size > MAX_MESSAGE_BYTES:
            return ErrorCode.REQUEST_INVALID
        return ErrorCode.QUEUE_FULL if self._waiting_bytes() + size > MAX_WAITING_BYTES else None

    def drop_excess(self) -> list[VoiceMessageRequest]:
        """Let the last messages wait no longer, where those that wait have more bytes than a run can hand on.

        Only of june 0.1.0, which did not refuse them, or by a joined message: one more than ``oversize`` lets in.
        """
        dropped = []
        while self._waiting_bytes() > MAX_WAITING_BYTES + MAX_MESSAGE_BYTES:
            dropped.append(self.waiting.pop())
        return dropped

    def add(self, request: VoiceMessageRequest, now: float) -> None:
        """Accept a message."""
        self._refusing.clear()
        self.seen.add(request.message)
        self.arrivals.add(now)
        self._append(request)

    def join(self, request: VoiceMessageRequest) -> tuple[bool, Turn | None]:
        """Join a message to the one that it continues, if there is one that is not answered yet.

        Returns:
            Whether it was joined; the turn of the first one, if that was begun, which is to be cancelled.

        """
        turn = self.turns[-1] if self.turns and not self.waiting else None
        first = turn.request if turn else self.waiting[-1] if self.waiting else None
        if first is None or first.stopped or (turn and (turn.ended or turn.cancelled)):
            return False, None
        both = joined(first, request) if request.continues else None
        if both is None:
            return False, None
        self.seen.add(request.message)
        if turn is None:
            self.waiting.pop()
        else:
            turn.cancelled, turn.continued, turn.remembered = True, True, False
        self._append(both)
        return True, turn

    def _append(self, request: VoiceMessageRequest) -> None:
        """Let a message wait; one that may be continued until it is released."""
        self.waiting.append(request)
        self._held = request.message if request.may_continue else self._held

    def release(self, request: VoiceMessageRequest) -> None:
        """Let a message wait no longer for what might continue it."""
        if self._held == request.message:
            self._held = None

    def refuse(self, request: VoiceMessageRequest, *, by_sender: bool) -> bool:
        """Refuse a message; return whether to say so, which is once, and not to each message of a flood.

        Args:
            request: the message; a page waits for a word on each.
            by_sender: each sender is told, rather than the first, as in june 0.1.0.

        """
        sender = request.user if by_sender else None
        first = sender not in self._refusing and len(self._refusing) < MAX_TOLD
        self._refusing.add(sender)
        return first or (by_sender and request.signal_sentences)

    def ahead_of(self, request: VoiceMessageRequest) -> int:
        """Return how many messages are answered before this one; 0 too once it is answered, or gone."""
        messages = [queued.message for queued in self.queue()]
        return messages.index(request.message) if request.message in messages else 0

    @property
    def last(self) -> VoiceMessageRequest | None:
        """The message that waits behind all others; None where none waits behind another."""
        requests = [*(turn.request for turn in self.turns), *self.waiting]
        return requests[-1] if len(requests) > 1 else None

    def queue(self) -> list[QueuedMessage]:
        """List what is being answered and what waits, in order."""
        started = [(turn.request, True) for turn in self.turns]
        waiting = [(request, False) for request in self.waiting]
        return [QueuedMessage(message=r.message, sender=r.sender, started=on) for r, on in started + waiting]

    @property
    def first_ended(self) -> bool:
        """Whether the turn that is being answered has ended."""
        return bool(self.turns) and self.turns[0].ended

    @property
    def may_start(self) -> bool:
        """Whether the next message may be started: to be answered, or to be transcribed ahead of its turn."""
        held = bool(self.waiting) and self.waiting[0].message == self._held
        return bool(self.waiting) and not held and len(self.turns) <= MAX_PRETRANSCRIBED

    def stop(self) -> list[Turn]:
        """Mark what waits as stopped; return the turns under way that are to be."""
        self.waiting = deque(request.model_copy(update={"stopped": True}) for request in self.waiting)
        under_way = [turn for turn in self.turns if not turn.cancelled]
        for turn in under_way:
            turn.cancelled = True
        return under_way

    def reset(self) -> None:
        """Let the answers that are still being given be forgotten."""
        for turn in self.turns:
            turn.remembered = False

    def saved(self) -> dict[str, object]:
        """Return the fields of ConversationState that the next run goes on with."""
        return {
            "limits": self.limits,
            **self.seen.saved(),
            "waiting": tuple(self.waiting),
            "arrivals": self.arrivals.times,
        }

    def _waiting_bytes(self) -> int:
        """Return the bytes of all that wait, each measured once."""
        self._bytes = {r.message: self._bytes.get(r.message) or _bytes_of(r) for r in self.waiting}
        return sum(self._bytes.values())


def _bytes_of(request: VoiceMessageRequest) -> int:
    return len(request.model_dump_json().encode())
