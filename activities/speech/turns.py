"""Measure turns: chats that speak to june at once, as a benchmark's one attempt."""

import asyncio
import math
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from pydantic import Field, ValidationError
from temporalio import activity

from activities.audio.pcm import SAMPLE_RATE
from activities.benchmarks.attempts import Attempt, AttemptOutcome, attempt_seed
from activities.heartbeats import heartbeats
from activities.speech.clips import SHIPPED, ClipsError, read_set
from activities.speech.requests import MeasureRequest, identifier
from activities.values import Value

MAX_MESSAGES = 20_000
LONGEST_CLIP_SECONDS = 15.0
"""Of the questions: what a voice note usually is."""
PERCENTILES = (50, 95, 99)


class TurnOptions(Value):
    """Options of the mode ``turns``."""

    chats: int = Field(default=2, ge=1, le=500)
    messages: int = Field(default=3, ge=1, le=1000)
    """Of each chat."""
    per_minute: float = Field(default=0.0, ge=0, le=6000)
    """Messages that arrive in all, at random moments that follow from the seed; 0: each chat waits for its answer."""
    language: str = "en"
    """ISO 639-1 code of the recordings that are asked."""
    lost_after_seconds: float = Field(default=300.0, gt=0, le=3600)
    """A message without a result for so long is lost."""
    twice_every: int = Field(default=5, ge=0)
    """So many messages apart, one is handed over twice, as platforms do; 0: none is."""


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

    @activity.defn(name="measure_turns")
    async def measure_turns(self, request: MeasureRequest) -> Attempt:
        """Have chats speak to june; return figures of all their turns.

        An attempt that is tried again begins anew, with other chats.
        """
        try:
            options = TurnOptions.model_validate(request.options)
            notes = await asyncio.to_thread(_notes, options)
        except (ValidationError, ClipsError) as error:
            return _unmeasured(request, f"These options cannot be run: {error}")
        if options.chats * options.messages > MAX_MESSAGES:
            return _unmeasured(request, f"There are more than {MAX_MESSAGES} messages.")
        name = identifier(f"{request.pinned.run}-{request.sample}-{activity.info().attempt}")[-80:]
        chats = [f"bench-{name}-{number}" for number in range(options.chats)]
        async with heartbeats():
            try:
                await asyncio.gather(*map(self._talk.open, chats))
                figures = await self._run(chats, notes, options, attempt_seed(request.pinned.seed, name, 0))
            finally:
                await asyncio.gather(*map(self._talk.forget, chats), return_exceptions=True)
        answered = int(figures["turns.answered"])
        return Attempt(
            task=request.task,
            sample=request.sample,
            outcome=AttemptOutcome.MEASURED if answered else AttemptOutcome.UNMEASURED,
            why="" if answered else "No message was answered.",
            passed=answered,
            total=options.chats * options.messages,
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
            await _at_random(len(said), options.per_minute, seed, one)
        else:
            await asyncio.gather(*map(one_after_the_other, range(len(chats))))
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
    """Return counts, throughput, and percentiles by stage, in milliseconds, of the turns that were answered."""
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
        for percent in PERCENTILES:
            figures[f"{stage}.p{percent}_ms"] = round(percentile(values, percent), 1)
    return figures


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent of all do not exceed."""
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


async def _at_random(count: int, per_minute: float, seed: int, begin: Callable[[int], Awaitable[None]]) -> None:
    """Begin each at its moment, whether or not those before have ended: a Poisson process."""
    chance = random.Random(seed)  # noqa: S311 - arrivals, not secrets
    moments = [0.0]
    while len(moments) < count:
        moments.append(moments[-1] + chance.expovariate(per_minute / 60))
    running = [asyncio.ensure_future(begin(0))]
    for index, (before, moment) in enumerate(pairwise(moments), 1):
        await asyncio.sleep(moment - before)
        running.append(asyncio.ensure_future(begin(index)))
    await asyncio.gather(*running)


def _notes(options: TurnOptions) -> list[bytes]:
    """Return recordings in the language that are as long as voice notes; blocks.

    Raises:
        ClipsError: there are none.

    """
    found = read_set(SHIPPED)
    spoken = [clip for clip in found.clips if clip.language == options.language]
    notes = [found.content(clip) for clip in spoken if len(found.sound(clip.id)) < LONGEST_CLIP_SECONDS * SAMPLE_RATE]
    if not notes:
        raise ClipsError(f"No recording is in {options.language!r}.")
    return notes


def _unmeasured(request: MeasureRequest, why: str) -> Attempt:
    return Attempt(task=request.task, sample=request.sample, outcome=AttemptOutcome.UNMEASURED, why=why[:500])
