"""The README's commands, run as they stand against a running june (without engines)."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.shell import run
from workers.local.session import QUESTION
from workers.local.stack import Embedded
from workers.settings import PROJECT, DiscordSettings, LlmSettings, TelegramSettings, WhisperSettings, environment

pytestmark = pytest.mark.e2e

ELSEWHERE = {
    "make": "tests/test_docs.py looks the targets up; CI runs check and test",
    ".venv/bin/june up": "the fixture does",
    ".venv/bin/june doctor": "finds fault with the models that a stack without engines lacks: tests/workers",
}
"""Commands that are not run here, and why."""


def commands() -> list[str]:
    """Take the README's shell blocks apart, a command each; lines that end in a backslash go on."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", (PROJECT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a checkout to the README's commands."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name in ("question.ogg", "a.ogg", "b.ogg"):
        shutil.copy(QUESTION, tmp_path / name)
    return tmp_path


async def test_every_command_works(idle: Embedded, folder: Path) -> None:
    variables = {"JUNE_HOME": str(idle.home), "TEMPORAL_ADDRESS": idle.address}
    ran = 0
    for command in commands():
        if command.startswith(("export ", *ELSEWHERE)):
            continue
        code, output = await run(command, folder, variables)
        assert code == 0, f"{command}\n{output}"
        ran += 1
    assert ran >= 7
    assert (folder / "reply.ogg").read_bytes().startswith(b"OggS")


async def test_the_turn_that_was_started_by_hand_was_answered(idle: Embedded) -> None:
    result = await idle.client.get_workflow_handle("by-hand-1").result()
    assert result["status"] == "answered", json.dumps(result)


def test_exported_settings_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    exported = dict(
        pair.split("=", 1) for line in commands() if line.startswith("export ") for pair in line.split()[1:]
    )
    for name, value in exported.items():
        monkeypatch.setenv(name, value)
    read = environment(LlmSettings(), WhisperSettings(), TelegramSettings(), DiscordSettings())
    assert {name: read.get(name, "").strip('[]"') for name in exported} == exported
