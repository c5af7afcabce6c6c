"""One chat: order, memory, settings, limits, duplicates. Each message is answered by a VoiceMessage of its own."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.error_codes import ErrorCode
    from activities.values import Notice
    from workflows.access.contracts import Heard
    from workflows.names import CHAT, CONVERSATION, PLATFORM, chat_key, voice_message_id
    from workflows.one_line import shortened
    from workflows.tracing import trace_of
    from workflows.voice import web_ui
    from workflows.voice.background import BackgroundTasks, count_speech, deliver, erase, fairly, summarise
    from workflows.voice.backlog import Backlog, Turn
    from workflows.voice.contracts import (
        ChatSettings,
        ConversationState,
        Exchange,
        Memory,
        QueuedMessage,
        SettingsChange,
        VoiceMessageRequest,
        findable,
    )
    from workflows.voice.memory import remember, summarised, to_summarise, utterance
    from workflows.voice.voice_message import VoiceMessage

NOTICE_DELAY = timedelta(seconds=1)
"""A shorter wait is told to no one."""


@workflow.defn(name=CONVERSATION)
class Conversation:
    """Keeps a chat. Bots reach it by Signal-with-Start, so that a message is safe even while no worker is up."""

    @workflow.init
    def __init__(self, state: ConversationState) -> None:
        """Restore what the run before knew; handlers may run before ``run`` does."""
        self._state = state
        self._backlog = Backlog(state)
        self._turns_in_run = 0
        self._leaving = False
        self._summary: asyncio.Task[None] | None = None
        self._background = BackgroundTasks()

    @workflow.run
    async def run(self, state: ConversationState) -> None:
        """Answer messages in their order, until it is time to continue as new."""
        backlog, chat = self._backlog, chat_key(state.platform, state.chat)
        workflow.upsert_search_attributes([PLATFORM.value_set(state.platform), CHAT.value_set(chat)])
        self._describe()
        if state.erase:
            await erase(state)
            self._change(erase=False)
        while not (self._leaving and not backlog.turns):
            await workflow.wait_condition(
                lambda: backlog.first_ended or self._may_start() or (self._leaving and not backlog.turns)
            )
            if backlog.first_ended:
                await self._end_turn(backlog.turns.popleft())
            if self._may_start():
                await self._start_turn(backlog.waiting.popleft())
            await self._give_memory()
            self._describe()
        if self._summary:
            await self._summary
        await workflow.wait_condition(lambda: self._background.all_done and workflow.all_handlers_finished())
        workflow.continue_as_new(self._state.model_copy(update=backlog.saved()))

    # What comes in

    @workflow.signal
    def message(self, request: VoiceMessageRequest) -> None:
        """Accept a message; one that was seen before, or is one too many, is not answered."""
        backlog, now = self._backlog, workflow.time()
        if backlog.has_seen(request.message):
            return
        backlog.limits = request.limits or backlog.limits
        refusal = backlog.refusal(now)
        if refusal is None:
            backlog.add(request, now)
            if backlog.ahead_of(request):
                self._background.begin(self._tell_position(request))
        elif backlog.refuse():
            limits = backlog.limits
            figures = {"waiting": limits.waiting, "per_minute": limits.messages_per_minute}
            notice = Notice(key=refusal.value, params=dict(figures))
            self._background.begin(deliver(request, notice))

    @workflow.update
    def configure(self, change: SettingsChange) -> ChatSettings:
        """Change the chat's settings; they hold from the next message on."""
        self._change(settings=change.applied_to(self._state.settings))
        return self._state.settings

    @workflow.update
    def cancel(self) -> int:
        """Cancel the turn that is being answered and all that wait; return how many."""
        return self._cancel()

    @workflow.update
    def reset(self) -> None:
        """Start over: what was said is no longer remembered. Settings stay."""
        self._change(memory=Memory())
        self._backlog.reset()

    @workflow.update
    def forget(self) -> None:
        """Delete what june holds of this chat: memory, audio, histories. Settings stay."""
        self._cancel()
        self._backlog.reset()
        self._backlog.forget()
        self._change(memory=Memory(), erase=True)
        self._leaving = True

    @workflow.query
    def history(self) -> Memory:
        """Return what is remembered."""
        return self._state.memory

    @workflow.query
    def settings(self) -> ChatSettings:
        """Return what the chat has chosen."""
        return self._state.settings

    @workflow.query
    def queue(self) -> list[QueuedMessage]:
        """Return what is being answered and what waits, in order."""
        return self._backlog.queue()

    def _cancel(self) -> int:
        backlog = self._backlog
        cancelled = len(backlog.turns) + len(backlog.waiting)
        for turn in backlog.turns:
            turn.cancelled = True
            if turn.handle:
                turn.handle.cancel()
        for request in backlog.waiting:
            self._background.begin(deliver(request, Notice(key=ErrorCode.CANCELLED.value)))
        backlog.waiting.clear()
        return cancelled

    # Turns

    def _may_start(self) -> bool:
        full = self._turns_in_run >= self._state.turns_per_run or workflow.info().is_continue_as_new_suggested()
        self._leaving = self._leaving or full
        return self._backlog.may_start and not self._leaving

    async def _start_turn(self, request: VoiceMessageRequest) -> None:
        """Start the message's workflow: with the memory when it is next, without it when it has to wait."""
        turn = Turn(request, due=not self._backlog.turns)
        self._backlog.turns.append(turn)
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
                    priority=fairly(self._state.platform, self._state.chat),
                    search_attributes=TypedSearchAttributes(findable(request)),
                    static_summary=shortened(f"{request.sender or request.chat}: message {request.message}"),
                )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("message %s was answered before", request.message)
            self._backlog.turns.remove(turn)
            return
        if turn.cancelled:
            turn.handle.cancel()

    async def _give_memory(self) -> None:
        """Let the next turn go on once all before it have ended."""
        turn = self._backlog.turns[0] if self._backlog.turns else None
        if turn is None or turn.due or turn.handle is None:
            return
        turn.due = True
        try:
            await turn.handle.signal(VoiceMessage.proceed, self._state.memory)
        except FailureError as error:
            workflow.logger.info("message %s ended before its turn: %s", turn.request.message, error)

    async def _end_turn(self, turn: Turn) -> None:
        """Remember an answer; tell the user when the turn's workflow itself was lost."""
        request = turn.request
        self._change(turns=self._state.turns + 1)
        if turn.handle is None:
            return
        try:
            result = await turn.handle
        except ChildWorkflowError as error:
            code = ErrorCode.CANCELLED if is_cancelled_exception(error) else ErrorCode.INTERNAL
            workflow.logger.warning("turn %s ended without an answer: %s", request.message, code.value)
            self._background.begin(deliver(request, Notice(key=code.value)))
            return
        if request.user and result.heard_seconds:
            heard = Heard(user=request.user, seconds=result.heard_seconds)
            self._background.begin(count_speech(self._state.platform, heard))
        if result.status == "answered" and turn.remembered:
            exchange = Exchange(user=utterance(request, result.transcript), assistant=result.answer)
            self._change(memory=remember(self._state.memory, exchange))
            gone = to_summarise(self._state.memory)
            if gone and (self._summary is None or self._summary.done()):
                self._summary = asyncio.create_task(self._summarise(self._state.memory, gone))

    async def _summarise(self, memory: Memory, gone: tuple[Exchange, ...]) -> None:
        """Fold the oldest turns into the running summary; failing that they are kept a while."""
        summary = await summarise(self._state, memory, gone)
        if summary is not None and self._state.memory.window[: len(gone)] == gone:
            self._change(memory=summarised(self._state.memory, gone, summary))

    # Notices, and what people see

    async def _tell_position(self, request: VoiceMessageRequest) -> None:
        """Tell how many are ahead, unless the wait is over in a moment: the turn before may just be ending."""
        try:
            await workflow.wait_condition(lambda: self._backlog.ahead_of(request) == 0, timeout=NOTICE_DELAY)
        except TimeoutError:
            ahead = self._backlog.ahead_of(request)
            await deliver(request, Notice(key="queued", params={"ahead": ahead, "position": ahead + 1}))

    def _describe(self) -> None:
        workflow.set_current_details(web_ui.of_conversation(self._state, self.queue()))

    def _change(self, **changes: object) -> None:
        self._state = self._state.model_copy(update=changes)
