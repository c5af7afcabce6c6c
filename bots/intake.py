"""From a platform's message to its Conversation: one call, and the message is safe."""

from collections.abc import Mapping
from typing import Any

from temporalio.client import Client
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy

from workflows.contracts import (
    CHAT,
    CONVERSATION,
    LIVE,
    PLATFORM,
    WORKFLOW_QUEUE,
    ConversationState,
    VoiceMessageRequest,
    chat_key,
    conversation_id,
)


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
