"""Figures of speech and turns come to rates, factors and percentiles, each over what was measured."""

import pytest

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.figures import figures


def measured(task: str, **figures_: float) -> Attempt:
    named = {name.replace("__", "."): value for name, value in figures_.items()}
    return Attempt(task=task, outcome=AttemptOutcome.MEASURED, figures=named)


def test_errors_are_summed_before_they_are_divided() -> None:
    found = figures(
        [
            measured("long", june__words=90, june__words_wrong=9, june__chars=400, june__chars_wrong=8),
            measured("short", june__words=10, june__words_wrong=6, june__chars=40, june__chars_wrong=3),
        ]
    )
    (june,) = found.columns
    assert june.column == "june"
    assert june.recordings == 2
    assert june.word_errors
    assert june.word_errors.value == pytest.approx(0.15)
    assert june.word_errors.over == 100
    assert june.word_errors.interval
    assert june.word_errors.interval.low <= 0.15 <= june.word_errors.interval.high
    assert june.character_errors
    assert june.character_errors.value == pytest.approx(0.025)
    assert june.real_time_factor is None


def test_the_real_time_factor_is_over_the_sound_that_the_column_was_measured_on() -> None:
    found = figures(
        [
            measured("a", june__seconds=2, stock__seconds=8, sound__seconds=10),
            measured("b", june__seconds=3, sound__seconds=20),
        ]
    )
    factors = {column.column: column.real_time_factor for column in found.columns}
    assert list(factors) == ["june", "stock"]
    assert factors["june"]
    assert factors["june"].value == pytest.approx(5 / 30)
    assert factors["stock"]
    assert factors["stock"].value == pytest.approx(0.8)


def test_nothing_said_has_no_error_rate() -> None:
    (june,) = figures([measured("silence", june__words=0, june__words_wrong=0)]).columns
    assert june.word_errors
    assert june.word_errors.value is None
    assert june.word_errors.interval is None


def test_stages_have_percentiles_and_other_figures_sums() -> None:
    samples = [
        measured(
            str(median),
            fetch__p50_ms=median,
            fetch__p95_ms=40 + median,
            fetch__p99_ms=50 + median,
            fetch__max_ms=60 + median,
            fetch__turns=6,
            turns__doubled=median == 30,
        )
        for median in (10, 20, 30)
    ]
    found = figures(samples)
    (fetch,) = found.stages
    assert (fetch.stage, fetch.turns) == ("fetch", 18)
    assert (fetch.p50, fetch.p95, fetch.p99, fetch.largest) == (20, 60, 70, 90)
    (doubled,) = found.others
    assert (doubled.figure, doubled.sum, doubled.median) == ("turns.doubled", 1, 0)
    assert not found.columns


def test_attempts_without_figures_have_none() -> None:
    found = figures([Attempt(task="a", outcome=AttemptOutcome.SOLVED)])
    assert not any((found.columns, found.stages, found.others))
