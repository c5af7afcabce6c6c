"""``kill -9`` of each process in each stage of a turn: the same turn completes, with one reply.

The process that holds the stage is stopped (SIGSTOP) before the stage's task comes, so that the turn certainly is in
that stage when the blow falls, whatever the machine's speed.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import pairwise

import psutil
import pytest
from temporalio.api.enums.v1 import PendingActivityState

from tests.support.audio_samples import tone, wav
from tests.support.chat import Chat, activities_of, eventually
from tests.support.encryption import opened_history
from tests.support.waiting import until
from workers.local import supervisor
from workers.local.stack import Embedded
from workflows.voice.conversation import Conversation

pytestmark = pytest.mark.e2e

HOLDERS = {
    "fetch": "worker-file",
    "transcribe": "worker-gpu",
    "infer": "worker-gpu",
    "synthesize": "worker-cpu",
    "reply": "worker-file",
}
"""Which process runs a stage's activity; stages in their order."""
STAGES = list(HOLDERS)
PROCESSES = ("worker-workflows", "worker-gpu", "worker-cpu", "worker-file", "temporal")
AUDIO = wav(tone(1))
STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED


@pytest.fixture(scope="module")
async def stack(idle: Embedded) -> AsyncIterator[Embedded]:
    """A stack whose supervisor does not wait longer for each death: here they are all on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervisor, "STABLE_SECONDS", 0)
        yield idle


@pytest.fixture
async def chat(stack: Embedded) -> AsyncIterator[Chat]:
    """A new chat on a stack of which every process is well, before and after."""
    await until(stack.ready)
    yield Chat(stack)
    for name in PROCESSES:
        with suppress(KeyError):
            thaw(stack, name)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", PROCESSES)
async def test_a_killed_process_costs_nothing(stack: Embedded, chat: Chat, name: str, stage: str) -> None:
    message, held = await hold_in(stack, chat, stage)
    offspring = psutil.Process(stack.pids[name]).children(recursive=True)
    await kill(stack, name)
    if name != HOLDERS[stage]:
        thaw(stack, HOLDERS[stage])
    await until(stack.ready)
    result = await chat.result(message)
    assert (result.status, result.error) == ("answered", None)
    ran = {activity.name: activity for activity in activities_of(await opened_history(chat.turn(message)))}
    before = STAGES[: STAGES.index(stage)]
    assert {done: ran[done].attempt for done in before} == dict.fromkeys(before, 1), "finished stages ran once"
    if name == HOLDERS[stage] and held:
        assert ran[stage].attempt == 2, "what was lost with its worker was tried again"
    # What has ended may be a zombie for a while: how soon the container's first process reaps it is not june's matter.
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in offspring)
    await one_reply(chat, message)


async def one_reply(chat: Chat, message: str) -> None:
    """See that nothing was done twice, as far as anybody can tell."""
    activities = activities_of(await opened_history(chat.turn(message)))
    assert Counter(activity.name for activity in activities) == dict.fromkeys(STAGES, 1)
    assert all(activity.completed == 1 for activity in activities)
    assert chat.replies == [f"{message}.ogg", f"{message}.txt"]

    async def remembered() -> bool:
        return len((await chat.conversation.query(Conversation.history)).window) == 1

    await until(remembered)


async def hold_in(stack: Embedded, chat: Chat, stage: str) -> tuple[str, bool]:
    """Send a message, and hold its turn in a stage; tell whether the stage's worker already has the task."""
    freeze(stack, HOLDERS["fetch"])
    message = await chat.send(AUDIO)
    for now, after in pairwise(STAGES[: STAGES.index(stage) + 1]):
        await handed_over(chat, message, now)
        # No stage follows while no workflow is run, so that the next one's worker is stopped in time.
        freeze(stack, "worker-workflows")
        thaw(stack, HOLDERS[now])
        await until(lambda: ended(chat, message))
        freeze(stack, HOLDERS[after])
        thaw(stack, "worker-workflows")
    return message, await handed_over(chat, message, stage)


async def pending(chat: Chat, message: str) -> dict[str, bool]:
    """Tell which activities run, and whether a worker has them."""
    description = await eventually(chat.turn(message).describe)
    tasks = description.raw_description.pending_activities
    return {task.activity_type.name: task.state == STARTED for task in tasks}


async def ended(chat: Chat, message: str) -> bool:
    return not await pending(chat, message)


async def handed_over(chat: Chat, message: str, stage: str) -> bool:
    """Wait until the stage's task is with its worker; a stopped worker that was not asking never gets it."""
    await until(lambda: includes(chat, message, stage), 20)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        if (await pending(chat, message))[stage]:
            return True
        await asyncio.sleep(0.02)
    return False


async def includes(chat: Chat, message: str, stage: str) -> bool:
    return stage in await pending(chat, message)


def freeze(stack: Embedded, name: str) -> None:
    os.kill(stack.pids[name], signal.SIGSTOP)


def thaw(stack: Embedded, name: str) -> None:
    os.kill(stack.pids[name], signal.SIGCONT)


async def kill(stack: Embedded, name: str) -> None:
    """Kill a process, and wait until another is in its place."""
    pid = stack.pids[name]
    os.kill(pid, signal.SIGKILL)

    async def replaced() -> bool:
        return stack.pids.get(name, pid) != pid

    await until(replaced, 20)
