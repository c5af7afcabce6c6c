"""``june bench summary``: what a conversation's own summary costs the turns around it."""

import asyncio
import statistics
import time
from collections.abc import Callable

from pydantic import BaseModel

from activities.blobs import BlobStore
from workers.bench.caller import PLATFORM, Caller
from workers.bench.stack import measured_stack
from workers.errors import JuneError
from workers.local.session import QUESTION
from workers.local.stack import Embedded
from workflows.names import conversation_id
from workflows.voice.contracts import ChatSettings, Exchange, Memory
from workflows.voice.memory import WINDOW_TURNS

Log = Callable[[str], None]

PAUSE_SECONDS = 2.0
"""Between an answer and the next message: long enough for a summary to begin, and not to end."""
SUMMARY_SECONDS = 300.0
SETTLE_SECONDS = 10.0
"""After a summary, for the model server to read it."""
ANSWER = (
    "That is a good question. It depends on where you live and how much time you have, but most people begin with "
    "a small step and see what comes of it."
)


class SummaryFigures(BaseModel):
    """What ``june bench summary --json`` prints: medians, message in until the reply was delivered."""

    without_ms: float
    """A turn of a chat that needs no summary."""
    due_ms: float
    """The turn just after that which made a summary due."""
    after_ms: float
    """The first turn after the summary came, all of whose prompt is new."""
    worst_due_ms: float
    summary_seconds: float
    """From the end of the turn after that which made it due until the summary came."""


async def bench_summary(rounds: int, log: Log) -> SummaryFigures:
    """Measure ``rounds`` chats that need a summary, each beside one that needs none.

    Raises:
        JuneError: the stack could not be started, a turn failed, or a summary did not come.

    """
    without, due, after, waited = list[float](), list[float](), list[float](), list[float]()
    async with measured_stack(engines=True) as stack:
        for _ in range(rounds):
            chat = await _open(stack, WINDOW_TURNS // 2)
            await _turn(chat)
            await asyncio.sleep(PAUSE_SECONDS)
            without.append(await _turn(chat))
            chat = await _open(stack, WINDOW_TURNS)
            await _turn(chat)
            await asyncio.sleep(PAUSE_SECONDS)
            due.append(await _turn(chat))
            waited.append(await _summary(stack, chat))
            await asyncio.sleep(SETTLE_SECONDS)
            after.append(await _turn(chat))
            log(f"without {without[-1]:.0f} ms, due {due[-1]:.0f} ms, after {waited[-1]:.0f} s {after[-1]:.0f} ms")
    return SummaryFigures(
        without_ms=round(statistics.median(without)),
        due_ms=round(statistics.median(due)),
        after_ms=round(statistics.median(after)),
        worst_due_ms=round(max(due)),
        summary_seconds=round(statistics.median(waited), 1),
    )


async def _open(stack: Embedded, turns: int) -> Caller:
    """Open a chat that remembers so many turns."""
    caller = Caller(stack.client, BlobStore.open(str(stack.home / "blobs")))
    window = tuple(Exchange(user=f"And what about step number {number}?", assistant=ANSWER) for number in range(turns))
    await caller.open(ChatSettings(temperature=0), Memory(window=window))
    return caller


async def _turn(chat: Caller) -> float:
    timing = await chat.turn(QUESTION.read_bytes())
    if timing.result.error:
        raise JuneError(f"A turn of the benchmark failed: {timing.result.error}.")
    return timing.ended


async def _summary(stack: Embedded, chat: Caller) -> float:
    """Wait until the chat has a summary; return the seconds."""
    conversation = stack.client.get_workflow_handle(conversation_id(PLATFORM, chat.chat))
    started = time.monotonic()
    while not (await conversation.query("history", result_type=Memory)).summary:
        if time.monotonic() - started > SUMMARY_SECONDS:
            raise JuneError(f"The benchmark's chat had no summary after {SUMMARY_SECONDS:.0f} s.")
        await asyncio.sleep(0.2)
    return time.monotonic() - started
