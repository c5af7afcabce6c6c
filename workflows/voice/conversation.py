"""One chat: order, memory, settings, limits, duplicates. Each message is answered by a VoiceMessage of its own."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import ErrorCode
    from activities.forget import ForgetActivity, ForgetRequest
    from activities.infer import InferActivity, InferRequest
    from activities.reply import ReplyActivity, ReplyRequest
    from activities.values import Notice
    from workflows.access.contracts import MINUTE_SECONDS, Heard
    from workflows.names import (
        BACKGROUND,
        CHAT,
        CONVERSATION,
        GPU_QUEUE,
        LIVE,
        PLATFORM,
        WORKFLOW_QUEUE,
        access_id,
        chat_key,
        platform_queue,
        voice_message_id,
    )
    from workflows.one_line import shortened
    from workflows.tracing import trace_of
    from workflows.voice import web_ui
    from workflows.voice.contracts import (
        ChatSettings,
        ConversationState,
        Exchange,
        Memory,
        QueuedMessage,
        SettingsChange,
        VoiceMessageRequest,
        VoiceMessageResult,
        findable,
    )
    from workflows.voice.memory import remember, summarised, summary_prompt, to_summarise, utterance
    from workflows.voice.voice_message import VoiceMessage

MAX_PRETRANSCRIBED = 2
"""Messages transcribed while an earlier one is being answered."""
SEEN_IDS_KEPT = 256
"""Message ids remembered to tell duplicates; older ones are caught by the ids of their workflows."""
NOTICE_DELAY = timedelta(seconds=1)
"""Nobody is told of a shorter wait."""
SUMMARY_TOKENS = 250


@dataclass
class Turn:
    """A message whose workflow is being started, or was."""

    request: VoiceMessageRequest
    due: bool
    """It was given the conversation's memory, and may be answered."""
    handle: workflow.ChildWorkflowHandle[VoiceMessage, VoiceMessageResult] | None = None
    cancelled: bool = False
    remembered: bool = True
    """False once the conversation was reset: the answer is sent, and forgotten."""


@workflow.defn(name=CONVERSATION)
class Conversation:
    """Keeps a chat. Bots reach it by Signal-with-Start, so that a message is safe even while no worker is up."""

    @workflow.init
    def __init__(self, state: ConversationState) -> None:
        """Restore what the run before knew; handlers may run before ``run`` does."""
        self._state = state
        self._waiting = deque(state.waiting)
        self._turns: deque[Turn] = deque()
        self._turns_in_run = 0
        self._leaving = False
        self._refusing = False
        self._summary: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    @workflow.run
    async def run(self, state: ConversationState) -> None:
        """Answer messages in their order, until it is time to continue as new."""
        workflow.upsert_search_attributes([PLATFORM.value_set(state.platform), CHAT.value_set(self._chat)])
        self._describe()
        if state.erase:
            await self._erase()
        while not (self._leaving and not self._turns):
            await workflow.wait_condition(self._something_to_do)
            if self._first_ended():
                await self._end_turn(self._turns.popleft())
            if self._may_start():
                await self._start_turn(self._waiting.popleft())
            await self._give_memory()
            self._describe()
        await self._settle()
        workflow.continue_as_new(self._state.model_copy(update={"waiting": tuple(self._waiting)}))

    # What comes in

    @workflow.signal
    def message(self, request: VoiceMessageRequest) -> None:
        """Accept a message; one that was seen before, or is one too many, is not answered."""
        if request.message in self._state.seen:
            return
        if request.limits:
            self._change(limits=request.limits)
        refusal = self._refusal()
        if refusal:
            self._refuse(request, refusal)
            return
        self._refusing = False
        self._change(
            seen=(*self._state.seen, request.message)[-SEEN_IDS_KEPT:], arrivals=(*self._recent(), workflow.time())
        )
        self._waiting.append(request)
        if self._turns or len(self._waiting) > 1:
            self._begin(self._tell_position(request))

    @workflow.update
    def configure(self, change: SettingsChange) -> ChatSettings:
        """Change the chat's settings; they hold from the next message on."""
        self._change(settings=change.applied_to(self._state.settings))
        return self._state.settings

    @workflow.update
    def cancel(self) -> int:
        """Cancel the turn that is being answered and all that wait; tells how many."""
        return self._cancel()

    @workflow.update
    def reset(self) -> None:
        """Start afresh: what was said is no longer remembered. Settings stay."""
        self._reset()

    @workflow.update
    def forget(self) -> None:
        """Delete what june holds of this chat: memory, audio, histories. Settings stay."""
        self._cancel()
        self._reset()
        self._change(seen=(), erase=True)
        self._leaving = True

    def _cancel(self) -> int:
        cancelled = len(self._turns) + len(self._waiting)
        for turn in self._turns:
            turn.cancelled = True
            if turn.handle:
                turn.handle.cancel()
        for request in self._waiting:
            self._tell(request, Notice(key=ErrorCode.CANCELLED.value))
        self._waiting.clear()
        return cancelled

    def _reset(self) -> None:
        self._change(memory=Memory())
        for turn in self._turns:
            turn.remembered = False

    @workflow.query
    def history(self) -> Memory:
        """Tell what is remembered."""
        return self._state.memory

    @workflow.query
    def settings(self) -> ChatSettings:
        """Tell what the chat has chosen."""
        return self._state.settings

    @workflow.query
    def queue(self) -> list[QueuedMessage]:
        """Tell what is being answered and what waits, in order."""
        started = [(turn.request, True) for turn in self._turns]
        waiting = [(request, False) for request in self._waiting]
        return [QueuedMessage(message=r.message, sender=r.sender, started=on) for r, on in started + waiting]

    # Turns

    def _something_to_do(self) -> bool:
        return self._first_ended() or self._may_start() or (self._leaving and not self._turns)

    def _first_ended(self) -> bool:
        handle = self._turns[0].handle if self._turns else None
        return handle is not None and handle.done()

    def _may_start(self) -> bool:
        if not self._leaving and (
            self._turns_in_run >= self._state.turns_per_run or workflow.info().is_continue_as_new_suggested()
        ):
            self._leaving = True
        return bool(self._waiting) and not self._leaving and len(self._turns) <= MAX_PRETRANSCRIBED

    async def _start_turn(self, request: VoiceMessageRequest) -> None:
        """Start the message's workflow: with the memory when it is next, without it when it has to wait."""
        turn = Turn(request, due=not self._turns)
        self._turns.append(turn)
        self._turns_in_run += 1
        given = {"settings": self._state.settings, "memory": self._state.memory if turn.due else None}
        try:
            with trace_of(request.trace):
                turn.handle = await workflow.start_child_workflow(
                    VoiceMessage.run,
                    request.model_copy(update=given),
                    id=voice_message_id(request.platform, request.chat, request.message),
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                    priority=Priority(priority_key=LIVE, fairness_key=self._chat[:64]),
                    search_attributes=TypedSearchAttributes(findable(request)),
                    static_summary=shortened(f"{request.sender or request.chat}: message {request.message}"),
                )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("message %s was answered before", request.message)
            self._turns.remove(turn)
            return
        if turn.cancelled:
            turn.handle.cancel()

    async def _give_memory(self) -> None:
        """Let the next turn go on once all before it have ended."""
        turn = self._turns[0] if self._turns else None
        if turn is None or turn.due or turn.handle is None:
            return
        turn.due = True
        try:
            await turn.handle.signal(VoiceMessage.proceed, self._state.memory)
        except FailureError as error:
            workflow.logger.info("message %s ended before its turn: %s", turn.request.message, error)

    async def _end_turn(self, turn: Turn) -> None:
        """Remember an answer; tell the user when the turn's workflow itself was lost."""
        self._change(turns=self._state.turns + 1)
        if turn.handle is None:
            return
        try:
            result = await turn.handle
        except ChildWorkflowError as error:
            code = ErrorCode.CANCELLED if is_cancelled_exception(error) else ErrorCode.INTERNAL
            workflow.logger.warning("turn %s ended without an answer: %s", turn.request.message, code.value)
            self._tell(turn.request, Notice(key=code.value))
            return
        if turn.request.user and result.heard_seconds:
            self._begin(self._count(Heard(user=turn.request.user, seconds=result.heard_seconds)))
        if result.status == "answered" and turn.remembered:
            exchange = Exchange(user=utterance(turn.request, result.transcript), assistant=result.answer)
            self._change(memory=remember(self._state.memory, exchange))
            self._summarise_when_due()

    # Memory

    def _summarise_when_due(self) -> None:
        gone = to_summarise(self._state.memory)
        if gone and (self._summary is None or self._summary.done()):
            self._summary = asyncio.create_task(self._summarise(self._state.memory, gone))

    async def _summarise(self, memory: Memory, gone: tuple[Exchange, ...]) -> None:
        """Fold the oldest turns into the running summary, beside the turns; failing that they are kept a while."""
        try:
            inference = await workflow.execute_activity_method(
                InferActivity.infer,
                InferRequest(messages=summary_prompt(memory, gone), max_tokens=SUMMARY_TOKENS, temperature=0.0),
                task_queue=GPU_QUEUE,
                start_to_close_timeout=timedelta(minutes=2),
                schedule_to_close_timeout=timedelta(minutes=5),
                heartbeat_timeout=timedelta(seconds=5),
                retry_policy=RetryPolicy(maximum_attempts=3),
                priority=Priority(priority_key=BACKGROUND, fairness_key=self._chat[:64]),
                summary=f"summarise {len(gone)} turns",
            )
        except ActivityError as error:
            workflow.logger.warning("no summary this time: %s", error.cause)
            return
        if self._state.memory.window[: len(gone)] == gone:
            self._change(memory=summarised(self._state.memory, gone, inference.answer))

    async def _erase(self) -> None:
        """Delete audio and the histories of ended workflows, this conversation's earlier runs among them."""
        info = workflow.info()
        try:
            await workflow.execute_activity_method(
                ForgetActivity.forget,
                ForgetRequest(
                    platform=self._state.platform,
                    chat=self._state.chat,
                    conversation=info.workflow_id,
                    keep_run_id=info.run_id,
                ),
                task_queue=WORKFLOW_QUEUE,
                start_to_close_timeout=timedelta(minutes=5),
                schedule_to_close_timeout=timedelta(hours=24),
                heartbeat_timeout=timedelta(seconds=30),
                retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
                summary="delete audio and histories",
            )
        except ActivityError as error:
            workflow.logger.error("not everything could be deleted: %s", error.cause)
        self._change(erase=False)

    # Limits and notices

    def _ahead_of(self, request: VoiceMessageRequest) -> int:
        """Count the messages that are answered before this one; 0 too once it is answered, or gone."""
        queue = [turn.request.message for turn in self._turns] + [waiting.message for waiting in self._waiting]
        return queue.index(request.message) if request.message in queue else 0

    def _recent(self) -> tuple[float, ...]:
        return tuple(at for at in self._state.arrivals if workflow.time() - at < MINUTE_SECONDS)

    def _refusal(self) -> ErrorCode | None:
        limits = self._state.limits
        if len(self._waiting) >= limits.waiting:
            return ErrorCode.QUEUE_FULL
        if len(self._recent()) >= limits.messages_per_minute:
            return ErrorCode.RATE_LIMITED
        return None

    def _refuse(self, request: VoiceMessageRequest, code: ErrorCode) -> None:
        """Say so once, not to each message of a flood."""
        if not self._refusing:
            limits = self._state.limits
            figures = {"waiting": limits.waiting, "per_minute": limits.messages_per_minute}
            self._tell(request, Notice(key=code.value, params=dict(figures)))
        self._refusing = True

    async def _tell_position(self, request: VoiceMessageRequest) -> None:
        """Say how many are ahead, unless the wait is over in a moment: the turn before may just be ending."""
        try:
            await workflow.wait_condition(lambda: self._ahead_of(request) == 0, timeout=NOTICE_DELAY)
        except TimeoutError:
            ahead = self._ahead_of(request)
            await self._deliver(request, Notice(key="queued", params={"ahead": ahead, "position": ahead + 1}))

    def _tell(self, request: VoiceMessageRequest, notice: Notice) -> None:
        self._begin(self._deliver(request, notice))

    def _begin(self, errand: Coroutine[Any, Any, None]) -> None:
        """Do something beside the turns, and before this run ends."""
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _count(self, heard: Heard) -> None:
        """Tell Access what a person's speech took; a bot has started it with the message."""
        try:
            await workflow.get_external_workflow_handle(access_id(self._state.platform)).signal("heard", heard)
        except FailureError as error:
            workflow.logger.warning("%.0f s of speech were not counted: %s", heard.seconds, error)

    async def _deliver(self, request: VoiceMessageRequest, notice: Notice) -> None:
        try:
            await workflow.execute_activity_method(
                ReplyActivity.reply,
                ReplyRequest(to=request.address, notice=notice),
                task_queue=platform_queue(request.platform),
                start_to_close_timeout=timedelta(seconds=30),
                schedule_to_close_timeout=timedelta(minutes=5),
                heartbeat_timeout=timedelta(seconds=5),
                retry_policy=RetryPolicy(maximum_attempts=5),
                priority=Priority(priority_key=LIVE, fairness_key=self._chat[:64]),
                summary=notice.key,
            )
        except ActivityError as error:
            workflow.logger.warning("notice %s was not delivered: %s", notice.key, error.cause)

    async def _settle(self) -> None:
        """Let everything that was begun come to its end before the run does."""
        if self._summary:
            await self._summary
        await workflow.wait_condition(lambda: not self._errands and workflow.all_handlers_finished())

    # What people see

    @property
    def _chat(self) -> str:
        return chat_key(self._state.platform, self._state.chat)

    def _describe(self) -> None:
        workflow.set_current_details(web_ui.of_conversation(self._state, self.queue()))

    def _change(self, **changes: object) -> None:
        self._state = self._state.model_copy(update=changes)
