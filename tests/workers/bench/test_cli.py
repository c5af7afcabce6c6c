"""``june bench`` around a measurement that is made up."""

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from tests.workers.bench.faults.test_figures import GOOD
from workers.bench import endurance
from workers.bench.cli import app
from workers.bench.endurance import Endurance
from workers.bench.faults import run
from workers.bench.faults.campaign import Options
from workers.bench.faults.figures import FaultFigures

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


def test_a_campaign_is_held_for_each_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def bench_faults(options: Options, log: Callable[[str], None]) -> FaultFigures:
        log("no disk is filled")
        lost = ["message 3 of chat tele3: lost"] if options.seed == 2 else []
        return GOOD.model_copy(update={"seed": options.seed, "lost": len(lost), "faults": lost})

    monkeypatch.setattr(run, "bench_faults", bench_faults)
    done = CliRunner().invoke(app, ["faults", "--seed", "1", "--seed", "3"])
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "| seed | 1 | 3 |")
    done = CliRunner().invoke(app, ["faults", "--seed", "1", "--seed", "2", "--json"])
    assert (done.exit_code, [json.loads(line)["lost"] for line in done.stdout.splitlines()]) == (1, [0, 1])
    assert "seed 2: message 3 of chat tele3: lost" in done.stderr
