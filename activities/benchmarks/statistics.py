"""Statistics of attempts at tasks: pass@k with intervals, classes, totals.

Which attempts count: all but those that ended by a fault of the machinery, which say nothing of the model. A run's
score is given a second time with these as not solved, as SWE-bench has it, so that nobody gains by faults.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median
from typing import Literal, TypeVar

from activities.benchmarks.attempts import FAULTS, Attempt, AttemptOutcome
from activities.values import Value

T = TypeVar("T")

Z95 = 1.959963984540054
"""Standard deviations around the mean of a normal distribution that hold 95 % of it."""
RESAMPLES = 4000
"""Of many values fewer, which say as much: see ``resamples``."""
SEED = 0
"""Of resampling, so that a report that is made again says the same."""
_NOT_JUDGED = frozenset({AttemptOutcome.MEASURED, AttemptOutcome.UNMEASURED})


class Interval(Value):
    """A confidence interval of 95 %."""

    low: float
    high: float
    method: Literal["wilson", "bootstrap"]


class TaskCount(Value):
    """What the attempts at a task came to."""

    task: str
    n: int
    """Attempts that count."""
    c: int
    """Of those, the ones that have solved it."""
    faults: int = 0
    """Attempts beside these that ended by a fault of the machinery."""


class PassAt(Value):
    """The chance that one of k attempts solves a task, over all tasks."""

    k: int
    value: float | None
    """None where any task has fewer than k attempts that count: it cannot be known."""
    interval: Interval | None = None
    with_faults: float | None = None
    """The same with faults as attempts that have not solved it."""
    tasks: int
    """That have an attempt that counts."""
    short: int = 0
    """Of those, the ones with fewer than k."""


class Total(Value):
    """Of all attempts, faults among them: they have taken time as well."""

    sum: float
    median: float
    largest: float


TOTALLED = ("steps", "prompt_tokens", "completion_tokens", "model_seconds", "sandbox_seconds", "waiting_seconds")
"""Fields of attempts of which there are totals."""


def pass_at_k(n: int, c: int, k: int) -> float | None:
    """Return the unbiased estimate from ``n`` attempts, ``c`` of them solved; None where ``k`` is more than ``n``.

    By Chen et al. 2021, "Evaluating Large Language Models Trained on Code": ``1 - C(n-c, k) / C(n, k)``.
    """
    if not 0 <= c <= n or k < 1:
        raise ValueError(f"no counts: n={n}, c={c}, k={k}")
    return None if k > n else 1 - math.comb(n - c, k) / math.comb(n, k)


def task_counts(attempts: Iterable[Attempt]) -> tuple[TaskCount, ...]:
    """Count by task, in the order in which tasks first come; what is measured, not judged, is left out."""
    n: Counter[str] = Counter()
    c: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for attempt in attempts:
        if attempt.outcome not in _NOT_JUDGED:
            fault = attempt.outcome in FAULTS
            n[attempt.task] += not fault
            c[attempt.task] += attempt.outcome == AttemptOutcome.SOLVED
            faults[attempt.task] += fault
    return tuple(TaskCount(task=task, n=n[task], c=c[task], faults=faults[task]) for task in n)


def pass_at(counts: Sequence[TaskCount], k: int) -> PassAt | None:
    """Return pass@k over tasks; None where no attempt counts.

    The interval is of the tasks, taken as a sample of all tasks like them: Wilson's where each was tried once (Brown,
    Cai, DasGupta 2001), else by resampling tasks, as attempts at one task are not independent (Miller 2024, "Adding
    Error Bars to Evals"; Bowyer et al. 2025 on why neither uses the central limit theorem).
    """
    counted = [count for count in counts if count.n]
    if not counted:
        return None
    values = [value for count in counted if (value := pass_at_k(count.n, count.c, k)) is not None]
    short = len(counted) - len(values)
    strict = [pass_at_k(count.n + count.faults, count.c, k) for count in counts if count.n + count.faults]
    strict_values = [value for value in strict if value is not None]
    return PassAt(
        k=k,
        value=None if short else fmean(values),
        interval=None if short else _interval(values, once=all(count.n == 1 for count in counted)),
        with_faults=fmean(strict_values) if len(strict_values) == len(strict) else None,
        tasks=len(counted),
        short=short,
    )


def wilson(share: float, n: int) -> Interval:
    """Return Wilson's interval of a share of ``n``."""
    spread = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    middle, scale = share + Z95**2 / (2 * n), 1 + Z95**2 / n
    # Rounding must not leave the share outside, where it is 0 or 1.
    low, high = max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
    return Interval(low=min(low, share), high=max(high, share), method="wilson")


def bootstrap(values: Sequence[T], statistic: Callable[[Sequence[T]], float | None]) -> tuple[float, float] | None:
    """Return the 2.5th and the 97.5th percentile of a statistic of values drawn from these, with a fixed seed.

    Draws of which there is no statistic (None) are left out; None where that is so of all.
    """
    draw = random.Random(SEED)  # noqa: S311 - not a secret
    drawn = (statistic(draw.choices(values, k=len(values))) for _ in range(resamples(len(values))))
    found = sorted(value for value in drawn if value is not None)
    return (percentile(found, 2.5), percentile(found, 97.5)) if found else None


def resamples(values: int) -> int:
    """Return how often to draw from so many values: a second of work at the most, or some."""
    return min(RESAMPLES, max(RESAMPLES // 10, 1_000_000 // max(values, 1)))


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return a percentile of values in ascending order, between two of them by their distance."""
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def outcome_counts(attempts: Iterable[Attempt]) -> dict[AttemptOutcome, int]:
    """Count outcomes, in their order; those that did not come are left out."""
    counter = Counter(attempt.outcome for attempt in attempts)
    return {outcome: counter[outcome] for outcome in AttemptOutcome if counter[outcome]}


def totals(attempts: Sequence[Attempt]) -> dict[str, Total]:
    """Return sums and medians by field; none of no attempts."""
    if not attempts:
        return {}
    columns = {field: [float(getattr(attempt, field)) for attempt in attempts] for field in TOTALLED}
    return {
        field: Total(sum=math.fsum(values), median=median(values), largest=max(values))
        for field, values in columns.items()
    }


def _interval(values: Sequence[float], *, once: bool) -> Interval:
    # Resampling equal values gives an interval of no width, which claims too much.
    if once or min(values) == max(values):
        return wilson(fmean(values), len(values))
    found = bootstrap(values, fmean)
    if found is None:
        raise ValueError("no values")
    return Interval(low=found[0], high=found[1], method="bootstrap")
