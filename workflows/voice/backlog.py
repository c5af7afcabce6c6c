"""The messages of a conversation that are not answered yet: which are accepted, and in which order they are answered.

Pure: no clock and no commands, so that order and limits can be tried without a server.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import ErrorCode
    from workflows.access.contracts import MINUTE_SECONDS
    from workflows.voice.contracts import ConversationState, QueuedMessage, VoiceMessageRequest, VoiceMessageResult

MAX_PRETRANSCRIBED = 2
"""Messages transcribed while an earlier one is being answered."""
SEEN_IDS_KEPT = 256
"""Message ids remembered to tell duplicates; older ones are caught by the ids of their workflows."""


@dataclass
class Turn:
    """A message whose workflow is being started, or was."""

    request: VoiceMessageRequest
    due: bool
    """It was given the conversation's memory, and may be answered."""
    handle: workflow.ChildWorkflowHandle[Any, VoiceMessageResult] | None = None
    cancelled: bool = False
    remembered: bool = True
    """False once the conversation was reset: the answer is sent, and forgotten."""

    @property
    def ended(self) -> bool:
        """Whether its workflow has ended, in whatever way."""
        return self.handle is not None and self.handle.done()


class Backlog:
    """Messages in the order of their arrival: those that wait, and the turns of those that were started."""

    def __init__(self, state: ConversationState) -> None:
        """Restore what the run before knew."""
        self.waiting = deque(state.waiting)
        """Accepted, not yet started."""
        self.turns: deque[Turn] = deque()
        """Started, the first of them being answered."""
        self.limits = state.limits
        self._seen = state.seen
        self._arrivals = state.arrivals
        self._refusing = False

    def has_seen(self, message: str) -> bool:
        """Whether a message of this id was accepted before."""
        return message in self._seen

    def refusal(self, now: float) -> ErrorCode | None:
        """Return why one more message is too many; None when it is not.

        Args:
            now: seconds since the epoch.

        """
        if len(self.waiting) >= self.limits.waiting:
            return ErrorCode.QUEUE_FULL
        if len(self._recent(now)) >= self.limits.messages_per_minute:
            return ErrorCode.RATE_LIMITED
        return None

    def add(self, request: VoiceMessageRequest, now: float) -> None:
        """Accept a message."""
        self._refusing = False
        self._seen = (*self._seen, request.message)[-SEEN_IDS_KEPT:]
        self._arrivals = (*self._recent(now), now)
        self.waiting.append(request)

    def refuse(self) -> bool:
        """Refuse a message; return whether to say so, which is once, and not to each message of a flood."""
        first, self._refusing = not self._refusing, True
        return first

    def ahead_of(self, request: VoiceMessageRequest) -> int:
        """Return how many messages are answered before this one; 0 too once it is answered, or gone."""
        messages = [queued.message for queued in self.queue()]
        return messages.index(request.message) if request.message in messages else 0

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
        return bool(self.waiting) and len(self.turns) <= MAX_PRETRANSCRIBED

    def reset(self) -> None:
        """Let the answers that are still being given be forgotten."""
        for turn in self.turns:
            turn.remembered = False

    def forget(self) -> None:
        """Forget which messages were accepted."""
        self._seen = ()

    def saved(self) -> dict[str, object]:
        """Return the fields of ConversationState that the next run goes on with."""
        return {
            "limits": self.limits,
            "seen": self._seen,
            "waiting": tuple(self.waiting),
            "arrivals": self._arrivals,
        }

    def _recent(self, now: float) -> tuple[float, ...]:
        return tuple(at for at in self._arrivals if now - at < MINUTE_SECONDS)
