"""``june tests``."""

import pytest
from typer.testing import CliRunner

from workers.commands.testruns import app


@pytest.mark.parametrize(
    "command", ["run", "status", "results", "logs", "list", "cancel", "health", "schedule create", "schedule pause"]
)
def test_help(command: str) -> None:
    assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0
