"""What the page shows of turns, all of it queried from the workflows: no state is here, so any restart is survived."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Protocol, TypeVar
from urllib.parse import quote

from pydantic import BaseModel
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
from bots.commands import query_or
from bots.texts.catalogue import say
from workflows.names import VOICE_MESSAGE, Stage, chat_key, conversation_id, voice_message_id
from workflows.voice.contracts import ChatSettings, Memory, QueuedMessage, TurnProgress, VoiceMessageResult

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
_CHAT = re.compile(r"[0-9a-f]{32}")

T = TypeVar("T")


class Spoken(BaseModel):
    """Sound to play."""

    url: str
    seconds: float


class TurnView(BaseModel):
    """All that the page shows of a turn at one moment."""

    message: str
    at: float = 0
    """When it began, in seconds since the epoch; 0 while it waits in line."""
    stage: str = IN_LINE
    """``line``, or one of the workflow's stages."""
    ahead: int = 0
    """Messages that are answered before this one."""
    transcript: str = ""
    answer: str = ""
    """What the model has written so far, or the whole of it."""
    speech: list[Spoken] = []
    """Its first sentences, as far as they are spoken."""
    reply: Spoken | None = None
    """The whole spoken reply."""
    notice: str | None = None
    """A sentence of june's besides (why there is no answer, or no voice)."""
    error: str | None = None
    """Stable code of what went wrong."""
    stage_ms: dict[Stage, int] = {}
    total_ms: int = 0
    link: str = ""
    """The turn in Temporal's Web UI."""
    done: bool = False


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

    def link(self, workflow_id: str) -> str:
        """Return a workflow's address in Temporal's Web UI."""
        return f"{self._ui_url}/namespaces/{self._client.namespace}/workflows/{quote(workflow_id, safe='')}"

    async def settings(self, chat: str) -> ChatSettings:
        """Return what a chat has chosen; the default while no worker answers."""
        try:
            return await self._conversation(chat, "settings", ChatSettings, ChatSettings())
        except (RPCError, WorkflowQueryFailedError):
            return ChatSettings()

    async def watch(self, chat: str, message: str, language: str | None) -> AsyncIterator[TurnView]:
        """Yield a turn whenever it has changed, until it is done.

        Temporal out of reach, or no worker up, is waited for.
        """
        last: TurnView | None = None
        moved, missing_since = time.monotonic(), 0.0
        while True:
            view = await self._look(chat, message, language)
            now = time.monotonic()
            if view and view.ahead < 0:
                # The first look may have come just between its place in line and the end of its turn.
                said = self._said(chat, message)
                never = missing_since and (said or now - missing_since > GRACE_SECONDS)
                missing_since = missing_since or now
                ended = {"ahead": 0, "stage": Stage.DONE.value, "done": True}
                ended["notice"] = said or say(Notice(key="not-just-now"), language)
                view = view.model_copy(update=ended) if never else None
            elif view:
                missing_since = 0.0
            if view and not view.done and now - moved > STILL_SECONDS:
                view, moved = await self._from_outside(chat, view, language), now
            if view and view != last:
                last, moved = view, now
                yield view
                if view.done:
                    return
            await asyncio.sleep(LOOK_SECONDS if view and view.stage != IN_LINE else LINE_SECONDS)

    async def past(self, chat: str, language: str | None) -> list[TurnView]:
        """List the last turns of a chat, oldest first; those under way are not done.

        Raises:
            temporalio.service.RPCError: the server did not answer.

        """
        if not _CHAT.fullmatch(chat):
            raise ValueError("That is no chat of the page.")
        query = f"Chat = '{chat_key(PLATFORM, chat)}' AND WorkflowType = '{VOICE_MESSAGE}'"
        found = [run async for run in self._client.list_workflows(query, limit=PAST_TURNS)]
        found.sort(key=lambda run: run.start_time)
        views = await asyncio.gather(*(self._ended(chat, run, language) for run in found))
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

    async def _look(self, chat: str, message: str, language: str | None) -> TurnView | None:
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
        view = self._view(chat, message, result, language)
        return view.model_copy(
            update={
                "stage": progress.stage.value,
                "answer": result.answer or " ".join(progress.sentences),
                "speech": [self._spoken(ref) for ref in progress.speech],
                "done": progress.stage is Stage.DONE,
            }
        )

    async def _from_outside(self, chat: str, view: TurnView, language: str | None) -> TurnView:
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
            update={"done": True, "stage": Stage.DONE.value, "error": error, "notice": self._sentence(error, language)}
        )

    async def _ended(self, chat: str, run: WorkflowExecution, language: str | None) -> TurnView | None:
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
        view = self._view(chat, message, result, language)
        return view.model_copy(update={"at": at, "stage": Stage.DONE.value, "done": True})

    def _view(self, chat: str, message: str, result: VoiceMessageResult, language: str | None) -> TurnView:
        error = result.error.value if result.error else None
        return TurnView(
            message=message,
            transcript=result.transcript,
            answer=result.answer,
            reply=self._spoken(result.reply) if result.reply else None,
            error=error,
            notice=self._sentence(error, language) if error else None,
            stage_ms=result.stage_ms,
            total_ms=result.total_ms,
            link=self.link(voice_message_id(PLATFORM, chat, message)),
        )

    def _sentence(self, error: str, language: str | None) -> str:
        return say(Notice(key=error, params=self._figures), language)

    def _spoken(self, ref: BlobRef) -> Spoken:
        name = ref.key.rsplit("/", 1)[-1]
        return Spoken(url=f"api/audio/{name}?rate={ref.sample_rate}", seconds=round(ref.seconds, 2))

    async def _conversation(self, chat: str, query: str, kind: type[T], default: T) -> T:
        return await query_or(self._client, conversation_id(PLATFORM, chat), query, kind, default, TIMEOUT)
