"""Measure turns: chats that speak to june at once, as a benchmark's one attempt."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from temporalio import activity

from activities.benchmarks.artefacts import identifier
from activities.benchmarks.attempts import Attempt, AttemptOutcome, attempt_seed
from activities.benchmarks.figures import PERCENTILES, stage_figures
from activities.benchmarks.statistics import percentile
from activities.heartbeats import heartbeats
from activities.speech.clips import SHIPPED, ClipsError, read_set
from activities.speech.options import OptionsError, TurnOptions, options_of
from activities.speech.requests import MeasureRequest

NAME_CHARS = 60
RUN_CHARS = 8
"""Of a workflow run's id: a run of a name that was there before has chats of its own."""


class TurnTimes(NamedTuple):
    """What became of one message."""

    answered: bool
    """With a result that is an answer; else it failed, and the person was told."""
    milliseconds: Mapping[str, float]
    """By stage."""


class Talk(Protocol):
    """Chats of june."""

    async def open(self, chat: str) -> None:
        """Begin a chat."""

    async def say(self, chat: str, message: str, audio: bytes) -> None:
        """Hand a message over; return when it is durable."""

    async def result(self, chat: str, message: str) -> TurnTimes:
        """Wait for the end of a message's turn."""

    async def replies(self, chat: str, message: str) -> int:
        """Return how many replies were delivered."""

    async def forget(self, chat: str) -> None:
        """End a chat; delete what june holds of it but its histories."""


class TurnsActivity:
    """The activity ``measure_turns``, of the worker that has a client."""

    def __init__(self, talk: Talk) -> None:
        """Talk by these means."""
        self._talk = talk

    @activity.defn
    async def measure_turns(self, request: MeasureRequest) -> Attempt:
        """Have chats speak to june; return figures of all their turns.

        An attempt that is tried again begins anew, with other chats.
        """
        pinned, info = request.pinned, activity.info()
        try:
            options = options_of(pinned.mode, pinned.options)
            if not isinstance(options, TurnOptions):
                return request.unmeasured(f"The mode {pinned.mode.value} has no turns.")
            notes = await asyncio.to_thread(_notes, options.language)
        except (OptionsError, ClipsError) as error:
            return request.unmeasured(str(error))
        name = identifier(f"bench-{pinned.run[:NAME_CHARS]}-{(info.workflow_run_id or '')[:RUN_CHARS]}-{info.attempt}")
        chats = [f"{name}-{number}" for number in range(options.chats)]
        seed = attempt_seed(pinned.seed, request.task, request.sample)
        async with heartbeats():
            try:
                await asyncio.gather(*map(self._talk.open, chats))
                figures = await self._run(chats, notes, options, seed)
            finally:
                await asyncio.gather(*map(self._talk.forget, chats), return_exceptions=True)
        answered = int(figures["turns.answered"])
        return Attempt(
            task=request.task,
            sample=request.sample,
            outcome=AttemptOutcome.MEASURED if answered else AttemptOutcome.UNMEASURED,
            why="" if answered else "No message was answered.",
            figures=figures,
        )

    async def _run(
        self, chats: Sequence[str], notes: Sequence[bytes], options: TurnOptions, seed: int
    ) -> dict[str, float]:
        said = [(chat, f"m{number}") for number in range(options.messages) for chat in chats]
        outcomes: dict[tuple[str, str], TurnTimes | None] = {}

        async def one(index: int) -> None:
            chat, message = said[index]
            twice = options.twice_every and index % options.twice_every == 0
            outcomes[said[index]] = await self._turn(
                chat, message, notes[index % len(notes)], options.lost_after_seconds, times=2 if twice else 1
            )

        async def one_after_the_other(chat: int) -> None:
            for index in range(chat, len(said), len(chats)):
                await one(index)

        begun = time.perf_counter()
        if options.per_minute:
            await _at(arrivals(len(said), options.per_minute, seed), one)
        else:
            async with asyncio.TaskGroup() as group:
                for number in range(len(chats)):
                    group.create_task(one_after_the_other(number))
        seconds = time.perf_counter() - begun
        replies = [await self._talk.replies(*each) for each in said if outcomes[each]]
        return figures_of(list(outcomes.values()), replies, seconds)

    async def _turn(self, chat: str, message: str, note: bytes, longest: float, *, times: int) -> TurnTimes | None:
        """Say a message and wait for its end; None where there was none in time."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(longest):
                for _ in range(times):
                    await self._talk.say(chat, message, note)
                durable = time.perf_counter()
                result = await self._talk.result(chat, message)
        except TimeoutError:
            return None
        own = {"durable": 1000 * (durable - started), "total": 1000 * (time.perf_counter() - started)}
        return result._replace(milliseconds={**result.milliseconds, **own})


def figures_of(outcomes: Sequence[TurnTimes | None], replies: Sequence[int], seconds: float) -> dict[str, float]:
    """Return counts, throughput, and percentiles by stage, in milliseconds, of the turns that were answered.

    Args:
        outcomes: of all messages; None is one that was lost.
        replies: of each message that was not lost.
        seconds: that all took.

    """
    ended = [outcome for outcome in outcomes if outcome]
    answered = [outcome for outcome in ended if outcome.answered]
    figures = {
        "turns.said": float(len(outcomes)),
        "turns.answered": float(len(answered)),
        "turns.failed": float(len(ended) - len(answered)),
        "turns.lost": float(len(outcomes) - len(ended)),
        "turns.doubled": float(sum(max(0, count - 1) for count in replies)),
        "turns.seconds": round(seconds, 3),
        "turns.per_minute": round(60 * len(answered) / seconds, 3) if seconds else 0.0,
    }
    stages: dict[str, list[float]] = defaultdict(list)
    for outcome in answered:
        for stage, milliseconds in outcome.milliseconds.items():
            stages[stage].append(milliseconds)
    for stage, values in stages.items():
        ordered = sorted(values)
        times = [*(percentile(ordered, percent) for percent in PERCENTILES), ordered[-1]]
        named = (*(round(milliseconds, 1) for milliseconds in times), float(len(ordered)))
        figures |= dict(zip(stage_figures(stage), named, strict=True))
    return figures


def arrivals(count: int, per_minute: float, seed: int) -> list[float]:
    """Return the seconds at which so many messages arrive, from 0 on: a Poisson process that follows from the seed."""
    chance = random.Random(seed)  # noqa: S311 - arrivals, not secrets
    moments = [0.0]
    while len(moments) < count:
        moments.append(moments[-1] + chance.expovariate(per_minute / 60))
    return moments


async def _at(moments: Sequence[float], begin: Callable[[int], Coroutine[None, None, None]]) -> None:
    """Begin each at its moment, whether or not those before have ended."""
    async with asyncio.TaskGroup() as group:
        group.create_task(begin(0))
        for index, (before, moment) in enumerate(pairwise(moments), 1):
            await asyncio.sleep(moment - before)
            group.create_task(begin(index))


def _notes(language: str) -> list[bytes]:
    """Return recordings in a language that are as long as voice notes; blocks.

    Raises:
        ClipsError: there are none.

    """
    found = read_set(SHIPPED)
    return [found.content(clip) for clip in found.voice_notes(language)]
