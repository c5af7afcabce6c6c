"""``june bench footprint``: time until ready, memory and idle load of the stack, and memory over many turns."""

import asyncio
import time
from collections.abc import Callable, Iterable

import psutil
from pydantic import BaseModel

from activities.blobs import BlobStore
from workers.bench.caller import Caller
from workers.bench.stack import measured_stack
from workers.local.session import QUESTION
from workers.local.stack import Embedded
from workers.roles.role import Role
from workflows.voice.contracts import ChatSettings

Log = Callable[[str], None]

SETTLE_SECONDS = 5.0
IDLE_SECONDS = 20.0
EARLY_TURNS = 10
MB = 1_000_000


class Footprint(BaseModel):
    """What ``june bench footprint --json`` prints."""

    ready_seconds: float
    idle_mb: dict[str, float]
    """Resident megabytes by process, its children included."""
    idle_mb_total: float
    idle_cpu_percent: float
    """Of one core, all processes together."""
    turns: int
    growth: dict[str, float]
    """Resident memory after the last turn over that after the tenth, by process."""
    growth_most: float


async def bench_footprint(turns: int, log: Log) -> Footprint:
    """Measure the stack with real engines: idle, and over ``turns`` turns.

    Raises:
        JuneError: the stack could not be started.

    """
    started = time.monotonic()
    async with measured_stack(engines=True, optional=[Role.WEB, Role.TESTS]) as stack:
        ready = time.monotonic() - started
        log(f"ready after {ready:.1f} s")
        await asyncio.sleep(SETTLE_SECONDS)
        idle = _memory(stack)
        busy = _busy(stack.pids.values())
        await asyncio.sleep(IDLE_SECONDS)
        load = 100 * (_busy(stack.pids.values()) - busy) / IDLE_SECONDS
        growth = await _growth(stack, turns, log)
    return Footprint(
        ready_seconds=round(ready, 1),
        idle_mb=idle,
        idle_mb_total=round(sum(idle.values())),
        idle_cpu_percent=round(load, 1),
        turns=turns,
        growth=growth,
        growth_most=max(growth.values()),
    )


async def _growth(stack: Embedded, turns: int, log: Log) -> dict[str, float]:
    """Return the memory after the last turn over that after the tenth, by process."""
    caller = Caller(stack.client, BlobStore.open(str(stack.home / "blobs")))
    await caller.open(ChatSettings())
    audio, early = QUESTION.read_bytes(), {}
    for number in range(1, max(turns, EARLY_TURNS + 1) + 1):
        await caller.turn(audio)
        if number == EARLY_TURNS:
            early = _memory(stack)
        if number % EARLY_TURNS == 0:
            log(f"{number} turns: {sum(_memory(stack).values()):.0f} MB")
    late = _memory(stack)
    return {name: round(late[name] / early[name], 3) for name in early if name in late}


def _memory(stack: Embedded) -> dict[str, float]:
    """Return the resident megabytes by process, children included."""
    resident = {name: sum(p.memory_info().rss for p in _family(pid)) for name, pid in stack.pids.items()}
    return {name: round(size / MB, 1) for name, size in resident.items()}


def _busy(pids: Iterable[int]) -> float:
    """Return the seconds of processor time that processes and their children have used."""
    times = [process.cpu_times() for pid in pids for process in _family(pid)]
    return sum(spent.user + spent.system for spent in times)


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
