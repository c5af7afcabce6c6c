"""``june bench validate``: the table, and a sample of each data set in the real sandbox."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.tasks.data_sets import listed
from tests.agent.tasks.test_data_sets import ROW, own
from workers.bench.cli import app
from workers.bench.validate import Validated, table, validate
from workers.errors import JuneError, UnavailableError

GOOD = Validated(name="good", tasks=2, references=2, untouched=0, checks=1200, seconds=1, problems=[])


def test_a_row_for_each_data_set() -> None:
    bad = GOOD.model_copy(update={"name": "bad", "references": 1, "untouched": 1})
    assert table([GOOD, bad]).splitlines()[2:] == [
        "| good | 2 | 100.0% | 0.0% | 1,200 | 0.50 |",
        "| bad | 2 | 50.0% | 50.0% | 1,200 | 0.50 |",
    ]
    assert (GOOD.sound, bad.sound) == (True, False)


async def test_a_data_set_that_is_not_there() -> None:
    with pytest.raises(JuneError, match=r"There is no data set none; .* \(data-set-unknown\)"):
        await validate(["none"], None, None, 1, print)


@pytest.mark.slow
async def test_a_sandbox_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_SANDBOX_BWRAP", "/nowhere/bwrap")
    with pytest.raises(UnavailableError, match="sandbox-unavailable"):
        await validate(["humaneval"], None, 1, 1, print)


@pytest.mark.slow
def test_a_sample_of_each_data_set_is_sound() -> None:
    done = CliRunner().invoke(app, ["validate", "--limit", "2", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["ok"]
    assert [each["name"] for each in told["sets"]] == list(listed())


@pytest.mark.slow
def test_a_set_that_is_not_sound_is_told(tmp_path: Path) -> None:
    rows = [
        {**ROW, "task_id": 1},
        {**ROW, "task_id": 2, "code": "def one(): return 2"},
    ]
    sets = own(tmp_path, json.dumps(rows).encode())
    done = CliRunner().invoke(app, ["validate", "own", "--sets", str(sets)])
    assert done.exit_code == 1
    assert "| own | 2 | 50.0% | 0.0% | 1 |" in done.stdout
    assert "MBPP/2: the reference is wrong: assert one() == 1: is not so" in done.output
