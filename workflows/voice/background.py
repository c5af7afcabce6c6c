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
    from activities.infer import InferActivity, InferRequest
    from activities.reply import ReplyActivity, ReplyRequest
    from activities.values import Notice
    from workflows import activity_options as options
    from workflows.access.contracts import Heard
    from workflows.activity_options import run_activity
    from workflows.names import BACKGROUND, GPU_QUEUE, LIVE, WORKFLOW_QUEUE, access_id, chat_key, platform_queue
    from workflows.voice.contracts import ConversationState, Exchange, Memory, VoiceMessageRequest
    from workflows.voice.memory import summary_prompt

SUMMARY_TOKENS = 250


class BackgroundTasks:
    """Tasks that run beside the turns, and end before the run does."""

    def __init__(self) -> None:
        """Begin with none."""
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
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


async def deliver(request: VoiceMessageRequest, notice: Notice) -> None:
    """Send a sentence of june's own in reply to a message."""
    try:
        await run_activity(
            ReplyActivity.reply,
            ReplyRequest(to=request.address, notice=notice),
            options.NOTICE,
            queue=platform_queue(request.platform),
            priority=fairly(request.platform, request.chat),
            summary=notice.key,
        )
    except ActivityError as error:
        workflow.logger.warning("notice %s was not delivered: %s", notice.key, error.cause)


async def count_speech(platform: str, heard: Heard) -> None:
    """Report to Access how much a person has said; a bot has started it with the message."""
    try:
        await workflow.get_external_workflow_handle(access_id(platform)).signal("heard", heard)
    except FailureError as error:
        workflow.logger.warning("%.0f s of speech were not counted: %s", heard.seconds, error)


async def summarise(state: ConversationState, memory: Memory, gone: tuple[Exchange, ...]) -> str | None:
    """Return a new running summary of the old one and the turns that leave the window; None when there is none."""
    try:
        inference = await run_activity(
            InferActivity.infer,
            InferRequest(messages=summary_prompt(memory, gone), max_tokens=SUMMARY_TOKENS, temperature=0.0),
            options.SUMMARISE,
            queue=GPU_QUEUE,
            priority=fairly(state.platform, state.chat, BACKGROUND),
            summary=f"summarise {len(gone)} turns",
        )
    except ActivityError as error:
        workflow.logger.warning("no summary this time: %s", error.cause)
        return None
    return inference.answer


async def erase(state: ConversationState) -> None:
    """Delete audio and the histories of ended workflows, this conversation's earlier runs among them."""
    info = workflow.info()
    try:
        await run_activity(
            ForgetActivity.forget,
            ForgetRequest(
                platform=state.platform, chat=state.chat, conversation=info.workflow_id, keep_run_id=info.run_id
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
