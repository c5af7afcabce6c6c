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

from workers.registry import workflow_types

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("activities", "agent", "bots", "workers", "workflows")
HEAVY = ("faster_whisper", "ctranslate2", "onnxruntime", "piper", "xllamacpp", "av", "openai")
MAX_LINES = 400


def sources() -> list[Path]:
    """List june's own Python files."""
    return [path for folder in (*PACKAGES, "tests") for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_this_tree(name: str) -> None:
    assert importlib.import_module(name).__file__ == str(ROOT / name / "__init__.py")


@pytest.mark.parametrize("kind", workflow_types(), ids=lambda kind: kind.__name__)
async def test_workflows_load_in_the_sandbox(kind: type) -> None:
    SandboxedWorkflowRunner().prepare_workflow(definition(kind))


def definition(kind: type) -> Any:  # noqa: ANN401
    """Read a workflow's definition, for which the SDK has no public name."""
    return workflow._Definition.must_from_class(kind)


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_do_nothing_when_imported(name: str) -> None:
    lines = (ROOT / name / "__init__.py").read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith('"""')
    assert lines[0].endswith('"""')


def test_docker_holds_no_code() -> None:
    assert list((ROOT / "docker").rglob("*.py")) == []


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): n for path in sources() if (n := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert long == {}


@pytest.mark.slow
@pytest.mark.parametrize("module", ["workers.cli", "workers.embedded", "workers.doctor", "bots.intake"])
def test_light_modules_load_no_engine(module: str) -> None:
    assert loaded_by(module).isdisjoint(HEAVY)


def loaded_by(module: str) -> set[str]:
    """Import a module in a fresh interpreter; list what that loaded."""
    code = f"import sys, json, {module}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))
