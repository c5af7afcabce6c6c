"""Chats of benchmarks on platform ``file``, with engines scripted, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import ActivityType
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import (
    ActivityTaskCompletedEventAttributes,
    ActivityTaskScheduledEventAttributes,
    HistoryEvent,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.platforms.file import Outbox
from tests.support.world import World, refuse, running
from workers.clients import talk as module
from workers.clients.talk import FileTalk, delivered
from workflows.names import conversation_id


@pytest.fixture
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


@pytest.fixture
async def world(client: Client) -> AsyncIterator[World]:
    """Workers for all queues of a turn on platform ``file``."""
    async with running(client, World(), platform="file") as world:
        yield world


@pytest.fixture
def talk(client: Client, tmp_path: Path) -> FileTalk:
    return FileTalk(client, BlobStore.open(tmp_path / "blobs"), Outbox(tmp_path / "outbox"))


async def test_a_message_is_answered_once_though_it_is_handed_over_twice(
    world: World, talk: FileTalk, client: Client, tmp_path: Path
) -> None:
    chat = f"bench-{uuid4().hex}"
    await talk.open(chat)
    await talk.open(chat)  # a try before may have begun it
    for _ in range(2):
        await talk.say(chat, "m0", b"a recording")
    result = await talk.result(chat, "m0")
    assert result.answered
    assert {"transcribe", "infer"} <= set(result.milliseconds)
    assert await talk.replies(chat, "m0") == 1
    heard = world.asked("fetch")
    assert [request.source.locator.startswith("blob:") for request in heard] == [True]
    assert list((tmp_path / "blobs" / "file").rglob("*.upload"))
    await talk.forget(chat)
    await talk.forget(chat)
    assert not list((tmp_path / "blobs").rglob("*.upload"))
    description = await client.get_workflow_handle(conversation_id("file", chat)).describe()
    assert description.status is WorkflowExecutionStatus.TERMINATED


async def test_a_turn_that_is_refused_is_no_answer(world: World, talk: FileTalk) -> None:
    world.behaviours["transcribe"] = refuse(ErrorCode.NO_SPEECH)
    chat = f"bench-{uuid4().hex}"
    await talk.open(chat)
    await talk.say(chat, "m0", b"silence")
    assert not (await talk.result(chat, "m0")).answered
    await talk.forget(chat)


async def test_a_chat_that_never_began_is_forgotten(talk: FileTalk) -> None:
    await talk.forget(f"bench-{uuid4().hex}")


async def test_a_server_that_is_away_is_asked_again(talk: FileTalk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def away(_client: Client, request: object) -> None:
        asked.append("again")
        if len(asked) < 3:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    monkeypatch.setattr(module, "accept", away)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    await asyncio.wait_for(talk.say("bench-away", "m0", b"a recording"), 5)
    assert len(asked) == 3


def scheduled(number: int, name: str) -> HistoryEvent:
    """Record that an activity was begun."""
    return HistoryEvent(
        event_id=number,
        event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        activity_task_scheduled_event_attributes=ActivityTaskScheduledEventAttributes(
            activity_type=ActivityType(name=name)
        ),
    )


def completed(of: int) -> HistoryEvent:
    """Record that it was completed."""
    return HistoryEvent(
        event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        activity_task_completed_event_attributes=ActivityTaskCompletedEventAttributes(scheduled_event_id=of),
    )


def test_replies_that_have_completed_are_counted() -> None:
    events = [scheduled(1, "infer"), completed(1), scheduled(2, "reply"), scheduled(3, "reply"), completed(3)]
    assert delivered(events) == 1
    assert delivered([*events, completed(2)]) == 2
