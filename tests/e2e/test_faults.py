"""A small fault campaign by ``june bench faults``: the whole is held by hand, and told in docs/reliability.md."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from workers.bench.faults.figures import FaultFigures
from workers.settings import PROJECT

pytestmark = pytest.mark.e2e

SEED = 5129
"""Of a campaign with the disk full, the store gone, the server and several workers killed, and no june up restarted."""
TURNS, CHATS, FAULTS = 60, 6, 7


async def test_a_small_campaign_loses_and_doubles_nothing(tmp_path: Path) -> None:
    sizes = {"--turns": TURNS, "--chats": CHATS, "--faults": FAULTS, "--seed": SEED, "--pace": 3, "--keep": tmp_path}
    campaign = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.cli", "bench", "faults", "--json"),
        *(str(part) for size in sizes.items() for part in size),
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, told = await campaign.communicate()
    assert printed, told.decode()
    figures = FaultFigures.model_validate_json(printed)
    assert figures.passed, told.decode()
    assert campaign.returncode == 0
    assert (figures.turns, figures.answered + figures.uncertain) == (TURNS, TURNS)
    assert figures.kills > 1
    assert sum(figures.done.values()) > FAULTS / 2  # one that finds its process gone is not counted
    assert (tmp_path / f"seed-{SEED}" / "outcomes.jsonl").read_text().count("\n") == TURNS
