"""From a role to what its worker serves."""

import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from workers.roles.registry import build_spec
from workers.roles.role import OPTIONAL, Role
from workers.settings import PROJECT

SERVED = {
    Role.WORKFLOWS: {"forget", "measure_turns"},
    Role.GPU: {"transcribe", "infer", "think", "pin_model", "complete", "plan_speech", "measure"},
    Role.CPU: {"synthesize", "transcribe", "say"},
    Role.FILE: {"fetch", "reply", "send_file"},
}


@pytest.mark.parametrize("role", sorted(set(Role) - set(OPTIONAL)))
async def test_a_role_serves_its_activities(
    role: Role, dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    monkeypatch.setenv("JUNE_ENGINES", "none")
    spec = await build_spec(role, dev_server.client)
    assert {activity.__name__ for activity in spec.activities} == SERVED[role]
    assert bool(spec.workflows) is (role is Role.WORKFLOWS)
    assert spec.slots > 0


@pytest.mark.slow
def test_a_process_imports_the_libraries_of_its_own_role_alone() -> None:
    libraries = "{'telegram', 'discord', 'openai', 'faster_whisper', 'piper'}"
    code = f"import sys, workers.process, workers.roles.telegram; print(*sorted({libraries} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["telegram"]
