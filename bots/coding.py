"""The command ``/code``: gives the coding agent a task in an empty workspace, and tells or ends the one under way."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.values import Address, Notice
from bots.intake import InboundMessage
from bots.texts.figures import plain
from bots.workflow_calls import TIMEOUT, query_or
from workflows.coding.contracts import MAX_TASK_CHARS, CodingReport, CodingRequest, CodingStatus, ReportForm
from workflows.names import (
    BACKGROUND,
    CHAT,
    CODING_TASK,
    PLATFORM,
    WORKFLOW_QUEUE,
    chat_key,
    coding_id,
    conversation_id,
)
from workflows.voice.contracts import ChatSettings, Layout, ReplyMode

STOP = frozenset({"stop", "cancel", "stopp", "abbrechen", "parar", "cancelar", "arreter", "annuler"})
STATUS = frozenset({"status", "estado", "statut"})
"""What ``/code`` takes for these, in the languages of june's sentences."""
LATEST_KEPT = 1000
"""Chats whose latest task is remembered: Temporal lists a task a moment after it began."""


async def _is_served() -> bool:
    return True


@dataclass(frozen=True)
class CodingRules:
    """Who may give tasks, and whether anybody would do them."""

    for_all: bool = False
    """Everybody who may talk to june, rather than its owners alone."""
    is_served: Callable[[], Awaitable[bool]] = _is_served
    """Check whether a sandbox worker is there; an ``RPCError`` where the server does not say."""


def gives_task(command: str, argument: str) -> bool:
    """Check whether a command has june begin a task, which counts as a message does."""
    return command == "code" and bool(argument) and plain(argument) not in STOP | STATUS


class CodingCommand:
    """The command ``/code``; a chat has one task at a time."""

    def __init__(self, client: Client, rules: CodingRules) -> None:
        self._client = client
        self._rules = rules
        self._latest: OrderedDict[str, str] = OrderedDict()
        """Id of the last task that was begun here, by chat."""

    async def run(self, inbound: InboundMessage, argument: str) -> Notice:
        """``/code TASK`` begins a task, ``/code status`` tells of it, ``/code stop`` ends it.

        Raises:
            temporalio.service.RPCError: the server did not answer.

        """
        if not argument:
            return Notice(key="code-usage")
        if plain(argument) in STATUS:
            return await self.status(inbound) or Notice(key="code-none")
        if plain(argument) in STOP:
            running = await self._running(inbound)
            if running is None:
                return Notice(key="code-none")
            await running.cancel(rpc_timeout=TIMEOUT)
            return Notice(key="code-stopping")
        return await self._begin(inbound, argument)

    async def status(self, inbound: InboundMessage) -> Notice | None:
        """Return how far the chat's task is; None where none is under way."""
        running = await self._running(inbound)
        if running is None:
            return None
        status = await running.query("status", 1_000_000, result_type=CodingStatus, rpc_timeout=TIMEOUT)
        figures = {"step": status.step, "steps": status.max_steps, "elapsed_seconds": status.elapsed_seconds}
        return Notice(key="code-status", params={"task": status.task, **figures})

    async def _begin(self, inbound: InboundMessage, task: str) -> Notice:
        if len(task) > MAX_TASK_CHARS:
            return Notice(key="code-too-long")
        name = coding_id(inbound.platform, inbound.chat, inbound.message, inbound.thread)
        running = await self._running(inbound)
        if running is not None:  # by this very message, where the platform delivers it again
            return Notice(key="code-begun" if running.id == name else "code-busy")
        if not await self._rules.is_served():
            return Notice(key="code-no-sandbox")
        conversation = conversation_id(inbound.platform, inbound.chat, inbound.thread)
        settings = await query_or(self._client, conversation, "settings", ChatSettings, ChatSettings())
        request = CodingRequest(
            task=task,
            report_to=Address(
                platform=inbound.platform,
                chat=inbound.chat,
                thread=inbound.thread,
                message=inbound.message,
                language=(inbound.language or "")[:2].lower() or None,
            ),
            report_form=ReportForm(
                spoken=settings.reply_mode is not ReplyMode.OFF,
                captioned=settings.layout is Layout.CAPTION,
                voice=settings.voice,
                language=settings.language,
            ),
        )
        chat = chat_key(inbound.platform, inbound.chat)
        try:
            await self._client.start_workflow(
                CODING_TASK,
                request,
                id=name,
                task_queue=WORKFLOW_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                priority=Priority(priority_key=BACKGROUND, fairness_key=chat[:64]),
                search_attributes=TypedSearchAttributes(
                    [SearchAttributePair(PLATFORM, inbound.platform), SearchAttributePair(CHAT, chat)]
                ),
                static_summary=f"{inbound.sender or inbound.chat}: /code",
                rpc_timeout=TIMEOUT,
            )
        except WorkflowAlreadyStartedError:  # and it has ended
            return Notice(key="code-begun")
        self._latest[chat] = name
        self._latest.move_to_end(chat)
        if len(self._latest) > LATEST_KEPT:
            self._latest.popitem(last=False)
        return Notice(key="code-begun")

    async def _running(self, inbound: InboundMessage) -> WorkflowHandle[object, CodingReport] | None:
        """Find the chat's task, in whatever thread it was given."""
        chat = chat_key(inbound.platform, inbound.chat)
        query = f"WorkflowType = '{CODING_TASK}' AND Chat = '{chat}' AND ExecutionStatus = 'Running'"
        found = [run.id async for run in self._client.list_workflows(query, rpc_timeout=TIMEOUT)]
        if latest := self._latest.get(chat):
            found.insert(0, latest)
        for name in found:
            task: WorkflowHandle[object, CodingReport] = self._client.get_workflow_handle(name)
            if await _is_running(task):
                return task
        return None


async def _is_running(task: WorkflowHandle[object, CodingReport]) -> bool:
    """Check whether a task is under way; the list lags behind."""
    try:
        found = await task.describe(rpc_timeout=TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return found.status is WorkflowExecutionStatus.RUNNING
