"""The last answer of a conversation: kept, to be sent again; and told of, where nobody knows whether it arrived."""

from collections.abc import Callable
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
        """Send the last answer once more, in text and voice; return its text, None where there is none."""
        last = self._state().last_reply
        if last is None:
            return None
        self._untold = None
        if asked.sends and asked.message not in self._asked:  # a command may be delivered twice as well
            self._asked = [*self._asked, asked.message][-ASKED_KEPT:]
            state = self._state()
            to = Address(
                platform=state.platform,
                chat=state.chat,
                thread=state.thread,
                message=asked.message,
                language=asked.language,
            )
            self._background.begin(self._send(last, to))
        return last.text

    def keep(self, request: VoiceMessageRequest, result: VoiceMessageResult) -> None:
        """Keep the answer of a turn that has ended, and tell of it where nobody knows whether it arrived."""
        ended = result.status in {"answered", "stopped"} or result.error_stage is Stage.REPLY
        last = None
        if ended and result.answer:
            last = LastReply(text=result.answer[:MAX_ANSWER_CHARS], voice=result.reply, captioned=request.captioned)
        self._change(last_reply=last)
        if result.uncertain and workflow.patched(UNCERTAIN_REPLIES):
            self._tell_later(request.address)

    def forget(self) -> None:
        """Keep nothing, and tell of nothing."""
        self._untold = None
        self._change(last_reply=None)

    def message_came(self) -> None:
        """Tell now what was to be told with the next message."""
        self._messages += 1

    def _tell_later(self, to: Address) -> None:
        self._untold = to
        self._background.begin(self._tell(to))

    async def _tell(self, to: Address) -> None:
        before = self._messages
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._messages > before or self._untold is not to or self._is_over(), timeout=TELL_AFTER
            )
        if self._untold is to:
            self._untold = None
            await deliver(to, Notice(key=ErrorCode.REPLY_UNCERTAIN.value))

    async def _send(self, last: LastReply, to: Address) -> None:
        speech = (last.voice,) if last.voice else ()
        try:
            delivered: Delivered = await run_activity(
                ReplyActivity.reply,
                ReplyRequest(to=to, text=last.text, speech=speech, captioned=last.captioned),
                options.AGAIN,
                queue=platform_queue(to.platform),
                priority=fairly(to.platform, to.chat),
                summary="the last answer again",
            )
        except ActivityError as error:
            workflow.logger.warning("the last answer was not sent again: %s", error.cause)
        else:
            if delivered.is_uncertain:
                self._tell_later(to)
