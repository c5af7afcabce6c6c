"""What the page shows of coding tasks that were given by ``/code``: how each has ended, and its files."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from urllib.parse import quote

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from bots.web.turns import PLATFORM, FileView, Spoken, TurnView
from workflows.coding.contracts import Told
from workflows.names import CODING_TASK, CODING_TOLD_MEMO, Stage, chat_key, coding_id, coding_prefix

PREFIX = "code-"
"""Of the ids that the page knows tasks by, before the message that gave each."""
LOOK_SECONDS = 1.0
"""Between looks at a task under way."""
PAST_TASKS = 10


def is_task(message: str) -> bool:
    """Check whether an id is a task's."""
    return message.startswith(PREFIX)


class Tasks:
    """Reads the coding tasks of chats; none is shown before it has ended, as the chat goes on meanwhile."""

    def __init__(self, client: Client, link: Callable[[str], str]) -> None:
        """Configure where tasks are read from.

        Args:
            client: connection to Temporal.
            link: returns a workflow's address in Temporal's Web UI.

        """
        self._client = client
        self._link = link

    async def last(self, chat: str) -> tuple[list[TurnView], list[str]]:
        """List the last tasks of a chat that have ended, and the ids of those that are under way.

        Raises:
            temporalio.service.RPCError: the server did not answer.

        """
        query = f"Chat = '{chat_key(PLATFORM, chat)}' AND WorkflowType = '{CODING_TASK}'"
        found = [run async for run in self._client.list_workflows(query, limit=PAST_TASKS)]
        views = [await self._view(chat, run) for run in found if run.status is not WorkflowExecutionStatus.RUNNING]
        under_way = [run.id for run in found if run.status is WorkflowExecutionStatus.RUNNING]
        return [view for view in views if view], [self._name(chat, name) for name in under_way]

    async def watch(self, chat: str, message: str) -> AsyncIterator[TurnView]:
        """Yield how a task has ended, once it has; nothing where there is none, or nobody was told."""
        task = self._client.get_workflow_handle(coding_id(PLATFORM, chat, message.removeprefix(PREFIX)))
        while True:
            try:
                found = await task.describe()
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return
            else:
                if found.status is not WorkflowExecutionStatus.RUNNING:
                    if view := await self._view(chat, found):
                        yield view
                    return
            await asyncio.sleep(LOOK_SECONDS)

    def _name(self, chat: str, workflow_id: str) -> str:
        return PREFIX + workflow_id.removeprefix(coding_prefix(PLATFORM, chat))

    async def _view(self, chat: str, run: WorkflowExecution) -> TurnView | None:
        told: Told | None = await run.memo_value(CODING_TOLD_MEMO, default=None, type_hint=Told)
        if told is None:
            return None
        ended: datetime = run.close_time or run.start_time
        return TurnView(
            message=self._name(chat, run.id),
            at=ended.timestamp(),
            stage=Stage.DONE.value,
            transcript=f"/code {told.task}",
            answer=told.text,
            reply=Spoken.of(told.reply) if told.reply else None,
            files=[
                FileView(name=sent.name, url=f"api/files/{sent.file.key.rsplit('/', 1)[-1]}?name={quote(sent.name)}")
                for sent in told.files
            ],
            says=told.notice,
            once=True,
            link=self._link(run.id),
            done=True,
        )
