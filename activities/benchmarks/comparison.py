"""Compare two runs task by task, and say whether the difference means anything."""

import math
import random
from collections.abc import Sequence
from statistics import fmean

from activities.benchmarks.attempts import Attempt, Pinned
from activities.benchmarks.figures import MEDIAN, Ratio, column_names, pairs, quotient, ratios, stage_names
from activities.benchmarks.statistics import RESAMPLES, SEED, TaskCount, bootstrap, task_counts
from activities.values import BlobRef, Value

SIGNIFICANT = 0.05
"""A difference means something where chance makes one as large less often."""
EXACT_SIGNS = 14
"""Up to so many tasks that differ, all ways to swap them are counted; of more, a sample."""
MIN_RECORDINGS = 10
"""Of fewer pairs the interval of a measure says nothing."""
_OF_THE_RUN = frozenset({"run", "started", "tasks"})
NAMES = ("first", "second")
NONE = "-"
"""In place of a setting that a run has not."""
LISTED = 20
"""Tasks of a kind that are named in the terminal."""


class Setting(Value):
    """A setting in which two runs differ."""

    name: str
    first: str
    second: str


class Measure(Value):
    """A figure of speech or turns in both runs, on what both have measured."""

    name: str
    """``june.word_errors``, ``june.real_time_factor``, ``infer.p50_ms``."""
    pairs: int
    first: float
    second: float
    low: float | None
    """Of the second less the first, with 95 %; None where there is too little."""
    high: float | None

    @property
    def meaningful(self) -> bool:
        """Whether zero is outside of the interval."""
        return (
            self.low is not None
            and self.high is not None
            and self.pairs >= MIN_RECORDINGS
            and not self.low <= 0 <= self.high
        )


class Compared(Value):
    """Two runs, task by task: the second beside the first."""

    tasks: int
    """That have attempts that count in both; the others are left out."""
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    once: bool
    """Each of those tasks was tried once in both."""
    first: float | None
    """Share of attempts solved, the mean over those tasks; None where there are none."""
    second: float | None
    gains: tuple[str, ...]
    """Tasks that are solved, or solved more often, in the second."""
    losses: tuple[str, ...]
    p: float | None
    """How often chance alone makes a difference as large."""
    low: float | None
    """Of the difference, with 95 %: by resampling tasks."""
    high: float | None
    measures: tuple[Measure, ...]
    settings: tuple[Setting, ...]
    same_data: bool
    """False where the runs are known to be of different data: ids may be the same by chance."""
    sentence: str

    @property
    def meaningful(self) -> bool:
        """Whether the difference in tasks solved, or in any measure, means something."""
        solved = self.p is not None and self.p < SIGNIFICANT
        return solved or any(measure.meaningful for measure in self.measures)


def compare(
    first: Sequence[Attempt], second: Sequence[Attempt], pinned: tuple[Pinned, Pinned] | None = None
) -> Compared:
    """Compare the second run with the first.

    Where each task was tried once in both, the p value is McNemar's, exact; else that of a paired randomization test
    over tasks, of which McNemar's is the simplest case.
    """
    before, after = (_by_task(attempts) for attempts in (first, second))
    shared = [task for task in before if task in after]
    differences = {task: _share(after[task]) - _share(before[task]) for task in shared}
    once = all(run[task].n == 1 for task in shared for run in (before, after))
    gains = tuple(task for task in shared if differences[task] > 0)
    losses = tuple(task for task in shared if differences[task] < 0)
    p = None
    if shared:
        p = mcnemar(len(gains), len(losses)) if once else randomization(list(differences.values()))
    interval = bootstrap(list(differences.values()), fmean) if len(shared) > 1 else None
    measures = _measures(first, second)
    measured = (_measured_tasks(first), _measured_tasks(second))
    tried = [
        {**dict.fromkeys(run), **dict.fromkeys(tasks)} for run, tasks in zip((before, after), measured, strict=True)
    ]
    shares = [fmean(_share(run[task]) for task in shared) if shared else None for run in (before, after)]
    same_data = pinned is None or pinned[0].data_sha256 == pinned[1].data_sha256
    return Compared(
        tasks=len(shared) or len(set(measured[0]) & set(measured[1])),
        only_first=tuple(task for task in tried[0] if task not in tried[1]),
        only_second=tuple(task for task in tried[1] if task not in tried[0]),
        once=once,
        first=shares[0],
        second=shares[1],
        gains=gains,
        losses=losses,
        p=p,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        measures=measures,
        settings=_settings(*pinned) if pinned else (),
        same_data=same_data,
        sentence=_sentence(p, sum(differences.values()), len(gains) + len(losses), measures),
    )


def mcnemar(gains: int, losses: int) -> float:
    """Return the two-sided p value of McNemar's exact test: a binomial test of the tasks that differ."""
    differing = gains + losses
    if gains == losses:
        return 1.0
    tail = sum(math.comb(differing, number) for number in range(min(gains, losses) + 1))
    return min(1.0, 2 * tail / (1 << differing))


def randomization(differences: Sequence[float]) -> float:
    """Return how often a sum as far from zero comes when the runs of any task may be swapped."""
    differing = [difference for difference in differences if difference]
    # What is as far by arithmetic must not be nearer by rounding.
    observed = abs(math.fsum(differing)) - 1e-9
    if len(differing) <= EXACT_SIGNS:
        sums = [0.0]
        for difference in differing:
            sums = [total + sign * difference for total in sums for sign in (1, -1)]
        return sum(abs(total) >= observed for total in sums) / len(sums)
    draw = random.Random(SEED)  # noqa: S311 - not a secret
    as_far = sum(
        abs(math.fsum(difference if draw.random() < 0.5 else -difference for difference in differing)) >= observed
        for _ in range(RESAMPLES)
    )
    return (as_far + 1) / (RESAMPLES + 1)  # the observed one is one of them: never 0


def as_text(compared: Compared, names: tuple[str, str] = NAMES) -> str:
    """Return a comparison for the terminal, ended by a newline."""
    lines = [f"{names[1]} compared with {names[0]}"]
    if not compared.same_data:
        lines.append("! The data sets differ (SHA-256): tasks of the same name need not be the same.")
    width = max(map(len, names))
    if compared.first is not None and compared.second is not None:
        what = "solved" if compared.once else "solved, mean over tasks"
        lines += ["", f"{compared.tasks} tasks in both, {what}:"]
        lines += [
            f"  {name:<{width}}  {share:.3f}"
            for name, share in zip(names, (compared.first, compared.second), strict=True)
        ]
        interval = f" ({compared.low:+.3f} to {compared.high:+.3f})" if compared.low is not None else ""
        test = "McNemar, exact" if compared.once else "paired randomization"
        lines.append(f"  difference {compared.second - compared.first:+.3f}{interval}, p {_p(compared.p)} ({test})")
    for title, tasks in (
        ("gained", compared.gains),
        ("lost", compared.losses),
        (f"left out, only in {names[0]}", compared.only_first),
        (f"left out, only in {names[1]}", compared.only_second),
    ):
        if tasks:
            more = f" and {len(tasks) - LISTED} more" if len(tasks) > LISTED else ""
            lines.append(f"  {title} ({len(tasks)}): {', '.join(tasks[:LISTED])}{more}")
    if compared.measures:
        lines += ["", f"{compared.tasks} measured in both:" if compared.first is None else "Measured in both:"]
        longest = max(len(measure.name) for measure in compared.measures)
        lines += [_measure_line(measure, longest) for measure in compared.measures]
    if compared.settings:
        lines += ["", "Settings that differ:"]
        lines += [f"  {setting.name}: {setting.first} | {setting.second}" for setting in compared.settings]
    return "\n".join([*lines, "", compared.sentence, ""])


def _by_task(attempts: Sequence[Attempt]) -> dict[str, TaskCount]:
    return {count.task: count for count in task_counts(attempts) if count.n}


def _share(count: TaskCount) -> float:
    return count.c / count.n


def _measured_tasks(attempts: Sequence[Attempt]) -> list[str]:
    return [attempt.task for attempt in attempts if attempt.figures]


def _measures(first: Sequence[Attempt], second: Sequence[Attempt]) -> tuple[Measure, ...]:
    runs = [{(attempt.task, attempt.sample): attempt for attempt in run if attempt.figures} for run in (first, second)]
    keys = [key for key in runs[0] if key in runs[1]]
    both = [[run[key] for key in keys] for run in runs]
    names = {f"{column}.{rate}": ratio for column in column_names(both[0]) for rate, ratio in ratios(column).items()}
    found = [_ratio_measure(name, both[0], both[1], ratio) for name, ratio in names.items()]
    found += [_stage_measure(f"{stage}{MEDIAN}", both[0], both[1]) for stage in stage_names(both[0])]
    return tuple(measure for measure in found if measure)


def _ratio_measure(name: str, first: Sequence[Attempt], second: Sequence[Attempt], ratio: Ratio) -> Measure | None:
    parts = [
        (a[0], b[0])
        for one, other in zip(first, second, strict=True)
        if (a := pairs([one], ratio)) and (b := pairs([other], ratio))
    ]
    return _measure(name, parts)


def _stage_measure(name: str, first: Sequence[Attempt], second: Sequence[Attempt]) -> Measure | None:
    parts = [
        ((one.figures[name], 1.0), (other.figures[name], 1.0))
        for one, other in zip(first, second, strict=True)
        if name in one.figures and name in other.figures
    ]
    return _measure(name, parts)


Parts = Sequence[tuple[tuple[float, float], tuple[float, float]]]
"""Of each attempt that both runs have: what the first and what the second measured, and what to divide it by."""


def _measure(name: str, parts: Parts) -> Measure | None:
    first, second = (quotient([pair[run] for pair in parts]) for run in (0, 1))
    if first is None or second is None:
        return None
    interval = bootstrap(parts, _difference)
    return Measure(
        name=name,
        pairs=len(parts),
        first=first,
        second=second,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
    )


def _difference(parts: Parts) -> float | None:
    first, second = (quotient([pair[run] for pair in parts]) for run in (0, 1))
    return None if first is None or second is None else second - first


def _settings(first: Pinned, second: Pinned) -> tuple[Setting, ...]:
    """Return what differs, all but what differs in any two runs."""
    one, other = (_flat(pinned) for pinned in (first, second))
    names = dict.fromkeys([*one, *other])
    return tuple(
        Setting(name=name, first=one.get(name, NONE), second=other.get(name, NONE))
        for name in names
        if one.get(name) != other.get(name)
    )


def _flat(pinned: Pinned) -> dict[str, str]:
    found = {"tasks": str(len(pinned.tasks))}
    for name, value in pinned:
        if isinstance(value, dict):
            found |= {f"{name}.{key}": str(inner) for key, inner in value.items()}
        elif isinstance(value, BlobRef):  # its folder is the run's, its name the digest
            found[name] = value.key.rpartition("/")[2]
        elif name not in _OF_THE_RUN:
            found[name] = NONE if value in {None, ""} else str(value)
    return found


def _sentence(p: float | None, difference: float, differing: int, measures: Sequence[Measure]) -> str:
    if p is None and not measures:
        return "The runs have no task in common: nothing can be said."
    said = []
    if p is not None:
        said.append(_solved_sentence(p, difference, differing))
    surer = [measure for measure in measures if measure.meaningful]
    if measures:
        changed = "; ".join(
            f"{measure.name} {'rose' if measure.second > measure.first else 'fell'}" for measure in surer
        )
        said.append(
            f"Of what is measured, more than chance: {changed}."
            if surer
            else "Nothing that is measured differs by more than chance may bring."
        )
    return " ".join(said)


def _solved_sentence(p: float, difference: float, differing: int) -> str:
    if not differing:
        return "No task came out otherwise: there is no difference."
    if p < SIGNIFICANT:
        better = "better" if difference > 0 else "worse"
        return f"The second is {better}, by more than chance: so large a difference comes by chance with p {_p(p)}."
    if differing <= 5:  # McNemar's least p value of five is 0.0625
        tasks = "1 task" if differing == 1 else f"{differing} tasks"
        return f"The difference means nothing: {tasks} came out otherwise, too few to tell."
    return f"The difference means nothing: chance alone makes one as large with p {_p(p)}."


def _p(p: float | None) -> str:
    return "n/a" if p is None else "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _measure_line(measure: Measure, width: int) -> str:
    digits = 0 if measure.name.endswith(MEDIAN) else 3
    first, second = (f"{value:,.{digits}f}" for value in (measure.first, measure.second))
    interval = ""
    if measure.low is not None and measure.high is not None:
        interval = f"  difference {measure.low:+,.{digits}f} to {measure.high:+,.{digits}f}"
    return f"  {measure.name:<{width}}  {first} | {second}{interval}{'  *' if measure.meaningful else ''}"
