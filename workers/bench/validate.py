"""``june bench validate``: data sets are sound where their references solve all tasks, and doing nothing none."""

import asyncio
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from activities.benchmarks.score import Outcome, Score, Scorer, ScoringLimits
from activities.sandbox.sandbox import SandboxError
from agent.tasks.data_sets import DataSet, DataSetError, find, listed, load
from agent.tasks.task import BenchmarkTask
from workers.errors import JuneError, UnavailableError
from workers.roles.sandbox import limits_of, open_sandboxes
from workers.settings import SandboxSettings


class Validated(BaseModel):
    """What came of a data set."""

    name: str
    tasks: int
    references: int
    """Tasks that their references solve."""
    untouched: int
    """Tasks that are solved by doing nothing."""
    checks: int
    """That the references have passed."""
    seconds: float
    """Of both runs of all tasks, added up."""
    problems: list[str]
    """What is not as it should be, a line each."""

    @property
    def sound(self) -> bool:
        """Whether references score 100 %, and nothing 0 %."""
        return self.references == self.tasks and not self.untouched


class _Judged(NamedTuple):
    reference: Score
    untouched: Score | None
    """None where the reference has not solved it."""
    seconds: float


async def validate(
    names: list[str], others: Path | None, limit: int | None, at_once: int, log: Callable[[str], None]
) -> list[Validated]:
    """Score the references, and the untouched trees, of data sets.

    Args:
        names: of data sets; none for all.
        others: file with further entries.
        limit: tasks of each set, from the first; None for all.
        at_once: sandboxes at a time.
        log: takes lines for the person who waits.

    Raises:
        JuneError: a data set cannot be read.
        UnavailableError: the isolation that is configured is not to be had.

    """
    try:
        entries = [find(name, others) for name in names] or list(listed(others).values())
        sets = [(entry, load(entry)[:limit]) for entry in entries]
    except DataSetError as error:
        raise JuneError(f"{error} ({error.code})") from error
    settings = SandboxSettings(slots=at_once)
    sandboxes = open_sandboxes(settings)
    scorer, free = Scorer(sandboxes, ScoringLimits(limits_of(settings))), asyncio.Semaphore(at_once)
    try:
        await sandboxes.isolation()
        return [await _validate(entry, tasks, scorer, free, log) for entry, tasks in sets]
    except SandboxError as error:
        raise UnavailableError(f"{error} ({error.code})") from error
    finally:
        await sandboxes.reap()


async def _validate(
    entry: DataSet,
    tasks: tuple[BenchmarkTask, ...],
    scorer: Scorer,
    free: asyncio.Semaphore,
    log: Callable[[str], None],
) -> Validated:
    log(f"{entry.name}: {len(tasks)} tasks")

    async def judge(task: BenchmarkTask) -> _Judged:
        async with free:
            began = time.monotonic()
            reference = await scorer.reference(task)
            solved = reference.outcome == Outcome.SOLVED
            untouched = await scorer.score(task, task.files) if solved else None
            return _Judged(reference, untouched, time.monotonic() - began)

    judged = await asyncio.gather(*map(judge, tasks))
    problems = list(chain.from_iterable(map(_problems, tasks, judged)))
    for problem in problems:
        log(f"{entry.name}: {problem}")
    return Validated(
        name=entry.name,
        tasks=len(tasks),
        references=sum(each.reference.outcome == Outcome.SOLVED for each in judged),
        untouched=sum(each.untouched is not None and each.untouched.outcome == Outcome.SOLVED for each in judged),
        checks=sum(each.reference.passed for each in judged),
        seconds=sum(each.seconds for each in judged),
        problems=problems,
    )


def _problems(task: BenchmarkTask, judged: _Judged) -> list[str]:
    if judged.untouched is None:
        told = "; ".join(f"{each.check}: {each.why}" for each in judged.reference.failed)
        return [f"{task.id}: the reference is {judged.reference.outcome}: {told}"]
    if judged.untouched.outcome == Outcome.SOLVED:
        return [f"{task.id}: it is solved by doing nothing"]
    return []


def table(results: list[Validated]) -> str:
    """Return the results as a table in Markdown."""
    lines = [
        "| data set | tasks | references solve | nothing solves | checks | seconds a task |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.name} | {each.tasks} | {each.references / each.tasks:.1%} | {each.untouched / each.tasks:.1%} "
        f"| {each.checks:,} | {each.seconds / each.tasks:.2f} |"
        for each in results
    ]
    return "\n".join(lines)
