"""The table of campaigns, and whether one has passed."""

import pytest

from workers.bench.faults.figures import ROWS, FaultFigures, table

GOOD = FaultFigures(
    seed=1,
    chats=30,
    turns=1000,
    minutes=8.5,
    done={"kill temporal": 2, "kill worker-gpu": 3, "disk full": 1, "blob store gone": 0},
    answered=997,
    uncertain=3,
    uncertain_arrived=2,
    uncertain_told=3,
    without_voice=0,
    failed_told=0,
    lost=0,
    doubled=0,
    out_of_order=0,
    wrong_memory=0,
    remembered_all=990,
    left_processes=[],
    left_files=[],
    left_workflows=[],
    faults=[],
)


def test_a_campaign_is_a_column() -> None:
    lines = table([GOOD, GOOD.model_copy(update={"seed": 2, "done": {"disk full": 2}})]).splitlines()
    assert lines[:3] == ["| seed | 1 | 2 |", "|---|---|---|", "| turns, on chats | 1,000 on 30 | 1,000 on 30 |"]
    assert "| processes killed by `kill -9` | 5 | 0 |" in lines
    assert "| uncertain, as the turn's result says | 3 | 3 |" in lines
    assert lines[2 + len(ROWS) :] == [
        "| kill temporal | 2 | 0 |",
        "| kill worker-gpu | 3 | 0 |",
        "| disk full | 1 | 2 |",
    ]


def test_uncertain_answers_are_no_failure() -> None:
    assert GOOD.passed


@pytest.mark.parametrize("figure", ["lost", "doubled", "failed_told", "out_of_order", "wrong_memory"])
def test_one_bad_turn_is_a_failure(figure: str) -> None:
    assert not GOOD.model_copy(update={figure: 1}).passed


@pytest.mark.parametrize("left", ["left_processes", "left_files", "left_workflows"])
def test_anything_left_is_a_failure(left: str) -> None:
    assert not GOOD.model_copy(update={left: ["a"]}).passed


def test_programs_read_what_they_are_given() -> None:
    assert FaultFigures.model_validate_json(GOOD.model_dump_json()) == GOOD
    assert '"passed":true' in GOOD.model_dump_json()
