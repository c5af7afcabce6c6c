"""``june tests schedule`` on a real server."""

import asyncio
import json
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from workers.commands.testruns import app


@pytest.mark.parametrize("arguments", [["create", "x"], ["create", "x", "--cron", "0 3 * * *", "--every", "1h"]])
def test_a_schedule_needs_one_time(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["schedule", *arguments]).exit_code == 2


@pytest.mark.usefixtures("address")
async def test_a_schedule_from_its_creation_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_TELEGRAM_OWNERS", "11")
    name = f"often-{uuid4().hex[:8]}"
    assert "; telegram:11 is told of failures" in await schedule("create", name, "--every", "6h")
    assert "goes on" not in await schedule("pause", name)
    assert json.loads(await schedule("list", "--json"))
    assert next(row for row in json.loads(await schedule("list", "--json")) if row["id"] == name)["paused"]
    assert await schedule("pause", name, "--resume") == f"{name} goes on\n"
    assert name in await schedule("list")
    assert await schedule("delete", name) == f"{name} is no more\n"


async def schedule(*arguments: str) -> str:
    """Run the command; return what it prints."""
    done = await asyncio.to_thread(CliRunner().invoke, app, ["schedule", *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.stdout
