"""However many people there are, what a run of Access hands to the next is small enough for Temporal."""

import pytest

from workflows.access.bounds import MAX_HOLDS, carried, fitting, is_too_large
from workflows.access.contracts import AccessState, AccessView, Hold, Permission, Usage

TAKEN_BYTES = 1_000_000
"""Half of what Temporal takes."""


def usage(messages: int, arrivals: int = 0) -> Usage:
    times = tuple(1000.0 + number / 100 for number in range(arrivals))
    return Usage(day="2026-01-02", messages=messages, arrivals=times, name="\N{OX}" * 120)


@pytest.mark.parametrize(("people", "arrivals"), [(20_000, 0), (500, 1000)])
def test_what_is_carried_is_bounded(people: int, arrivals: int) -> None:
    state = AccessState(platform="test", usage={f"user-{n}": usage(n, arrivals) for n in range(people)})
    kept = carried(state, now=1005.0)
    assert len(kept.model_dump_json().encode()) < TAKEN_BYTES
    assert f"user-{people - 1}" in kept.usage, "those with the most messages are still counted"


def test_of_few_people_all_is_carried_but_old_arrivals() -> None:
    state = AccessState(platform="test", usage={"ada": usage(3, 3), "bob": usage(1)})
    assert carried(state, now=1005.0) == state
    assert carried(state, now=2000.0).usage["ada"].arrivals == ()


def test_names_and_holds_give_way_to_permissions() -> None:
    people = {f"user-{n}": Permission.ALLOWED for n in range(5000)}
    view = AccessView(standings=people, names=dict.fromkeys(people, "x" * 120))
    assert fitting(view) == AccessView(standings=people)
    held = {f"user-{n}": Hold(messages_until=n) for n in range(2 * MAX_HOLDS)}
    assert set(fitting(AccessView(holds=held)).holds) == {f"user-{n}" for n in range(MAX_HOLDS, 2 * MAX_HOLDS)}
    assert is_too_large(fitting(AccessView(standings={f"user-{n}": Permission.ALLOWED for n in range(20_000)})))
