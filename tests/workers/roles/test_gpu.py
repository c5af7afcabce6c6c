"""The GPU worker takes as much at once as the setting says."""

from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from workers.roles.gpu import build
from workers.roles.live_first import LiveFirst


async def test_slots_are_those_of_the_setting(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    monkeypatch.setenv("JUNE_ENGINES", "none")
    monkeypatch.setenv("JUNE_GPU_SLOTS", "5")
    monkeypatch.setenv("JUNE_CODE_PARALLEL", "3")
    spec = await build(dev_server.client)
    assert (spec.slots, spec.background) == (5 + 1 + 3, None)
    assert {"transcribe", "measure", "plan_speech", "pin_model", "complete"} <= {
        activity.__name__ for activity in spec.activities
    }
    assert [type(interceptor) for interceptor in spec.interceptors] == [LiveFirst]
