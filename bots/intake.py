"""From a platform's message to its Conversation: one call, and the message is safe; and to the end of its turn."""

import asyncio
from collections.abc import Mapping
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from workflows.names import (
    CHAT,
    CONVERSATION,
    LIVE,
    PLATFORM,
    WORKFLOW_QUEUE,
    chat_key,
    conversation_id,
    voice_message_id,
)
from workflows.voice.contracts import ConversationState, VoiceMessageRequest, VoiceMessageResult

BEGUN_POLL_SECONDS = 0.05


async def accept(client: Client, request: VoiceMessageRequest) -> str:
    """Hand a message to its conversation (Signal-with-Start), which is started when there is none.

    When this returns the message is durable, even while no worker is up; only then may the platform's update be
    confirmed. Await it for one message of a chat after the other: concurrent signals arrive in any order.

    Returns:
        The conversation's workflow id.

    Raises:
        temporalio.service.RPCError: the server did not take it; the platform should deliver it again.

    """
    await client.start_workflow(
        CONVERSATION,
        ConversationState(platform=request.platform, chat=request.chat, thread=request.thread),
        start_signal="message",
        start_signal_args=[request],
        **start_options(request.platform, request.chat, request.thread, request.sender),
    )
    return conversation_id(request.platform, request.chat, request.thread)


async def result_of(client: Client, platform: str, chat: str, message: str) -> VoiceMessageResult:
    """Wait for a message's turn, which its conversation starts in a moment, or when the turns before it allow.

    What the conversation refuses never has one: cancel the call to wait no longer.

    Raises:
        temporalio.client.WorkflowFailureError: the turn was lost, or cancelled from outside.
        temporalio.service.RPCError: the server cannot be asked.

    """
    turn: WorkflowHandle[object, VoiceMessageResult] = client.get_workflow_handle(
        voice_message_id(platform, chat, message), result_type=VoiceMessageResult
    )
    while True:
        try:
            return await turn.result()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        await asyncio.sleep(BEGUN_POLL_SECONDS)


def start_options(platform: str, chat: str, thread: str | None, sender: str = "") -> Mapping[str, Any]:
    """Say how a chat's conversation is started, should there be none: the same whoever reaches it first."""
    key = chat_key(platform, chat)
    return {
        "id": conversation_id(platform, chat, thread),
        "task_queue": WORKFLOW_QUEUE,
        "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
        "priority": Priority(priority_key=LIVE, fairness_key=key[:64]),
        "search_attributes": TypedSearchAttributes(
            [SearchAttributePair(PLATFORM, platform), SearchAttributePair(CHAT, key)]
        ),
        "static_summary": f"{platform} chat with {sender or chat}",
    }
