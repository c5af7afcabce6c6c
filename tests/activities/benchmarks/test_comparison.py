"""Runs are compared task by task, and a difference that chance may bring is called that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.benchmarks.attempts import Attempt, AttemptOutcome
from activities.benchmarks.comparison import EXACT_SIGNS, as_text, compare, mcnemar, randomization
from tests.activities.benchmarks.runs import attempts, pinned

SOLVED, WRONG, FAULT = AttemptOutcome.SOLVED, AttemptOutcome.WRONG, AttemptOutcome.SANDBOX_ERROR


def test_mcnemar_counts_coins() -> None:
    # Of 12 coins at most 2 heads, or at most 2 tails: twice 79 of 4,096.
    assert mcnemar(10, 2) == mcnemar(2, 10) == pytest.approx(0.03857422)
    assert mcnemar(6, 0) == pytest.approx(0.03125)
    assert mcnemar(0, 0) == mcnemar(4, 4) == 1.0


@given(st.integers(0, EXACT_SIGNS), st.integers(0, EXACT_SIGNS))
def test_mcnemar_is_a_randomization_of_tasks_tried_once(gains: int, losses: int) -> None:
    if gains + losses <= EXACT_SIGNS:
        differences = [1.0] * gains + [-1.0] * losses
        assert randomization(differences) == pytest.approx(mcnemar(gains, losses))


def test_many_differences_are_drawn_and_agree_with_the_exact_test() -> None:
    assert randomization([1.0] * 20 + [-1.0] * 10) == pytest.approx(mcnemar(20, 10), abs=0.02)
    assert randomization([0.5] * 30) == pytest.approx(1 / 4001)


def test_what_chance_may_bring_means_nothing() -> None:
    first = attempts(*[SOLVED] * 20, *[WRONG] * 20)
    second = attempts(*[SOLVED] * 19, WRONG, *[SOLVED] * 4, *[WRONG] * 16)
    found = compare(first, second)
    assert (found.first, found.second, found.tasks) == (0.5, 0.575, 40)
    assert found.gains == ("20", "21", "22", "23")
    assert found.losses == ("19",)
    assert found.p == pytest.approx(0.375)
    assert not found.meaningful
    assert found.sentence == "The difference means nothing: 5 tasks came out otherwise, too few to tell."
    assert "difference +0.075" in as_text(found)
    assert "p = 0.375 (McNemar, exact)" in as_text(found)


def test_what_chance_hardly_brings_means_something() -> None:
    found = compare(attempts(*[WRONG] * 30), attempts(*[SOLVED] * 12, *[WRONG] * 18))
    assert found.meaningful
    assert "The second is better, by more than chance" in found.sentence
    assert "The second is worse" in compare(attempts(*[SOLVED] * 8), attempts(*[WRONG] * 8)).sentence
    many = compare(attempts(*[SOLVED] * 8, *[WRONG] * 12), attempts(*[WRONG] * 8, *[SOLVED] * 12))
    assert many.sentence == "The difference means nothing: chance alone makes one as large with p = 0.503."
    same = compare(attempts(SOLVED, WRONG), attempts(SOLVED, WRONG))
    assert same.sentence == "No task came out otherwise: there is no difference."


def test_what_only_one_has_is_told_and_left_out() -> None:
    found = compare(attempts(SOLVED, WRONG, FAULT), [*attempts(SOLVED), Attempt(task="new", outcome=SOLVED)])
    assert (found.tasks, found.only_first, found.only_second) == (1, ("1",), ("new",))
    text = as_text(found, ("old", "young"))
    assert "left out, only in old (1): 1" in text
    assert "left out, only in young (1): new" in text
    nothing = compare(attempts(SOLVED), [])
    assert nothing.sentence == "The runs have no task in common: nothing can be said."
    assert nothing.first is None
    assert as_text(nothing).endswith("nothing can be said.\n")


def test_several_samples_are_compared_by_task() -> None:
    def run(solved: int) -> list[Attempt]:
        return [
            Attempt(task=str(task), sample=sample, outcome=SOLVED if sample < solved else WRONG)
            for task in range(12)
            for sample in range(4)
        ]

    found = compare(run(1), run(2))
    assert not found.once
    assert (found.first, found.second) == (0.25, 0.5)
    assert found.p == pytest.approx(2 / 2**12)
    assert (found.low, found.high) == (0.25, 0.25)
    assert found.meaningful
    assert "paired randomization" in as_text(found)
    assert compare(run(1), run(2)[:-1]).once is False


@given(st.lists(st.sampled_from(AttemptOutcome), max_size=20), st.lists(st.sampled_from(AttemptOutcome), max_size=20))
def test_the_other_way_round_is_the_opposite(first: list[AttemptOutcome], second: list[AttemptOutcome]) -> None:
    one, other = compare(attempts(*first), attempts(*second)), compare(attempts(*second), attempts(*first))
    assert (one.gains, one.losses, one.p) == (other.losses, other.gains, other.p)
    assert (one.only_first, one.only_second) == (other.only_second, other.only_first)


def test_settings_that_differ_are_listed_and_other_data_warned_of() -> None:
    first = pinned("0")
    second = pinned("0", "1", run="another").model_copy(
        update={"temperature": 0.6, "limits": {"steps": 30.0, "seconds": 900.0}, "data_sha256": "0" * 64}
    )
    found = compare(attempts(SOLVED), attempts(SOLVED), (first, second))
    differing = {setting.name: (setting.first, setting.second) for setting in found.settings}
    assert differing["tasks"] == ("1", "2")
    assert differing["temperature"] == ("0.0", "0.6")
    assert differing["limits.steps"] == ("15.0", "30.0")
    assert set(differing) == {"tasks", "temperature", "limits.steps", "data_sha256"}
    assert "The data sets differ" in as_text(found)
    assert "temperature: 0.0 | 0.6" in as_text(found)
    assert compare([], [], (first, first)).same_data


def test_speech_is_compared_by_recording() -> None:
    def run(wrong: int, milliseconds: float) -> list[Attempt]:
        return [
            Attempt(
                task=str(task),
                outcome=AttemptOutcome.MEASURED,
                figures={
                    "june.words": 20,
                    "june.words_wrong": wrong + task % 3,
                    "june.seconds": 2,
                    "sound.seconds": 10,
                    "total.p50_ms": milliseconds + task,
                },
            )
            for task in range(20)
        ]

    found = compare(run(1, 800), run(3, 800))
    assert (found.tasks, found.p) == (20, None)
    measures = {measure.name: measure for measure in found.measures}
    assert measures["june.word_errors"].second - measures["june.word_errors"].first == pytest.approx(0.1)
    assert measures["june.word_errors"].meaningful
    assert not measures["june.real_time_factor"].meaningful
    assert not measures["total.p50_ms"].meaningful
    assert found.sentence == "Of what is measured, more than chance: june.word_errors rose."
    assert "june.word_errors       0.098 | 0.198  difference +0.100 to +0.100  *" in as_text(found)
    assert "Nothing that is measured differs" in compare(run(1, 800), run(1, 800)).sentence
    few = compare(run(1, 800)[:3], run(3, 800)[:3])
    assert not few.meaningful
