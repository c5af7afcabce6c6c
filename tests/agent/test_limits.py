"""When a task stops."""

import pytest

from agent.actions import Action, Read, RunTests
from agent.limits import (
    Limits,
    Progress,
    Stop,
    action_digest,
    nudge,
    observation_digest,
    temperature_after,
    why_stop,
)

LIMITS = Limits(repeats=3)


def after(steps: list[tuple[Action | None, str]], limits: Limits = LIMITS) -> Progress:
    """Go through these actions and observations; None is an answer that is no action."""
    progress = Progress()
    for number, (action, text) in enumerate(steps, 1):
        progress = progress.after_turn(action_digest(action) if action else "", 100, number * 10.0)
        if action:
            progress = progress.after_observation(observation_digest(text), limits)
    return progress


def test_steps_tokens_and_seconds_are_counted() -> None:
    progress = after([(RunTests(), "a"), (None, ""), (RunTests(), "b")])
    assert (progress.steps, progress.tokens, progress.seconds) == (3, 300, 30.0)
    assert why_stop(progress, LIMITS) is None
    assert Progress.model_validate_json(progress.model_dump_json()) == progress


@pytest.mark.parametrize(
    ("limits", "stop"),
    [
        (Limits(steps=3), Stop.STEPS),
        (Limits(tokens=300), Stop.TOKENS),
        (Limits(seconds=30), Stop.SECONDS),
        (Limits(steps=4, tokens=301, seconds=30.1), None),
    ],
)
def test_limits(limits: Limits, stop: Stop | None) -> None:
    assert why_stop(after([(RunTests(), "a"), (RunTests(), "b"), (RunTests(), "c")]), limits) is stop


def test_answers_without_action_stop_it_in_a_row_only() -> None:
    none: tuple[None, str] = (None, "")
    assert why_stop(after([none, none, none, (RunTests(), ""), none, none, none]), LIMITS) is None
    assert why_stop(after([none, none, none, none]), LIMITS) is Stop.PROBLEMS


A, B, C = (Read(path="a"), "a"), (Read(path="b"), "b"), (Read(path="c"), "c")


@pytest.mark.parametrize(
    ("steps", "repeats"),
    [
        ([A], 1),
        ([A, A], 2),
        ([A, B, A], 1),
        ([A, A, A], 3),
        ([A, B, A, B], 2),
        ([C, A, B, A, B, A, B], 3),
        ([A, B, C, A, B, C, A, B, C], 3),
        ([A, A, A, B], 1),
        ([(RunTests(), "1 failed in 0.13s"), (RunTests(), "1 failed in 0.2s at 0x7f12")], 1),
        ([(RunTests(), "1 failed in 0.13s"), (RunTests(), "1 failed in 0.2s")], 2),
        ([(RunTests(), "1 failed"), (RunTests(), "2 failed")], 1),
    ],
)
def test_repeats(steps: list[tuple[Action | None, str]], repeats: int) -> None:
    assert after(steps).repeats == repeats


def test_a_nudge_comes_one_repeat_before_the_stop() -> None:
    assert nudge(after([A]), LIMITS) is None
    assert "something else" in (nudge(after([A, A]), LIMITS) or "")
    assert why_stop(after([A, A]), LIMITS) is None
    assert why_stop(after([A, A, A]), LIMITS) is Stop.REPEATS
    assert nudge(Progress(), Limits(repeats=2)) is None


@pytest.mark.parametrize(("steps", "times"), [([], 0), ([A], 1), ([B, A, (A[0], "other")], 2), ([A, A, B], 1)])
def test_the_same_action_counts_whatever_came_of_it(steps: list[tuple[Action | None, str]], times: int) -> None:
    assert after(steps).same_actions == times


def test_answers_without_an_action_count_as_the_same() -> None:
    progress = after([A])
    for problems in (1, 2):
        progress = progress.after_turn("", 10, 1.0)
        assert progress.same_actions == problems + 1


@pytest.mark.parametrize(
    ("repeated", "temperature", "warmer"), [(0, 0.2, 0.2), (1, 0.2, 0.2), (2, 0.2, 0.6), (9, 0.2, 1.0), (3, 1.2, 1.2)]
)
def test_who_repeats_itself_is_asked_at_a_higher_temperature(repeated: int, temperature: float, warmer: float) -> None:
    assert temperature_after(repeated, temperature) == pytest.approx(warmer)


def test_what_is_remembered_is_bounded() -> None:
    progress = after([(Read(path=str(number)), "") for number in range(100)])
    assert len(progress.recent) == 12
