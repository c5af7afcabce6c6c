"""One chat: order, memory, settings, limits, duplicates. Each message is answered by a VoiceMessage of its own."""

from logging import INFO, WARNING

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
    from activities.text.answer import CUT_MARK
    from activities.values import Notice
    from workflows.access.arrivals import CLOCK_SET_BACK
    from workflows.access.contracts import Heard
    from workflows.names import CHAT, CONVERSATION, PLATFORM, chat_key, voice_message_id
    from workflows.one_line import shortened
    from workflows.tracing import trace_of
    from workflows.voice import web_ui
    from workflows.voice.background import BackgroundTasks, count_speech, deliver, erase, fairly, release_later
    from workflows.voice.backlog import Backlog, Turn
    from workflows.voice.contracts import (
        ChatSettings,
        ConversationState,
        Exchange,
        Memory,
        QueuedMessage,
        SettingsChange,
        Stop,
        VoiceMessageRequest,
        findable,
    )
    from workflows.voice.last_reply import LastReplies
    from workflows.voice.memory import utterance
    from workflows.voice.moves import Moves
    from workflows.voice.queue_notice import QueueNotice
    from workflows.voice.stops import STOPPED_TURNS, Stops
    from workflows.voice.summary import RunningSummary
    from workflows.voice.voice_message import VoiceMessage

MAX_LANGUAGES = 3
"""Languages of a chat that are kept; people seldom speak more in one."""
STOPS_KEPT = 30
REFUSALS_BY_SENDER = "refusals-by-sender"
"""A change since june 0.1.0, whose conversations go on: see ``workflow.patched``."""
BOUNDED_BYTES = "bounded-bytes"
"""Another one."""
MAX_HISTORY_EVENTS = 8_000
MAX_HISTORY_BYTES = 8_000_000
"""A run with a longer history ends although a turn is under way: Temporal ends one by force at 51,200 and 50 MB."""


@workflow.defn(name=CONVERSATION)
class Conversation:
    """Keeps a chat. Bots reach it by Signal-with-Start, so that a message is safe even while no worker is up."""

    @workflow.init
    def __init__(self, state: ConversationState) -> None:
        """Restore what the run before knew; handlers may run before ``run`` does."""
        self._state = state
        self._backlog = Backlog(state)
        self._turns_in_run = 0
        self._background = BackgroundTasks()
        self._leaving = False
        self._summary = RunningSummary(
            state,
            is_busy=lambda: bool(self._backlog.turns or self._backlog.waiting),
            settings=lambda: self._state.settings,
            read=lambda: self._state.memory,
            write=lambda memory: self._change(memory=memory),
        )
        self._moves = Moves(lambda: self._state, self._change, self._background, self._summary)
        self._stops = Stops(
            self._backlog,
            self._background,
            mark=lambda stop: self._change(stops=(*self._state.stops, stop)[-STOPS_KEPT:]),
        )
        self._last_replies = LastReplies(
            lambda: self._state, self._change, self._background, is_over=lambda: self._leaves
        )
        self._queue_notice = QueueNotice(self._backlog, is_over=lambda: self._leaves)

    @workflow.run
    async def run(self, state: ConversationState) -> None:
        """Answer messages in their order, until it is time to continue as new."""
        backlog, chat = self._backlog, chat_key(state.platform, state.chat)
        workflow.upsert_search_attributes([PLATFORM.value_set(state.platform), CHAT.value_set(chat)])
        if state.erase:
            await erase(state)
            self._change(erase=False, erase_chat=False)
        self._summary.begin(at_start=True)
        while not self._leaves:
            workflow.set_current_details(web_ui.of_conversation(self._state, self.queue()))
            await workflow.wait_condition(lambda: backlog.first_ended or self._may_start() or self._leaves)
            if backlog.first_ended:
                await self._end_turn(backlog.turns.popleft())
            if self._may_start():
                await self._start_turn(backlog.waiting.popleft())
            await self._give_memory()
        for turn in tuple(backlog.turns):
            await give_memory(turn, self._state.memory)
        for request in backlog.drop_excess():
            self._refuse(request, ErrorCode.QUEUE_FULL)
        await self._summary.stop()
        await workflow.wait_condition(lambda: self._background.all_done and workflow.all_handlers_finished())
        workflow.continue_as_new(self._state.model_copy(update=backlog.saved()))

    # What comes in

    @workflow.signal
    def message(self, request: VoiceMessageRequest) -> None:
        """Accept a message; one that was seen before, or is one too many, is not answered."""
        backlog, now = self._backlog, workflow.time()
        if request.message in backlog.seen:
            return
        self._last_replies.message_came()
        if request.interrupts:
            self._stops.stop(request.interrupts)
        backlog.limits = request.limits or backlog.limits
        if request.may_continue:
            self._background.begin(release_later(backlog, request))
        joined, continued = backlog.join(request)
        if continued and continued.handle:
            continued.handle.cancel()
        if joined:
            return
        backlog.arrivals.leave_out_later(now, if_so=lambda: workflow.patched(CLOCK_SET_BACK))
        refusal = backlog.refusal(now)
        if refusal is None and (oversize := backlog.oversize(request)) and workflow.patched(BOUNDED_BYTES):
            refusal = oversize
        if refusal is None:
            backlog.add(request, now)
            if backlog.ahead_of(request):
                self._background.begin(self._queue_notice.tell(request))
        else:
            self._refuse(request, refusal)

    @workflow.update
    def configure(self, change: SettingsChange) -> ChatSettings:
        """Change the chat's settings; they hold from the next message on."""
        self._change(settings=change.applied_to(self._state.settings))
        return self._state.settings

    @workflow.update
    async def cancel(self) -> int:
        """Stop the turn that is being answered and all that wait; return how many were stopped."""
        if workflow.patched(STOPPED_TURNS):
            return await self._stops.stop_and_count()
        return self._stops.cancel()

    @workflow.update
    def stop(self, stop: Stop) -> int:
        """Do the same for somebody who was hearing an answer; one that is written to its end is marked as well."""
        return self._stops.stop(stop)

    @workflow.update
    def reset(self) -> None:
        """Start over: what was said is no longer remembered. Settings stay."""
        self._change(memory=Memory())
        self._last_replies.forget()
        self._backlog.reset()

    @workflow.update
    def forget(self, whole_chat: bool = False) -> None:
        """Delete what june holds of this conversation: memory, audio, histories. Settings stay.

        Args:
            whole_chat: delete audio and histories of the chat's other conversations too; their memory is theirs.

        """
        self._stops.cancel()
        self._backlog.reset()
        self._backlog.seen.forget(workflow.time())
        self._last_replies.forget()
        erase_chat = self._state.erase_chat or whole_chat
        self._change(memory=Memory(), languages=(), stops=(), erase=True, erase_chat=erase_chat)
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

    @workflow.query
    def stops(self) -> tuple[Stop, ...]:
        """Return which answers were stopped after they had been written to their end."""
        return self._state.stops

    def _refuse(self, request: VoiceMessageRequest, refusal: ErrorCode) -> None:
        """Tell the sender that a message is not answered, unless that was told to another of a flood."""
        if self._backlog.refuse(request, by_sender=workflow.patched(REFUSALS_BY_SENDER)):
            figures = {"waiting": len(self._backlog.waiting), "per_minute": self._backlog.limits.messages_per_minute}
            self._background.begin(deliver(request.address, Notice(key=refusal.value, params=dict(figures))))

    # Turns

    def _may_start(self) -> bool:
        full = self._turns_in_run >= self._state.turns_per_run or workflow.info().is_continue_as_new_suggested()
        self._leaving = self._leaving or full
        return self._backlog.may_start and not self._leaving

    @property
    def _leaves(self) -> bool:
        """Whether this run has nothing more to answer, and waits only for what is done beside."""
        return self._leaving and (not self._backlog.turns or is_overfull())

    async def _start_turn(self, request: VoiceMessageRequest) -> None:
        """Start the message's workflow: with the memory when it is next, without it when it has to wait."""
        turn = Turn(request, due=not self._backlog.turns, cancelled=request.stopped)
        self._backlog.turns.append(turn)
        self._turns_in_run += 1
        given = {
            "settings": self._state.settings,
            "languages": self._state.languages,
            "memory": self._state.memory if turn.due else None,
        }
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
        if turn.continued:
            turn.handle.cancel()
        elif turn.cancelled and not request.stopped:
            await self._stops.stop_started(turn)

    async def _give_memory(self) -> None:
        """Let the next turn go on once all before it have ended."""
        if self._backlog.turns:
            await give_memory(self._backlog.turns[0], self._state.memory)

    async def _end_turn(self, turn: Turn) -> None:
        """Remember an answer; tell the user when the turn's workflow itself was lost."""
        request = turn.request
        self._change(turns=self._state.turns + 1)
        if turn.handle is None:
            return
        try:
            result = await turn.handle
        except ChildWorkflowError as error:
            if turn.continued:
                return
            code = ErrorCode.CANCELLED if is_cancelled_exception(error) else ErrorCode.INTERNAL
            level = INFO if code is ErrorCode.CANCELLED else WARNING
            workflow.logger.log(level, "turn %s ended without an answer: %s", request.message, code.value)
            self._background.begin(deliver(request.address, Notice(key=code.value)))
            return
        if request.user and result.heard_seconds:
            heard = Heard(user=request.user, seconds=result.heard_seconds)
            self._background.begin(count_speech(self._state.platform, heard))
        if not turn.remembered:
            return
        self._last_replies.keep(request, result)
        spoken_of_late = (result.language, result.answer_language, *self._state.languages)
        self._change(languages=tuple(dict.fromkeys(filter(None, spoken_of_late)))[:MAX_LANGUAGES])
        stopped = result.status == "stopped" and result.asked_at is not None
        if stopped or result.status == "answered":
            said = utterance(request, result.transcript)
            exchange = Exchange(user=said, assistant=result.answer or CUT_MARK, said_at=result.asked_at)
            self._moves.remember(exchange)

    def _change(self, **changes: object) -> None:
        self._state = self._state.model_copy(update=changes)


def is_overfull() -> bool:
    """Whether this run has to end now: what is still being answered is sent, and not remembered."""
    info = workflow.info()
    return info.get_current_history_length() > MAX_HISTORY_EVENTS or info.get_current_history_size() > MAX_HISTORY_BYTES


async def give_memory(turn: Turn, memory: Memory) -> None:
    """Let a turn that was held back go on."""
    if turn.due or turn.handle is None:
        return
    turn.due = True
    try:
        await turn.handle.signal(VoiceMessage.proceed, memory)
    except FailureError as error:
        workflow.logger.info("message %s ended before its turn: %s", turn.request.message, error)
