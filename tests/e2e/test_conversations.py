"""Conversations over the whole stack, engines doing nothing: nothing lost, nothing twice, histories small for ever."""

import os
import signal
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from temporalio.client import WorkflowExecution, WorkflowHistory

from tests.support.audio_samples import tone, wav
from tests.support.chat import Chat, activities_of
from tests.support.encryption import opened_history
from tests.support.payloads import payloads_of
from tests.support.waiting import until
from workers.local.stack import Embedded
from workflows.voice.conversation import Conversation

pytestmark = pytest.mark.e2e

AUDIO = wav(tone(1))
TURNS = 100
"""More than one run of a conversation answers."""
MAX_EVENTS = 5_000
MAX_HISTORY_BYTES = 2 << 20
MAX_PAYLOAD_BYTES = 20_000
MARKS = tuple(mark for magic in (b"OggS", b"RIFF", b"fLaC") for mark in (magic, b64encode(magic)[:5]))
"""How audio files begin, as they are and in base64."""


@dataclass(frozen=True)
class Long:
    """A long conversation, and its messages in order."""

    chat: Chat
    messages: list[str]


@pytest.fixture(scope="module")
async def long(idle: Embedded) -> Long:
    chat = Chat(idle)
    await chat.open()
    messages = []

    async def at_rest() -> bool:
        return not await chat.conversation.query(Conversation.queue)

    for _ in range(TURNS):
        message = await chat.send(AUDIO)
        assert (await chat.result(message)).status == "answered"
        await until(at_rest)  # or the next message might come before the news of this turn's end, and be queued
        messages.append(message)
    return Long(chat, messages)


@pytest.fixture(scope="module")
async def runs(idle: Embedded, long: Long) -> list[WorkflowExecution]:
    """All runs of the long conversation."""
    found: list[WorkflowExecution] = []

    async def all_there() -> bool:
        query = f'WorkflowId = "{long.chat.conversation.id}"'
        found[:] = [execution async for execution in idle.client.list_workflows(query)]
        return len(found) > 1

    await until(all_there, 10)
    return found


async def test_no_history_grows_large(idle: Embedded, runs: list[WorkflowExecution]) -> None:
    described = [await idle.client.get_workflow_handle(run.id, run_id=run.run_id).describe() for run in runs]
    assert max(each.history_length for each in described) < MAX_EVENTS
    sizes = [each.raw_description.workflow_execution_info.history_size_bytes for each in described]
    assert 0 < max(sizes) < MAX_HISTORY_BYTES


async def test_a_late_turn_costs_no_more_than_an_early_one(long: Long) -> None:
    histories = [await opened_history(long.chat.turn(long.messages[turn - 1])) for turn in (50, TURNS)]
    early = await opened_history(long.chat.turn(long.messages[9]))
    assert [len(history.events) for history in histories] == [len(early.events)] * 2
    # By then the memory is as full as it gets: the prompt is of one size for ever.
    prompts = [sum(len(ran.input) for ran in activities_of(history) if ran.name == "infer") for history in histories]
    assert prompts[1] < 1.5 * prompts[0] + 1000


async def test_memory_is_bounded(long: Long) -> None:
    memory = await long.chat.conversation.query(Conversation.history)
    assert 0 < len(memory.window) <= 24
    assert len(memory.summary) <= 1200


async def test_no_history_holds_audio(idle: Embedded, long: Long) -> None:
    seen = 0
    async for history in histories(idle):
        for event in history.events:
            text = event.SerializeToString()
            assert not [mark for mark in MARKS if mark in text]
            for payload in payloads_of(event):
                seen += 1
                assert len(payload.data) < MAX_PAYLOAD_BYTES
    assert seen > 10 * TURNS


async def histories(stack: Embedded) -> AsyncIterator[WorkflowHistory]:
    """Read the history of every workflow that the stack has run."""
    async for execution in stack.client.list_workflows():
        yield await opened_history(stack.client.get_workflow_handle(execution.id, run_id=execution.run_id))


async def test_the_same_message_twice_is_answered_once(idle: Embedded) -> None:
    chat = Chat(idle)
    for _ in range(2):
        await chat.send(AUDIO, "twice")
    await chat.result("twice")
    await chat.send(AUDIO, "twice")
    await chat.result(await chat.send(AUDIO, "other"))
    assert chat.replies == ["other.ogg", "other.txt", "twice.ogg", "twice.txt"]
    await until(remembers(chat, 2), 10)
    history = await opened_history(chat.conversation)
    started = [
        event for event in history.events if event.HasField("start_child_workflow_execution_initiated_event_attributes")
    ]
    assert len(started) == 2


async def test_a_message_is_safe_while_no_worker_lives(idle: Embedded) -> None:
    chat = Chat(idle)
    before = {name: pid for name, pid in idle.pids.items() if name.startswith("worker-")}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    async def gone() -> bool:
        return not set(before.values()) & set(idle.pids.values())

    await until(gone, 10)
    message = await chat.send(AUDIO)
    assert (await chat.result(message)).status == "answered"
    assert chat.replies == [f"{message}.ogg", f"{message}.txt"]
    await until(idle.ready)


def remembers(chat: Chat, turns: int) -> Callable[[], Awaitable[bool]]:
    """Make the question whether the conversation remembers so many turns; it learns of an end after the user."""

    async def asked() -> bool:
        return len((await chat.conversation.query(Conversation.history)).window) == turns

    return asked
