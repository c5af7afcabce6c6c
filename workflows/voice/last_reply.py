"""The last answer of a conversation: kept, to be sent again; and told of, where nobody knows whether it arrived."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import ErrorCode
    from activities.reply import Delivered, ReplyActivity, ReplyRequest
    from activities.values import Address, Notice
    from workflows import activity_options as options
    from workflows.activity_options import run_activity
    from workflows.names import Stage, platform_queue
    from workflows.voice.background import BackgroundTasks, deliver, fairly
    from workflows.voice.contracts import (
        MAX_ANSWER_CHARS,
        Again,
        ConversationState,
        LastReply,
        VoiceMessageRequest,
        VoiceMessageResult,
    )

TELL_AFTER = timedelta(minutes=1)
"""That an answer may not have arrived is told with the next message, or so long after the turn."""
ASKED_KEPT = 30
DOUBTED_TURNS = 2
"""For so many turns after the sentence about it ``/again`` sends an answer that may not have arrived: the message that
brings the sentence is answered as well, before anybody can ask."""
MAX_IN_DOUBT = 5
MAX_TELLINGS = 3
"""Of one answer: the sentence about it may not arrive either, and does no harm twice."""
UNCERTAIN_REPLIES = "uncertain-replies"
"""A change since june 0.1.0, whose conversations go on: see ``workflow.patched``."""


class LastReplies:
    """Keeps the last answer, and serves the update ``again``."""

    def __init__(
        self,
        state: Callable[[], ConversationState],
        change: Callable[..., None],
        background: BackgroundTasks,
        is_over: Callable[[], bool],
    ) -> None:
        """Tell of nothing yet.

        Args:
            state: returns what the conversation knows.
            change: changes fields of it.
            background: runs what takes a moment.
            is_over: the run of the conversation ends, and nothing more is answered in it.

        """
        self._state = state
        self._change = change
        self._background = background
        self._is_over = is_over
        self._messages = 0
        self._untold: Address | None = None
        self._asked: list[str] = []
        workflow.set_update_handler("again", self.again)

    def again(self, asked: Again) -> str | None:
        """Send what may not have arrived, or else the last answer, once more, in text and voice.

        Returns its text; None where there is none.
        """
        state = self._state()
        replies = state.in_doubt or ((state.last_reply,) if state.last_reply else ())
        if not replies:
            return None
        self._untold = None
        if asked.message not in self._asked:  # a command may be delivered twice as well
            self._asked = [*self._asked, asked.message][-ASKED_KEPT:]
            self._change(in_doubt=())
            if asked.sends:
                self._background.begin(self._send_all(replies, asked, in_doubt=bool(state.in_doubt)))
        return "\n\n".join(reply.text for reply in replies)

    def keep(self, request: VoiceMessageRequest, result: VoiceMessageResult) -> None:
        """Keep the answer of a turn that has ended, and tell of it where nobody knows whether it arrived."""
        ended = result.status in {"answered", "stopped"} or result.error_stage is Stage.REPLY
        state, last = self._state(), None
        if ended and result.answer:
            last = LastReply(
                text=result.answer[:MAX_ANSWER_CHARS],
                message=request.address.message,
                voice=result.reply,
                captioned=request.captioned,
            )
        # What is not told of yet waits: its turn may be followed by others that had come before it ended.
        in_doubt = [reply for reply in state.in_doubt if self._untold or reply.turn >= state.turns - DOUBTED_TURNS]
        self._change(last_reply=last, in_doubt=tuple(in_doubt))
        if result.uncertain and workflow.patched(UNCERTAIN_REPLIES):
            self._doubt(last)
            self._tell_later(request.address)

    def forget(self) -> None:
        """Keep nothing, and tell of nothing."""
        self._untold = None
        self._change(last_reply=None, in_doubt=())

    def message_came(self) -> None:
        """Tell now what was to be told with the next message."""
        self._messages += 1

    def _doubt(self, reply: LastReply | None) -> None:
        if reply:
            state = self._state()
            reply = reply.model_copy(update={"turn": state.turns})
            self._change(in_doubt=(*state.in_doubt, reply)[-MAX_IN_DOUBT:])

    def _tell_later(self, to: Address) -> None:
        self._untold = to
        self._background.begin(self._tell(to))

    async def _tell(self, to: Address) -> None:
        """Tell of what is in doubt, and once more, later, where that has not arrived for certain."""
        for _ in range(MAX_TELLINGS):
            before = self._messages
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._messages > before or self._untold is not to or self._is_over(),  # noqa: B023
                    timeout=TELL_AFTER,
                )
            if self._untold is not to:
                return
            count = max(1, len(self._state().in_doubt))
            told = await deliver(to, Notice(key=ErrorCode.REPLY_UNCERTAIN.value, params={"answers": count}))
            if told and not told.is_uncertain:
                break
        state = self._state()
        self._change(in_doubt=tuple(reply.model_copy(update={"turn": state.turns}) for reply in state.in_doubt))
        if self._untold is to:
            self._untold = None

    async def _send_all(self, replies: Sequence[LastReply], asked: Again, *, in_doubt: bool) -> None:
        """Send answers again: the last one in reply to the command, those in doubt each to what it answers."""
        state = self._state()
        for reply in replies:
            to = Address(
                platform=state.platform,
                chat=state.chat,
                thread=state.thread,
                message=(reply.message if in_doubt else None) or asked.message,
                language=asked.language,
            )
            await self._send(reply, to)

    async def _send(self, reply: LastReply, to: Address) -> None:
        speech = (reply.voice,) if reply.voice else ()
        try:
            delivered: Delivered = await run_activity(
                ReplyActivity.reply,
                ReplyRequest(to=to, text=reply.text, speech=speech, captioned=reply.captioned),
                options.AGAIN,
                queue=platform_queue(to.platform),
                priority=fairly(to.platform, to.chat),
                summary="the last answer again",
            )
        except ActivityError as error:
            workflow.logger.warning("the last answer was not sent again: %s", error.cause)
        else:
            if delivered.is_uncertain:
                self._doubt(reply)
                self._tell_later(to)
