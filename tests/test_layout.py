"""The repository's shape: names resolve to this tree, workflows are safe to run, and the light stays light."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from workers.roles.workflows import WORKFLOWS

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("activities", "agent", "bots", "workers", "workflows")
HEAVY = ("faster_whisper", "ctranslate2", "onnxruntime", "piper", "xllamacpp", "av", "openai")


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_this_tree(name: str) -> None:
    assert importlib.import_module(name).__file__ == str(ROOT / name / "__init__.py")


@pytest.mark.parametrize("kind", WORKFLOWS, ids=lambda kind: kind.__name__)
async def test_workflows_load_in_the_sandbox(kind: type) -> None:
    SandboxedWorkflowRunner().prepare_workflow(definition(kind))


def definition(kind: type) -> Any:  # noqa: ANN401
    """Read a workflow's definition, for which the SDK has no public name."""
    return workflow._Definition.must_from_class(kind)


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_do_nothing_when_imported(name: str) -> None:
    for init in (ROOT / name).rglob("__init__.py"):
        (line,) = init.read_text().splitlines()
        assert line.startswith('"""')
        assert line.endswith('"""')


def test_docker_holds_no_code() -> None:
    assert list((ROOT / "docker").rglob("*.py")) == []


@pytest.mark.slow
@pytest.mark.parametrize("module", ["workers.cli", "workers.local.stack", "workers.commands.doctor", "bots.intake"])
def test_light_modules_load_no_engine(module: str) -> None:
    assert loaded_by(module).isdisjoint(HEAVY)


def loaded_by(module: str) -> set[str]:
    """Import a module in a fresh interpreter; list what that loaded."""
    code = f"import sys, json, {module}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))
