"""A run in figures: what ``report.json`` holds, and the score in a line."""

from collections.abc import Sequence

from activities.benchmarks.attempts import FAULTS, Attempt, AttemptOutcome, Mode, Pinned
from activities.benchmarks.figures import Figures, figures
from activities.benchmarks.statistics import (
    PassAt,
    TaskCount,
    Total,
    outcome_counts,
    pass_at,
    task_counts,
    totals,
)
from activities.values import Value

KS = (1, 5, 10)
"""Of pass@k, besides the run's own number of samples."""
NOT_KNOWN = "n/a"
JUDGED = frozenset({Mode.COMPLETION, Mode.AGENT})
"""Modes whose attempts solve a task or not."""


class Summary(Value):
    """What ``report.json`` holds."""

    version: int = 1
    """Of this form."""
    score: str
    """In a line."""
    outcome: str
    """How the run ended."""
    seconds: float
    """Pauses not counted."""
    pinned: Pinned
    planned: int
    """Attempts."""
    attempts: int
    """That have ended."""
    counts: dict[AttemptOutcome, int]
    tried_again: int
    """Tries before the attempts that counted, each ended by a fault of the machinery."""
    pass_at: tuple[PassAt, ...]
    tasks: tuple[TaskCount, ...]
    totals: dict[str, Total]
    figures: Figures


def sorted_attempts(attempts: Sequence[Attempt], tasks: Sequence[str]) -> tuple[Attempt, ...]:
    """Return each attempt once, in the data set's order and that of samples; of one given twice the last."""
    places = {task: place for place, task in enumerate(tasks)}
    once = {(attempt.task, attempt.sample): attempt for attempt in attempts}
    return tuple(
        sorted(once.values(), key=lambda attempt: (places.get(attempt.task, len(places)), attempt.task, attempt.sample))
    )


def summarize(pinned: Pinned, attempts: Sequence[Attempt], seconds: float, outcome: str) -> Summary:
    """Sum up sorted attempts."""
    counts = task_counts(attempts)
    ks = sorted({*KS, pinned.samples})
    scores = tuple(score for k in ks if (score := pass_at(counts, k))) if pinned.mode in JUDGED else ()
    found = figures(attempts)
    outcomes = outcome_counts(attempts)
    return Summary(
        score=_judged(pinned, counts, scores) if pinned.mode in JUDGED else _measured(outcomes, found),
        outcome=outcome,
        seconds=seconds,
        pinned=pinned,
        planned=len(pinned.tasks) * pinned.samples,
        attempts=len(attempts),
        counts=outcomes,
        tried_again=sum(len(attempt.faults) for attempt in attempts),
        pass_at=scores,
        tasks=counts,
        totals=totals(attempts),
        figures=found,
    )


def told(value: float | None, digits: int = 2) -> str:
    """Return a share for people; ``n/a`` where it is not known."""
    return NOT_KNOWN if value is None else f"{value:.{digits}f}"


def _judged(pinned: Pinned, counts: Sequence[TaskCount], scores: Sequence[PassAt]) -> str:
    """Return ``pass@1 0.71 (0.64 to 0.78), 164 tasks``, and what must not be overlooked."""
    if not scores:
        return f"pass@1 {NOT_KNOWN}: no attempt counts"
    parts = [
        f"pass@{score.k} {told(score.value)}"
        + (f" ({told(score.interval.low)} to {told(score.interval.high)})" if score.interval else "")
        for score in scores
        if score.k in {1, pinned.samples}
    ]
    tried, planned = scores[0].tasks, len(pinned.tasks)
    tasks = f"{tried} of {planned} tasks" if tried < planned else f"{tried} task{'s' if tried != 1 else ''}"
    samples = f", {pinned.samples} samples each" if pinned.samples > 1 else ""
    faults = sum(count.faults for count in counts)
    strict = f"; {told(scores[0].with_faults)} with {_some(faults, 'fault')} as not solved" if faults else ""
    return f"{', '.join(parts)}, {tasks}{samples}{strict}"


def _measured(outcomes: dict[AttemptOutcome, int], found: Figures) -> str:
    measured, faults = outcomes.get(AttemptOutcome.MEASURED, 0), sum(outcomes.get(fault, 0) for fault in FAULTS)
    failed = outcomes.get(AttemptOutcome.UNMEASURED, 0) + faults
    beside = f", {failed} not measured" if failed else ""
    if found.columns:
        told_columns = []
        for column in found.columns:
            errors, factor = column.word_errors, column.real_time_factor
            rate = f"{100 * errors.value:.1f} % of words wrong" if errors and errors.value is not None else ""
            speed = f"real-time factor {told(factor.value)}" if factor and factor.value is not None else ""
            told_columns.append(f"{column.column} {', '.join(filter(None, (rate, speed))) or NOT_KNOWN}")
        return f"{'; '.join(told_columns)}; {_some(measured, 'recording')}{beside}"
    if found.stages:
        longest = max(found.stages, key=lambda stage: stage.p50)
        times = f"{longest.stage} p50 {longest.p50:,.0f} ms, p95 {longest.p95:,.0f} ms, p99 {longest.p99:,.0f} ms"
        counted = {other.figure.removeprefix("turns."): other.sum for other in found.others}
        lost, doubled = counted.get("lost", 0), counted.get("doubled", 0)
        became = f"{counted.get('answered', 0):g} of {counted.get('said', 0):g} messages answered"
        return f"{times}; {became}, {lost:g} lost, {doubled:g} doubled{beside}"
    return f"{measured} measured{beside}"


def _some(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
