"""A platform's message, the one call that stores it in its Conversation, and the wait for the end of its turn."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.propagate import inject
from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.values import AudioSource
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
from workflows.voice.contracts import (
    MAX_QUOTED_CHARS,
    ConversationState,
    Limits,
    Stop,
    VoiceMessageRequest,
    VoiceMessageResult,
)

BEGUN_POLL_SECONDS = 0.05
MAX_TEXT_CHARS = 8000
ATTACHMENTS = {
    "photo": "A photo",
    "sticker": "A sticker",
    "animation": "An animated picture",
    "video": "A video",
    "file": "A file",
    "location": "A location",
    "contact": "A contact",
    "poll": "A poll",
}
"""Kinds of what june cannot take, as the model is told of one beside a text; any other kind is told as a file."""


@dataclass(frozen=True)
class InboundMessage:
    """A message, the same for every platform. A command is a text that begins with a slash."""

    platform: str
    chat: str
    message: str
    """The platform's id of it, unique in the chat."""
    user: str
    """The platform's id of the sender."""
    sender: str = ""
    """Display name."""
    thread: str | None = None
    language: str | None = None
    """Of the sender's client, as ISO 639-1 (``de``, ``de-AT``)."""
    group: str | None = None
    """What the allow-list calls this group or channel; None in private."""
    places: tuple[str, ...] = ()
    """Where in the group, the narrowest first: what the allow-list may name as well (a channel, the one around it)."""
    addressed: bool = True
    """Meant for june: in private, by mention, as a reply, or by a command of the platform's own."""
    audio: AudioSource | None = None
    audio_seconds: float | None = None
    """Duration as the sender's client claims it: refused early when too long, never trusted otherwise."""
    text: str | None = None
    """Beside a recording: what is wanted of that. Of a picture or a file: its caption."""
    attachment: str | None = None
    """Kind of what the message holds besides, and june cannot take: one of ``ATTACHMENTS``, or another word."""
    quoted: str | None = None
    """Text of the message that this one replies to."""
    about: str | None = None
    """User that a message replied to is from: whom an owner's command means."""
    about_name: str | None = None
    """Display name of that user."""
    group_name: str | None = None
    """Title of the group, or of the server that a channel is in."""
    place_name: str | None = None
    """Title of the narrowest of ``places``."""
    may_continue: bool = False
    """A text as long as the platform lets one be: what the same person writes within a second may be its rest."""
    continues: bool = False
    """It belongs to what the same person wrote right before."""
    interrupts: Stop | None = None
    """Said over june's answer: that is stopped, as are the messages that wait."""
    awaited: bool = False
    """The sender is shown june's word to this very message (the page, a platform's menu), or waits for ever."""


def request_of(
    inbound: InboundMessage, limits: Limits, *, accompanied: bool, signal_sentences: bool
) -> VoiceMessageRequest:
    """Build what the conversation is signalled of a message, cut to size, with the running trace.

    Args:
        inbound: the message.
        limits: the chat's.
        accompanied: the platform serves the activity ``accompany``.
        signal_sentences: the platform shows sentences while the model writes, by asking the turn for them.

    """
    carrier: dict[str, str] = {}
    inject(carrier)
    return VoiceMessageRequest(
        platform=inbound.platform,
        chat=inbound.chat,
        thread=inbound.thread,
        message=inbound.message,
        user=inbound.user,
        sender=inbound.sender[:120],
        shared=inbound.group is not None,
        language=(inbound.language or "")[:2].lower() or None,
        audio=inbound.audio,
        text=None if inbound.audio else _said(inbound, MAX_TEXT_CHARS),
        quoted=(inbound.quoted or "")[:MAX_QUOTED_CHARS] or None,
        remark=(_said(inbound, MAX_QUOTED_CHARS) or None) if inbound.audio else None,
        may_continue=inbound.may_continue,
        continues=inbound.continues,
        interrupts=inbound.interrupts,
        trace=carrier,
        accompanied=accompanied,
        signal_sentences=signal_sentences,
        limits=limits,
    )


def _said(inbound: InboundMessage, most: int) -> str:
    """Return the text cut to size, with what lies beside it named, lest the model speak as if it had seen that."""
    text = inbound.text or ""
    if inbound.attachment is None:
        return text[:most]
    unseen = f"({ATTACHMENTS.get(inbound.attachment, ATTACHMENTS['file'])} was attached, which you cannot see.)"
    return f"{text[: most - len(unseen) - 1]}\n{unseen}".lstrip()


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
    """Return how a chat's conversation is started when there is none: the same whoever reaches it first."""
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
