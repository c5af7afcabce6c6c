"""``june bench endurance``: one long conversation without engines; neither its turns nor its histories may grow.

A conversation's thousandth turn is compared with the tenth of new chats at the same time: a machine that has others
to serve meanwhile, or a server that has filled its caches, is slower for both.
"""

import statistics
from collections.abc import Callable

from pydantic import BaseModel

from activities.blobs import BlobStore
from workers.bench.caller import PLATFORM, Caller
from workers.bench.stack import measured_stack
from workers.local.session import QUESTION
from workers.local.stack import Embedded
from workflows.names import conversation_id
from workflows.voice.contracts import ChatSettings

Log = Callable[[str], None]

AROUND = 10
"""Turns whose median stands for one of them: turns 6 to 15 for the tenth."""
BEFORE = 5
CHATS = 4
"""New chats that are measured beside the end of the long one."""


class Endurance(BaseModel):
    """What ``june bench endurance --json`` prints."""

    turns: int
    first_ms: float
    """Median of turns 6 to 15, on a server that has done nothing else: message in until the reply activity starts."""
    early_ms: float
    """Median of turns 6 to 15 of new chats, each held just before one of the long conversation's last turns."""
    late_ms: float
    """Median of those last turns."""
    ratio_late_to_early: float
    """What the length of a conversation costs; the machine and its server are the same for both."""
    runs: int
    """How often the conversation continued as new, plus one."""
    most_events: int
    """Longest history of the conversation's runs; the server's limit is 51,200 events."""
    most_bytes: int
    """Largest history of the conversation's runs; the server's limit is 50 MB."""


async def bench_endurance(turns: int, log: Log) -> Endurance:
    """Measure a conversation of ``turns`` turns.

    Raises:
        JuneError: the stack could not be started.

    """
    async with measured_stack(engines=False) as stack:
        long = await _open(stack)
        times = []
        for number in range(1, turns - CHATS * AROUND + 1):
            times.append(await _started(long))
            if number % 100 == 0:
                log(f"{number} turns: {statistics.median(times[-100:]):.0f} ms")
        early, late = [], []  # the tenth turn or so of new chats alternates with the long conversation's last
        for _ in range(CHATS):
            new = await _open(stack)
            for _ in range(BEFORE):
                await _started(new)
            for _ in range(AROUND):
                early.append(await _started(new))
                late.append(await _started(long))
        listed = stack.client.list_workflows(f'WorkflowId = "{conversation_id(PLATFORM, long.chat)}"')
        handles = [stack.client.get_workflow_handle(run.id, run_id=run.run_id) async for run in listed]
        runs = [await handle.describe() for handle in handles]
    early_ms, late_ms = statistics.median(early), statistics.median(late)
    return Endurance(
        turns=turns,
        first_ms=round(statistics.median(times[BEFORE : BEFORE + AROUND]), 1),
        early_ms=round(early_ms, 1),
        late_ms=round(late_ms, 1),
        ratio_late_to_early=round(late_ms / early_ms, 2),
        runs=len(runs),
        most_events=max(run.history_length for run in runs),
        most_bytes=max(run.raw_info.history_size_bytes for run in runs),
    )


async def _open(stack: Embedded) -> Caller:
    caller = Caller(stack.client, BlobStore.open(str(stack.home / "blobs")))
    await caller.open(ChatSettings())
    return caller


async def _started(caller: Caller) -> float:
    """Do a turn; return the milliseconds until its reply activity started."""
    return (await caller.turn(QUESTION.read_bytes())).started
