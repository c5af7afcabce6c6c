"""From a platform's message to its Conversation: one call, and the message is safe."""

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
    chat = chat_key(request.platform, request.chat)
    workflow_id = conversation_id(request.platform, request.chat, request.thread)
    await client.start_workflow(
        CONVERSATION,
        ConversationState(platform=request.platform, chat=request.chat, thread=request.thread),
        id=workflow_id,
        task_queue=WORKFLOW_QUEUE,
        start_signal="message",
        start_signal_args=[request],
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        priority=Priority(priority_key=LIVE, fairness_key=chat[:64]),
        search_attributes=TypedSearchAttributes(
            [SearchAttributePair(PLATFORM, request.platform), SearchAttributePair(CHAT, chat)]
        ),
        static_summary=f"{request.platform} chat with {request.sender or request.chat}",
    )
    return workflow_id
