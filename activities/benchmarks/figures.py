"""What the figures of speech and turns come to, by column: june, stock faster-whisper, a stage of a turn.

A figure is named ``<column>.<figure>``. Known are ``words`` and ``words_wrong``, ``chars`` and ``chars_wrong``,
``seconds`` (taken; over ``sound.seconds``, those of the recording, it is the real-time factor); of a stage of turns
``p50_ms``, ``p95_ms``, ``p99_ms``, ``max_ms`` and ``turns``, as an attempt has many of them. Of others there are the
sum and the median.
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from activities.benchmarks.attempts import Attempt
from activities.benchmarks.statistics import Interval, bootstrap
from activities.values import Value

SOUND = "sound.seconds"
PERCENTILES = (50, 95, 99)
MEDIAN = ".p50_ms"


class Rate(Value):
    """A sum over another: errors over words, seconds over seconds of sound."""

    value: float | None
    """None over nothing."""
    over: float
    """What it is divided by."""
    interval: Interval | None = None
    """Of errors: by resampling recordings, whose words are not independent (Bisani and Ney 2004)."""


class SpeechColumn(Value):
    """A model and its setting, on all recordings that it was measured on."""

    column: str
    recordings: int
    word_errors: Rate | None = None
    character_errors: Rate | None = None
    real_time_factor: Rate | None = None
    """Seconds for one second of sound: less is faster."""


class Stage(Value):
    """How long a stage of turns took, in milliseconds; of several samples the median of their percentiles."""

    stage: str
    turns: int
    p50: float
    p95: float
    p99: float
    largest: float


class OtherFigure(Value):
    """A figure that is only counted."""

    figure: str
    sum: float
    median: float


class Figures(Value):
    """All figures of a run."""

    columns: tuple[SpeechColumn, ...] = ()
    stages: tuple[Stage, ...] = ()
    others: tuple[OtherFigure, ...] = ()


class Ratio(NamedTuple):
    """What a rate is made of: two figures of an attempt."""

    over: str
    """Name of the figure above; of the one below in ``below``."""
    below: str


def ratios(column: str) -> dict[str, Ratio]:
    """Return the rates of a column by their names, as fields of ``SpeechColumn``."""
    return {
        "word_errors": Ratio(f"{column}.words_wrong", f"{column}.words"),
        "character_errors": Ratio(f"{column}.chars_wrong", f"{column}.chars"),
        "real_time_factor": Ratio(f"{column}.seconds", SOUND),
    }


def pairs(attempts: Sequence[Attempt], ratio: Ratio) -> list[tuple[float, float]]:
    """Return both figures of a rate, of the attempts that have both."""
    return [
        (attempt.figures[ratio.over], attempt.figures[ratio.below])
        for attempt in attempts
        if ratio.over in attempt.figures and ratio.below in attempt.figures
    ]


def quotient(parts: Sequence[tuple[float, float]]) -> float | None:
    """Return the sum of the first over the sum of the second; None over nothing."""
    below = math.fsum(part[1] for part in parts)
    return math.fsum(part[0] for part in parts) / below if below else None


def column_names(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Return the columns that have a rate, in the order in which they first come."""
    names = dict.fromkeys(name.rpartition(".")[0] for attempt in attempts for name in attempt.figures if "." in name)
    return tuple(
        name for name in names if any(pairs(attempts, ratio) for ratio in ratios(name).values()) and name != "sound"
    )


def stage_names(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Return the stages that have percentiles, in the order in which they first come."""
    names = dict.fromkeys(name for attempt in attempts for name in attempt.figures)
    return tuple(name.removesuffix(MEDIAN) for name in names if name.endswith(MEDIAN))


def stage_figures(stage: str) -> tuple[str, ...]:
    """Return the names of a stage's figures: its percentiles, its longest, how many turns had it."""
    return (*(f"{stage}.p{percent}_ms" for percent in PERCENTILES), f"{stage}.max_ms", f"{stage}.turns")


def figures(attempts: Sequence[Attempt]) -> Figures:
    """Sum up the figures of all attempts; empty where none has any."""
    columns = column_names(attempts)
    stages = stage_names(attempts)
    known = {SOUND, *(name for stage in stages for name in stage_figures(stage))}
    for column in columns:
        known |= {name for ratio in ratios(column).values() for name in ratio}
    others = dict.fromkeys(name for attempt in attempts for name in attempt.figures if name not in known)
    return Figures(
        columns=tuple(_column(attempts, column) for column in columns),
        stages=tuple(_stage(attempts, stage) for stage in stages),
        others=tuple(_other(attempts, name) for name in others),
    )


def _column(attempts: Sequence[Attempt], column: str) -> SpeechColumn:
    prefix = f"{column}."
    rates = {
        name: _rate(pairs(attempts, ratio), errors=name != "real_time_factor") for name, ratio in ratios(column).items()
    }
    return SpeechColumn(
        column=column,
        recordings=sum(any(name.startswith(prefix) for name in attempt.figures) for attempt in attempts),
        **rates,
    )


def _rate(parts: Sequence[tuple[float, float]], *, errors: bool) -> Rate | None:
    if not parts:
        return None
    value = quotient(parts)
    # Resampling a single recording gives an interval of no width, which claims too much.
    found = bootstrap(parts, quotient) if errors and value is not None and len(parts) > 1 else None
    interval = Interval(low=found[0], high=found[1], method="bootstrap") if found else None
    return Rate(value=value, over=math.fsum(part[1] for part in parts), interval=interval)


def _stage(attempts: Sequence[Attempt], stage: str) -> Stage:
    *percentiles, largest, turns = (
        [attempt.figures[name] for attempt in attempts if name in attempt.figures] or [0.0]
        for name in stage_figures(stage)
    )
    p50, p95, p99 = map(median, percentiles)
    return Stage(stage=stage, turns=round(math.fsum(turns)), p50=p50, p95=p95, p99=p99, largest=max(largest))


def _other(attempts: Sequence[Attempt], name: str) -> OtherFigure:
    values = [attempt.figures[name] for attempt in attempts if name in attempt.figures]
    return OtherFigure(figure=name, sum=math.fsum(values), median=median(values))
