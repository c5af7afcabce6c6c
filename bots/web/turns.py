"""What the page shows of turns, all of it queried from the workflows: no state is here, so any restart is survived."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Protocol, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, Field
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.error_codes import ErrorCode
from activities.values import BlobRef, Notice
from bots.texts.catalogue import say
from bots.web.shared_reads import SharedReads
from bots.workflow_calls import query_or
from workflows.names import VOICE_MESSAGE, Stage, chat_key, conversation_id, voice_message_id
from workflows.voice.contracts import ChatSettings, Memory, QueuedMessage, Stop, TurnProgress, VoiceMessageResult
from workflows.voice.written import ends_of

PLATFORM = "web"
LOOK_SECONDS = 0.15
"""Between looks at a turn under way. Each is a query, which leaves nothing in its history."""
LINE_SECONDS = 0.25
"""Between looks at a message that waits in line."""
TIMEOUT = timedelta(seconds=5)
"""With a query; the next look asks again."""
GRACE_SECONDS = 3.0
"""A message that is neither in line nor a turn for so long will not become one."""
STILL_SECONDS = 5.0
"""A turn that shows nothing new for so long is looked at from outside: it may have been terminated."""
PAST_TURNS = 30
IN_LINE = "line"
THINKING = "think"
LATE = "late"
LATE_SECONDS = 30.0
"""A turn that has nothing to show for so long is told of."""
_CHAT = re.compile(r"[0-9a-f]{32}")

T = TypeVar("T")


class Spoken(BaseModel):
    """Sound to play."""

    url: str
    seconds: float
    text: str = ""
    """The sentence that is spoken; empty where it is more than one."""
    end: int = 0
    """Characters of the answer up to its end; 0 where it is more than one."""

    @classmethod
    def of(cls, ref: BlobRef) -> "Spoken":
        """Return where stored sound is served."""
        name = ref.key.rsplit("/", 1)[-1]
        return cls(url=f"api/audio/{name}?rate={ref.sample_rate}", seconds=round(ref.seconds, 2))


class FileView(BaseModel):
    """A file to download."""

    name: str
    url: str


class TurnView(BaseModel):
    """All that the page shows of a turn at one moment."""

    message: str
    at: float = 0
    """When it began, in seconds since the epoch; 0 while it waits in line."""
    stage: str = IN_LINE
    """``line``, ``think``, ``late`` (there is nothing to show yet), or one of the workflow's stages."""
    ahead: int = 0
    """Messages that are answered before this one."""
    transcript: str = ""
    answer: str = ""
    """What the model has written so far, or the whole of it."""
    speech: list[Spoken] = []
    """Its first sentences, as far as they are spoken."""
    reply: Spoken | None = None
    """The whole spoken reply."""
    question: Spoken | None = None
    """The recording that is answered, as it was understood."""
    files: list[FileView] = []
    """Of a coding task: what has come of it."""
    once: bool = False
    """It is not asked again by its transcript, which may be cut."""
    stopped: bool = False
    """A person has ended the answer, or stopped listening to it."""
    heard_chars: int | None = None
    """Of a stopped answer: characters of it that were heard (Markdown); None where nobody knows."""
    notice: str | None = None
    """A sentence of june's besides (why there is no answer, or no voice)."""
    says: Notice | None = Field(default=None, exclude=True)
    """The same, to be said in the language of who looks (``said_in``)."""
    error: str | None = None
    """Stable code of what went wrong."""
    stage_ms: dict[Stage, int] = {}
    total_ms: int = 0
    link: str = ""
    """The turn in Temporal's Web UI."""
    done: bool = False

    def said_in(self, language: str | None) -> "TurnView":
        """Return it with june's sentence in a language (ISO 639-1)."""
        return self.model_copy(update={"notice": say(self.says, language)}) if self.says else self


class Said(Protocol):
    """The text that the platform's replies have last sent about a message."""

    def __call__(self, chat: str, message: str) -> str | None:
        """Return the text; None when there is none, or not any more."""


class Turns:
    """Reads the turns of chats."""

    def __init__(self, client: Client, said: Said, ui_url: str, figures: Mapping[str, float | int]) -> None:
        """Configure what turns are read from.

        Args:
            client: connection to Temporal.
            said: what replies have said of messages that never became a turn.
            ui_url: Temporal's Web UI, for links.
            figures: limits that june's sentences mention (``limit_seconds``, ``limit_bytes``).

        """
        self._client = client
        self._said = said
        self._ui_url = ui_url.rstrip("/")
        self._figures = dict(figures)
        self._reads = SharedReads()

    def link(self, workflow_id: str) -> str:
        """Return a workflow's address in Temporal's Web UI."""
        return f"{self._ui_url}/namespaces/{self._client.namespace}/workflows/{quote(workflow_id, safe='')}"

    async def settings(self, chat: str) -> ChatSettings:
        """Return what a chat has chosen; the default while no worker answers."""
        try:
            return await self._conversation(chat, "settings", ChatSettings, ChatSettings())
        except (RPCError, WorkflowQueryFailedError):
            return ChatSettings()

    async def watch(self, chat: str, message: str) -> AsyncIterator[TurnView]:
        """Yield a turn whenever it has changed, until it is done; one watcher serves all who look (``bots.web.feed``).

        Temporal out of reach, or no worker up, is waited for.
        """
        last: TurnView | None = None
        moved, missing_since, bare_since = time.monotonic(), 0.0, 0.0
        while True:
            view = await self._look(chat, message)
            now = time.monotonic()
            if view and view.ahead < 0:
                # The first look may have come just between its place in line and the end of its turn.
                said = self._said(chat, message)
                never = missing_since and (said or now - missing_since > GRACE_SECONDS)
                missing_since = missing_since or now
                told = {"notice": said} if said else {"says": Notice(key="not-just-now")}
                ended = {"ahead": 0, "stage": Stage.DONE.value, "done": True, **told}
                view = view.model_copy(update=ended) if never else None
            elif view:
                missing_since = 0.0
            is_bare = view and not (view.done or view.answer) and view.stage not in {IN_LINE, THINKING, Stage.WAIT}
            bare_since = (bare_since or now) if is_bare else 0.0
            if view and bare_since and now - bare_since > LATE_SECONDS:
                view = view.model_copy(update={"stage": LATE})
            if view and not view.done and now - moved > STILL_SECONDS:
                view, moved = await self._from_outside(chat, view), now
            if view and view.done:
                view = _marked(view, await self._stops(chat))
            if view and view != last:
                last, moved = view, now
                yield view
                if view.done:
                    return
            await asyncio.sleep(LOOK_SECONDS if view and view.stage != IN_LINE else LINE_SECONDS)

    async def stop(self, chat: str, stop: Stop) -> int:
        """End the turns of a chat that are under way or wait; return how many those are.

        Raises:
            temporalio.service.RPCError: the server did not take it.
            temporalio.client.WorkflowUpdateRPCTimeoutOrCancelledError: no worker took it in time.

        """
        conversation = self._client.get_workflow_handle(conversation_id(PLATFORM, chat))
        try:
            stopped: int = await conversation.execute_update("stop", stop, result_type=int, rpc_timeout=TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return 0
        return stopped

    async def last(self, chat: str) -> list[TurnView]:
        """List the last turns of a chat, oldest first, and the messages that wait; those under way are not done.

        Raises:
            temporalio.service.RPCError: the server did not answer.

        """
        past, waiting, stops = await asyncio.gather(self._past(chat), self._waiting(chat), self._stops(chat))
        begun = {turn.message for turn in past}
        return [_marked(turn, stops) for turn in past] + [turn for turn in waiting if turn.message not in begun]

    async def _waiting(self, chat: str) -> list[TurnView]:
        """List what the conversation has not answered yet; nothing while no worker can say."""
        try:
            queue = await self._conversation(chat, "queue", list[QueuedMessage], [])
        except (RPCError, WorkflowQueryFailedError):
            return []
        link = self.link(conversation_id(PLATFORM, chat))
        return [TurnView(message=queued.message, ahead=ahead, link=link) for ahead, queued in enumerate(queue)]

    async def _stops(self, chat: str) -> tuple[Stop, ...]:
        """List which answers were stopped while they were heard, their turns being over."""
        try:
            return await self._conversation(chat, "stops", tuple[Stop, ...], ())
        except (RPCError, WorkflowQueryFailedError):
            return ()

    async def _past(self, chat: str) -> list[TurnView]:
        if not _CHAT.fullmatch(chat):
            raise ValueError("That is no chat of the page.")
        query = f"Chat = '{chat_key(PLATFORM, chat)}' AND WorkflowType = '{VOICE_MESSAGE}'"
        found = [run async for run in self._client.list_workflows(query, limit=PAST_TURNS)]
        found.sort(key=lambda run: run.start_time)
        views = await asyncio.gather(*(self._ended(chat, run) for run in found))
        turns = [view for view in views if view]
        if turns:
            return turns
        try:  # the records of its turns are gone; the conversation itself remembers some
            memory = await self._conversation(chat, "history", Memory, Memory())
        except (RPCError, WorkflowQueryFailedError):
            return []
        return [
            TurnView(message=f"remembered-{n}", stage="done", transcript=said.user, answer=said.assistant, done=True)
            for n, said in enumerate(memory.window)
        ]

    # One turn

    async def _look(self, chat: str, message: str) -> TurnView | None:
        """Look at a turn; -1 ahead when there is no such message, None when no worker answers."""
        workflow_id = voice_message_id(PLATFORM, chat, message)
        turn = self._client.get_workflow_handle(workflow_id)
        try:
            progress: TurnProgress = await turn.query("progress", result_type=TurnProgress, rpc_timeout=TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                return None
            try:
                queue = await self._conversation(chat, "queue", list[QueuedMessage], [])
            except (RPCError, WorkflowQueryFailedError):
                return None
            names = [queued.message for queued in queue]
            ahead = names.index(message) if message in names else -1
            return TurnView(message=message, ahead=ahead, link=self.link(conversation_id(PLATFORM, chat)))
        except WorkflowQueryFailedError:
            return None
        result = progress.result
        view = self._view(chat, message, result)
        return view.model_copy(
            update={
                "stage": THINKING if progress.thinking else progress.stage.value,
                "answer": result.answer or progress.written or " ".join(progress.sentences),
                "speech": self._sentences(progress),
                "done": progress.stage is Stage.DONE,
            }
        )

    def _sentences(self, progress: TurnProgress) -> list[Spoken]:
        written, sentences = progress.result.answer or progress.written, progress.sentences
        spoken = zip(progress.speech, sentences, ends_of(written, sentences), strict=False)
        return [Spoken.of(ref).model_copy(update={"text": text, "end": end}) for ref, text, end in spoken]

    async def _from_outside(self, chat: str, view: TurnView) -> TurnView:
        """Check whether a turn that shows nothing new has ended without a result (terminated, say)."""
        try:
            turn = await self._client.get_workflow_handle(voice_message_id(PLATFORM, chat, view.message)).describe()
        except RPCError:
            return view
        if turn.status in {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED}:
            return view  # the next look shows the end
        code = ErrorCode.CANCELLED if turn.status is WorkflowExecutionStatus.CANCELED else ErrorCode.INTERNAL
        error = view.error or code.value
        return view.model_copy(
            update={"done": True, "stage": Stage.DONE.value, "error": error, "says": self._notice(error)}
        )

    async def _ended(self, chat: str, run: WorkflowExecution) -> TurnView | None:
        """Read a turn's result, for which no worker is needed; None for one that ended without."""
        message = run.id.rsplit("/", 1)[-1]
        at = run.start_time.timestamp()
        if run.status is WorkflowExecutionStatus.RUNNING:
            return TurnView(message=message, at=at, link=self.link(run.id))
        if run.status is not WorkflowExecutionStatus.COMPLETED:
            return None
        handle = self._client.get_workflow_handle(run.id, run_id=run.run_id, result_type=VoiceMessageResult)
        try:
            result = await handle.result(rpc_timeout=TIMEOUT)
        except (RPCError, WorkflowFailureError):
            return None
        view = self._view(chat, message, result)
        return view.model_copy(update={"at": at, "stage": Stage.DONE.value, "done": True})

    def _view(self, chat: str, message: str, result: VoiceMessageResult) -> TurnView:
        error = result.error.value if result.error else None
        stopped = result.status == "stopped"
        told = error or ("answer-cut" if result.cut and not stopped else None)
        return TurnView(
            message=message,
            transcript=result.transcript,
            answer=result.answer,
            reply=Spoken.of(result.reply) if result.reply else None,
            question=Spoken.of(result.question) if result.question else None,
            stopped=stopped or result.heard_chars is not None,
            heard_chars=result.heard_chars,
            error=error,
            says=self._notice(told) if told else None,
            stage_ms=result.stage_ms,
            total_ms=result.total_ms,
            link=self.link(voice_message_id(PLATFORM, chat, message)),
        )

    def _notice(self, error: str) -> Notice:
        return Notice(key=error, params=self._figures)

    async def _conversation(self, chat: str, query: str, kind: type[T], default: T) -> T:
        workflow = conversation_id(PLATFORM, chat)
        return await self._reads.read(
            (chat, query), lambda: query_or(self._client, workflow, query, kind, default, TIMEOUT)
        )


def _marked(view: TurnView, stops: tuple[Stop, ...]) -> TurnView:
    """Mark an answer that was stopped while it was heard, its turn being over."""
    stop = next((stop for stop in reversed(stops) if stop.message == view.message), None)
    return view.model_copy(update={"stopped": True, "heard_chars": stop.heard_chars}) if stop else view
