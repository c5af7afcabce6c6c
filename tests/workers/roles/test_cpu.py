"""The CPU worker transcribes where the setting says so."""

from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from workers.roles.cpu import build


@pytest.mark.parametrize(
    ("transcribes", "names"), [("true", ["synthesize", "say", "transcribe"]), ("false", ["synthesize", "say"])]
)
async def test_transcription_is_a_setting(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, transcribes: str, names: list[str]
) -> None:
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    monkeypatch.setenv("JUNE_ENGINES", "none")
    monkeypatch.setenv("JUNE_CPU_TRANSCRIBE", transcribes)
    monkeypatch.setenv("JUNE_PIPER_PARALLEL", "3")
    spec = await build(dev_server.client)
    assert ([activity.__name__ for activity in spec.activities], spec.slots) == (names, 3)
