"""``june bench`` around a measurement that is made up."""

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from workers.bench import endurance
from workers.bench.cli import app
from workers.bench.endurance import Endurance

FIGURES = Endurance(
    turns=60,
    first_ms=1.5,
    early_ms=2.0,
    late_ms=2.0,
    ratio_late_to_early=1.0,
    runs=1,
    most_events=800,
    most_bytes=245_000,
)


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    async def bench_endurance(turns: int, log: Callable[[str], None]) -> Endurance:
        log("60 turns: 2 ms")
        return FIGURES.model_copy(update={"turns": turns})

    monkeypatch.setattr(endurance, "bench_endurance", bench_endurance)


def test_figures_are_lines_for_people() -> None:
    done = CliRunner().invoke(app, ["endurance", "--turns", "70"])
    assert done.exit_code == 0
    assert "turns                      70\n" in done.stdout
    assert "most_bytes                 245000\n" in done.stdout


def test_figures_are_one_object_for_programs() -> None:
    done = CliRunner().invoke(app, ["endurance", "--turns", "70", "--json"])
    assert json.loads(done.stdout) == FIGURES.model_dump() | {"turns": 70}


def test_too_few_turns_are_refused() -> None:
    assert CliRunner().invoke(app, ["endurance", "--turns", "10"]).exit_code == 2
