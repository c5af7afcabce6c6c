"""The documentation's commands, run as they stand against a running june (without engines)."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.shell import run
from workers.local.session import QUESTION
from workers.local.stack import Embedded
from workers.settings import (
    PROJECT,
    CodeSettings,
    DiscordSettings,
    LlmSettings,
    SandboxSettings,
    TelegramSettings,
    WebSettings,
    WhisperSettings,
    environment,
)

pytestmark = pytest.mark.e2e

PAGES = {"README.md": 1, "docs/commands.md": 3, "docs/look-inside.md": 6, "docs/tests.md": 17, "docs/coding.md": 5}
"""Pages whose commands are run, and how many there are at least."""
PAGES_OF_SETTINGS = ("docs/models.md", "docs/telegram.md", "docs/discord.md", "docs/web.md", "docs/sandbox.md")
ELSEWHERE = {
    "make": "tests/test_docs.py looks the targets up; CI runs check and test",
    ".venv/bin/june up": "the fixture does",
    ".venv/bin/june doctor": "finds fault with the models that a stack without engines lacks: tests/workers",
    ".venv/bin/june code": "needs a model, a sandbox and tasks: tests/e2e/test_code.py",
    ".venv/bin/june tests health": "finds no worker in a stack without one: tests/e2e/test_integration_runs.py",
}
"""Commands that are not run here, and why."""


def commands(page: str) -> list[str]:
    """List the commands of a page's shell blocks; lines that end in a backslash go on."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", (PROJECT / page).read_text(), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [re.split(" +# ", line)[0].strip() for line in lines if line.strip()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder that looks like a checkout to the commands."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name in ("question.ogg", "a.ogg", "b.ogg"):
        shutil.copy(QUESTION, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
async def test_every_command_works(page: str, idle: Embedded, folder: Path) -> None:
    variables = {"JUNE_HOME": str(idle.home), "TEMPORAL_ADDRESS": idle.address}
    run_here = [command for command in commands(page) if not command.startswith(("export ", *ELSEWHERE))]
    for command in run_here:
        code, output = await run(command, folder, variables)
        assert code == 0, f"{command}\n{output}"
    assert len(run_here) >= PAGES[page]
    if any("--out reply.ogg" in command for command in run_here):
        assert (folder / "reply.ogg").read_bytes().startswith(b"OggS")


async def test_the_turn_that_was_started_by_hand_was_answered(idle: Embedded) -> None:
    result = await idle.client.get_workflow_handle("by-hand-1").result()
    assert result["status"] == "answered", json.dumps(result)


@pytest.mark.parametrize("page", PAGES_OF_SETTINGS)
def test_exported_settings_are_settings(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = " ".join(command for command in commands(page) if command.startswith("export "))
    exported = dict(re.findall(r"(JUNE_\w+)=(\$\(.+?\)|\S+)", exports))
    assert exported
    for name, value in exported.items():
        monkeypatch.setenv(name, value)
    areas = (
        LlmSettings,
        WhisperSettings,
        TelegramSettings,
        DiscordSettings,
        WebSettings,
        CodeSettings,
        SandboxSettings,
    )
    read = environment(*(area() for area in areas))
    assert {name: read.get(name, "").strip('[]"') for name in exported} == exported
