"""``june bench endurance``: one long conversation without engines; its cost and its histories must not grow."""

import statistics
from collections.abc import AsyncIterator, Callable

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecution

from activities.blobs import BlobStore
from workers.bench.caller import PLATFORM, Caller
from workers.bench.stack import measured_stack
from workers.conversing import QUESTION
from workflows.contracts import ChatSettings, conversation_id

Say = Callable[[str], None]

AROUND = 10
"""Turns whose median stands for one of them."""


class Endurance(BaseModel):
    """What ``june bench endurance --json`` prints."""

    turns: int
    early_ms: float
    """Median of turns 6 to 15: message in until the reply activity starts."""
    late_ms: float
    """Median of the last ten."""
    ratio_late_to_early: float
    runs: int
    """How often the conversation continued as new, plus one."""
    most_events: int
    """Longest history of the conversation's runs; the server's limit is 51,200 events."""
    most_bytes: int
    """Largest history of the conversation's runs; the server's limit is 50 MB."""


async def bench_endurance(turns: int, say: Say) -> Endurance:
    """Hold a conversation of so many turns.

    Raises:
        JuneError: the stack could not be started.

    """
    audio = QUESTION.read_bytes()
    async with measured_stack(engines=False) as stack:
        caller = Caller(stack.client, BlobStore.open(str(stack.home / "blobs")))
        await caller.open(ChatSettings())
        times = []
        for number in range(1, turns + 1):
            times.append((await caller.turn(audio)).started)
            if number % 100 == 0:
                say(f"{number} turns: {statistics.median(times[-100:]):.0f} ms")
        runs = [run async for run in _runs(stack.client, caller.chat)]
    early, late = statistics.median(times[5 : 5 + AROUND]), statistics.median(times[-AROUND:])
    return Endurance(
        turns=turns,
        early_ms=round(early, 1),
        late_ms=round(late, 1),
        ratio_late_to_early=round(late / early, 2),
        runs=len(runs),
        most_events=max(run.history_length for run in runs),
        most_bytes=max(run.raw_info.history_size_bytes for run in runs),
    )


async def _runs(client: Client, chat: str) -> AsyncIterator[WorkflowExecution]:
    workflow_id = conversation_id(PLATFORM, chat)
    async for run in client.list_workflows(f'WorkflowId = "{workflow_id}"'):
        yield await client.get_workflow_handle(run.id, run_id=run.run_id).describe()
