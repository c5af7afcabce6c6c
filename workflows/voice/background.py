"""What is done beside the answers. None of it keeps a message from being answered: failures are logged."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ActivityError, FailureError

with workflow.unsafe.imports_passed_through():
    from activities.accompany import ShowProgressActivity, ShowProgressRequest
    from activities.forget import ForgetActivity, ForgetRequest
    from activities.reply import Delivered, ReplyActivity, ReplyRequest
    from activities.retract import RetractActivity, RetractRequest
    from activities.values import Address, Notice
    from workflows import activity_options as options
    from workflows.access.contracts import Heard
    from workflows.activity_options import run_activity
    from workflows.names import LIVE, WORKFLOW_QUEUE, access_id, chat_key, coding_prefix, platform_queue
    from workflows.voice.backlog import Backlog
    from workflows.voice.continuations import CONTINUED_WITHIN
    from workflows.voice.contracts import ConversationState, VoiceMessageRequest


class BackgroundTasks:
    """Tasks that run beside the turns, and end before the run does."""

    def __init__(self) -> None:
        """Begin with none."""
        self._tasks: set[asyncio.Task[object]] = set()

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Start one."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def all_done(self) -> bool:
        """Whether none is under way."""
        return not self._tasks


def fairly(platform: str, chat: str, priority: int = LIVE) -> Priority:
    """Return the priority of a chat's work; chats of the same priority share workers fairly."""
    return Priority(priority_key=priority, fairness_key=chat_key(platform, chat)[:64])


async def deliver(to: Address, notice: Notice) -> Delivered | None:
    """Send a sentence of june's own in reply to a message; return what reached the platform, if anything has."""
    try:
        return await run_activity(
            ReplyActivity.reply,
            ReplyRequest(to=to, notice=notice),
            options.NOTICE,
            queue=platform_queue(to.platform),
            priority=fairly(to.platform, to.chat),
            summary=notice.key,
        )
    except ActivityError as error:
        workflow.logger.warning("notice %s was not delivered: %s", notice.key, error.cause)
        return None


async def retract(to: Address, message: str) -> None:
    """Take back a sentence of june's own, which holds no longer."""
    try:
        await run_activity(
            RetractActivity.retract,
            RetractRequest(to=to, message=message),
            options.NOTICE,
            queue=platform_queue(to.platform),
            priority=fairly(to.platform, to.chat),
            summary="take back a notice",
        )
    except ActivityError as error:
        workflow.logger.warning("a notice was not taken back: %s", error.cause)


async def release_later(backlog: Backlog, request: VoiceMessageRequest) -> None:
    """Let a message that may be continued wait no longer, once nothing has come for a moment."""
    await workflow.sleep(CONTINUED_WITHIN)
    backlog.release(request)


async def count_speech(platform: str, heard: Heard) -> None:
    """Report to Access how much a person has said; a bot has started it with the message."""
    try:
        await workflow.get_external_workflow_handle(access_id(platform)).signal("heard", heard)
    except FailureError as error:
        workflow.logger.warning("%.0f s of speech were not counted: %s", heard.seconds, error)


async def erase(state: ConversationState) -> None:
    """Delete audio and the histories of ended workflows, this conversation's earlier runs among them."""
    info = workflow.info()
    try:
        await run_activity(
            ForgetActivity.forget,
            ForgetRequest(
                platform=state.platform,
                chat=state.chat,
                thread=state.thread,
                whole_chat=state.erase_chat,
                conversation=info.workflow_id,
                keep_run_id=info.run_id,
                tasks=coding_prefix(state.platform, state.chat),
                also_run_ids=(info.continued_run_id,) if info.continued_run_id else (),
            ),
            options.FORGET,
            queue=WORKFLOW_QUEUE,
            summary="delete audio and histories",
        )
    except ActivityError as error:
        workflow.logger.error("not everything could be deleted: %s", error.cause)


async def show_progress(request: VoiceMessageRequest, *, speaks: bool) -> None:
    """Have the platform show that a turn is under way; the activity ends by itself when it sees that it replies."""
    try:
        await run_activity(
            ShowProgressActivity.show_progress,
            ShowProgressRequest(to=request.address, speaks=speaks, captioned=request.captioned),
            options.SHOW_PROGRESS,
            queue=platform_queue(request.platform),
            summary="show that june is at it",
        )
    except ActivityError as error:
        workflow.logger.info("progress is not shown: %s", error.cause)
