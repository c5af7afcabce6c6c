"""pass@k is unbiased and never made up; intervals hold what they should; faults are beside the score, not hidden."""

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.benchmarks.attempts import FAULTS, Attempt, AttemptOutcome
from activities.benchmarks.statistics import (
    RESAMPLES,
    TaskCount,
    bootstrap,
    outcome_counts,
    pass_at,
    pass_at_k,
    percentile,
    resamples,
    task_counts,
    totals,
    wilson,
)

COUNTS = st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
ATTEMPTS = st.lists(
    st.builds(
        Attempt,
        task=st.sampled_from(["a", "b", "c"]),
        sample=st.integers(0, 9),
        outcome=st.sampled_from(AttemptOutcome),
        steps=st.integers(0, 40),
        model_seconds=st.floats(0, 1e4),
    ),
    max_size=30,
)


@given(COUNTS, st.integers(1, 9))
def test_pass_at_k_is_the_share_of_draws_of_k_that_have_a_solution(count: tuple[int, int], k: int) -> None:
    n, c = count
    if k > n:
        assert pass_at_k(n, c, k) is None
    else:
        draws = list(itertools.combinations([True] * c + [False] * (n - c), k))
        assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))


@given(COUNTS)
def test_more_tries_do_not_make_it_less_likely(count: tuple[int, int]) -> None:
    n, c = count
    values = [pass_at_k(n, c, k) or 0.0 for k in range(1, n + 1)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(c / n)


def test_large_numbers_of_samples_do_not_overflow() -> None:
    assert pass_at_k(20_000, 1, 100) == pytest.approx(0.005)


@pytest.mark.parametrize(("n", "c", "k"), [(1, 2, 1), (3, -1, 1), (3, 1, 0)])
def test_impossible_counts_are_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="no counts"):
        pass_at_k(n, c, k)


@given(ATTEMPTS)
def test_all_attempts_are_counted_once(attempts: list[Attempt]) -> None:
    counts = task_counts(attempts)
    judged = [one for one in attempts if one.outcome not in {AttemptOutcome.MEASURED, AttemptOutcome.UNMEASURED}]
    assert sum(count.n + count.faults for count in counts) == len(judged)
    assert sum(count.faults for count in counts) == sum(one.outcome in FAULTS for one in judged)
    assert all(0 <= count.c <= count.n for count in counts)
    assert sum(outcome_counts(attempts).values()) == len(attempts)


@given(ATTEMPTS, st.integers(1, 5))
def test_a_score_lies_in_its_interval_and_faults_never_raise_it(attempts: list[Attempt], k: int) -> None:
    score = pass_at(task_counts(attempts), k)
    if score and score.value is not None:
        assert score.interval
        assert 0 <= score.interval.low <= score.value <= score.interval.high <= 1
        assert not score.short
    if k == 1 and score and score.value is not None and score.with_faults is not None and score.tasks == 1:
        assert score.with_faults <= score.value


def test_pass_at_more_than_the_samples_is_not_known() -> None:
    counts = [TaskCount(task="a", n=5, c=1), TaskCount(task="b", n=3, c=3)]
    one, five = pass_at(counts, 1), pass_at(counts, 5)
    assert one
    assert one.value == pytest.approx(0.6)
    assert five
    assert five.value is None
    assert five.interval is None
    assert (five.tasks, five.short) == (2, 1)


def test_a_task_of_which_faults_alone_remain_is_beside_the_score() -> None:
    counts = [TaskCount(task="a", n=1, c=1), TaskCount(task="b", n=0, c=0, faults=1)]
    score = pass_at(counts, 1)
    assert score
    assert (score.value, score.with_faults, score.tasks) == (1.0, 0.5, 1)
    assert pass_at(counts[1:], 1) is None
    assert pass_at([], 1) is None


def test_wilsons_interval_keeps_to_what_is_possible() -> None:
    interval = wilson(116 / 164, 164)
    assert interval.low == pytest.approx(0.6336, abs=5e-4)
    assert interval.high == pytest.approx(0.7716, abs=5e-4)
    assert wilson(1.0, 10).high == 1.0
    assert wilson(0.0, 10).low == 0.0
    assert wilson(1.0, 10).low == pytest.approx(0.7225, abs=1e-4)


def test_one_sample_has_wilsons_interval_and_several_are_resampled() -> None:
    once = pass_at([TaskCount(task=str(task), n=1, c=task % 2) for task in range(40)], 1)
    several = pass_at([TaskCount(task=str(task), n=4, c=task % 5) for task in range(40)], 1)
    same = pass_at([TaskCount(task=str(task), n=4, c=4) for task in range(40)], 1)
    assert once
    assert once.interval
    assert once.interval.method == "wilson"
    assert several
    assert several.interval
    assert several.interval.method == "bootstrap"
    # Resampling what is all the same would say that it is sure.
    assert same
    assert same.interval
    assert same.interval.low < 1


def test_resampling_says_the_same_again_and_agrees_with_the_normal_interval() -> None:
    values = [(number % 5) / 4 for number in range(400)]

    def mean(drawn: Sequence[float]) -> float:
        return math.fsum(drawn) / len(drawn)

    found = bootstrap(values, mean)
    assert found == bootstrap(values, mean)
    assert found
    spread = 1.96 * math.sqrt(0.125 / len(values))
    low, high = found
    assert low == pytest.approx(0.5 - spread, abs=0.005)
    assert high == pytest.approx(0.5 + spread, abs=0.005)
    assert bootstrap([1.0], lambda _: None) is None


def test_many_values_are_drawn_less_often() -> None:
    assert resamples(1) == resamples(164) == RESAMPLES
    assert resamples(1000) == 1000
    assert resamples(10**6) == RESAMPLES // 10


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 100))
def test_percentiles_are_between_the_least_and_the_largest(values: list[float], percent: float) -> None:
    ordered = sorted(values)
    assert ordered[0] - 1e-6 <= percentile(ordered, percent) <= ordered[-1] + 1e-6
    assert percentile([1, 2, 3, 4], 50) == 2.5


def test_totals_are_of_all_attempts() -> None:
    attempts = [
        Attempt(task="a", outcome=AttemptOutcome.SOLVED, steps=2, model_seconds=1.5),
        Attempt(task="b", outcome=AttemptOutcome.MODEL_ERROR, steps=4, model_seconds=2.5),
        Attempt(task="c", outcome=AttemptOutcome.WRONG, steps=9, model_seconds=0.5),
    ]
    found = totals(attempts)
    assert (found["steps"].sum, found["steps"].median, found["steps"].largest) == (15, 4, 9)
    assert found["model_seconds"].sum == 4.5
    assert totals([]) == {}
