"""The repository's shape: names resolve to this tree, workflows are safe to run, and the light stays light."""

import ast
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
HEAVY = ("faster_whisper", "ctranslate2", "onnxruntime", "piper", "xllamacpp", "av", "openai", "damga")
CONSOLE = ("typer", "rich")
TOO_MANY_METHODS = 20
WITHOUT_A_TEST = {
    "declarations only": {
        "activities/platforms/platform.py",
        "activities/testruns/pytest_protocol.py",
        "workers/bench/sizes.py",
        "workers/roles/spec.py",
    },
    "measures for minutes (june bench)": {
        "workers/bench/endurance.py",
        "workers/bench/faults/campaign.py",
        "workers/bench/faults/injection.py",
        "workers/bench/faults/june.py",
        "workers/bench/faults/model.py",
        "workers/bench/faults/run.py",
        "workers/bench/stack.py",
        "workers/bench/summary.py",
        "workers/bench/turn.py",
    },
    "names of 0.1.0, kept for one release": {
        "workers/platforms/discord.py",
        "workers/platforms/telegram.py",
    },
}
"""Modules that have no test file of their own, by the reason."""


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


def test_classes_have_few_methods() -> None:
    methods = {
        f"{path.relative_to(ROOT)}: {node.name}": sum(
            isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body
        )
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    assert {name: count for name, count in methods.items() if count >= TOO_MANY_METHODS} == {}


def test_every_module_has_its_test_file_or_a_reason_why_not() -> None:
    names = {str(path.relative_to(ROOT)) for path in modules() if path.name != "__init__.py"}
    untested = {name for name in names if not (ROOT / "tests" / name).with_name(f"test_{Path(name).name}").exists()}
    assert untested == set().union(*WITHOUT_A_TEST.values())


def modules() -> list[Path]:
    """List the files of the five packages."""
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


@pytest.mark.slow
@pytest.mark.parametrize("module", ["workers.cli", "workers.local.stack", "workers.commands.doctor", "bots.intake"])
def test_light_modules_load_no_engine(module: str) -> None:
    assert loaded_by(module).isdisjoint(HEAVY)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "unwanted"),
    [("workers.process", (*HEAVY, *CONSOLE)), ("activities.audio.decoder_process", ("temporalio", "pydantic"))],
)
def test_processes_load_only_what_they_need(module: str, unwanted: tuple[str, ...]) -> None:
    assert loaded_by(module).isdisjoint(unwanted)


def loaded_by(module: str) -> set[str]:
    """Import a module in a fresh interpreter; list what that loaded."""
    code = f"import sys, json, {module}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))
