"""Measure a spoken turn that is asked while the coding agent works: ``python -m tests.e2e.turn_beside_code``.

Real engines and the default model, all on this machine. Turns alternate: one while nothing else goes on, and one that
is sent four seconds into a model call of the agent, whose own seconds are printed as well: no turn waits longer.
"""

# ruff: noqa: T201 - the table is its output

import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from tests.workers.conftest import prepared_home
from workers.clients.coding import cancel, follow, start_task
from workers.local.free_ports import own_ports
from workers.local.session import QUESTION, Session, talk
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import LlmSettings
from workflows.coding.contracts import CodingRequest, CodingStage

PAIRS = 3
TASK = "Write chess.py, which lists the moves of every chess piece on an empty board, and tests for each piece."
INTO_A_CALL_SECONDS = 4
QUIET_SECONDS = 10
"""After a turn; no call of the agent's begins in the first two of them."""


async def first_call(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until the agent's first model call has been under way for a while."""
    async for news in follow(handle):
        if news.status and news.status.stage is CodingStage.THINK:
            await asyncio.sleep(INTO_A_CALL_SECONDS)
            return


async def seconds_of_first_call(handle: WorkflowHandle[Any, Any]) -> float:
    """Wait until it has ended; return how long it took."""
    async for news in follow(handle):
        if called := [line for line in news.lines if line.step and line.seconds]:
            return called[0].seconds
    raise RuntimeError("the task ended without a step")


async def measure() -> None:
    """Alternate turns without and with the agent beside them; print the times, and their medians."""
    with tempfile.TemporaryDirectory() as temporary:
        storage, llm = prepared_home(Path(temporary) / "home"), LlmSettings(context_tokens=8192)
        async with Embedded(storage, own_ports(), llm, optional=[Role.SANDBOX]) as stack:
            session, alone, beside = Session.of(stack), [], []
            await talk(session, QUESTION, "first", storage.home / "reply.ogg")
            for number in range(PAIRS):
                report = await talk(session, QUESTION, f"alone-{number}", storage.home / "reply.ogg")
                alone.append(report.ms["total"])
                await asyncio.sleep(QUIET_SECONDS)
                handle = await start_task(stack.client, CodingRequest(task=TASK, seed=number), f"task-{number}")
                await first_call(handle)
                report = await talk(session, QUESTION, f"beside-{number}", storage.home / "reply.ogg")
                beside.append(report.ms["total"])
                call = await seconds_of_first_call(handle)
                await cancel(handle)
                print(f"alone {alone[-1]:,} ms, beside {beside[-1]:,} ms, the agent's call {call * 1000:,.0f} ms")
            print(f"medians: {statistics.median(alone):,.0f} and {statistics.median(beside):,.0f} ms")


if __name__ == "__main__":
    asyncio.run(measure())
