"""Docs that cannot lie: pages that are generated are compared, links and make targets are looked up."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped] # a dependency of huggingface-hub, without types

from activities.error_codes import CodingCode
from agent.limits import Limits
from workers.bench.faults.figures import ROWS as FAULT_ROWS
from workers.bench.faults.plan import Kind
from workers.bench.report import ROWS
from workers.commands.settings_page import page as settings_page
from workers.models.catalogue import models
from workers.roles.role import Role
from workers.settings import PROJECT

README = (PROJECT / "README.md").read_text()
ARCHITECTURE = (PROJECT / "docs" / "architecture.md").read_text()
BENCHMARKS = (PROJECT / "docs" / "benchmarks.md").read_text()
TOUR = (PROJECT / "docs" / "tour.md").read_text()
PAGES = sorted(page for page in PROJECT.glob("[!.]*/**/*.md") if "var" not in page.relative_to(PROJECT).parts)
PAGES += sorted(PROJECT.glob("*.md"))


def test_the_settings_page_is_what_the_command_prints() -> None:
    assert (PROJECT / "docs" / "settings.md").read_text() == settings_page(), "june settings > docs/settings.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    for target, heading in re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)\)", page.read_text()):
        headings = re.findall(r"^#+ (.+)$", (page.parent / target if target else page).read_text(), re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_names_in_the_code_are_defined_there(page: Path) -> None:
    """``folder/file.py::Class.method`` stands for a definition; a link around it leads to that file."""
    text = page.read_text()
    for file, name in re.findall(r"`(\w+/[\w/]+\.py)::([\w.]+)`", text):
        assert name in definitions(ast.parse((PROJECT / file).read_text())), f"{file} defines no {name}"
    for file, link in re.findall(r"\[`([\w/]+\.py)(?:::[\w.]+)?`\]\(([^)]+)\)", text):
        assert (page.parent / link).resolve() == PROJECT / file


def definitions(tree: ast.Module | ast.ClassDef, prefix: str = "") -> set[str]:
    """List what a module or class defines by ``def`` and ``class``, by qualified name."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(prefix + node.name)
        if isinstance(node, ast.ClassDef):
            found |= definitions(node, f"{prefix}{node.name}.")
    return found


def test_the_tour_has_at_most_six_hops() -> None:
    assert 4 <= len(re.findall(r"^\d+\. ", TOUR, re.MULTILINE)) <= 6


def test_the_import_rules_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rules = dict(re.findall(r"^\| (.+?) \| (.+) \|$", ARCHITECTURE, re.MULTILINE))
    for contract in contracts:
        rule = rules[contract["name"]]
        modules = re.findall(r"\w+", " ".join(contract.get("layers", ())))
        assert [module for module in modules if f"`{module}`" not in rule] == [], contract["name"]


def test_the_roles_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([\w-]+)` \|", ARCHITECTURE, re.MULTILINE)
    assert rows == [(role.value, role.queue) for role in Role]


def test_the_readme_is_short() -> None:
    lines = README.splitlines()
    assert len(lines) <= 110
    assert [line for line in lines if len(line) > 100] == []


def test_every_make_target_exists() -> None:
    targets = {target for page in PAGES for target in re.findall(r"^make (\w+)", page.read_text(), re.MULTILINE)}
    assert {"demo", "test", "check", "unit", "bench"} <= targets
    for target in targets:
        planned = subprocess.run(
            ["make", "--dry-run", target], cwd=PROJECT, capture_output=True, text=True, check=False
        )
        assert planned.returncode == 0, planned.stderr


def test_the_figures_are_those_of_the_benchmarks() -> None:
    (block,) = re.findall(r"<!-- june bench all -->\n(.+)<!-- end -->", BENCHMARKS, re.DOTALL)
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", block, re.MULTILINE)[1:]
    assert [label for label, _figure in rows] == [label for label, *_ in ROWS]
    (headlines,) = re.findall(r"^\| measured on .+?\n\n", README, re.MULTILINE | re.DOTALL)
    shown = re.findall(r"^\| .+ \| ([\d.]+.*?) \|$", headlines, re.MULTILINE)
    assert len(shown) == 4
    assert set(shown) <= {figure for _label, figure in rows}


def test_the_figures_of_reliability_are_those_of_the_campaigns() -> None:
    page = (PROJECT / "docs" / "reliability.md").read_text()
    (block,) = re.findall(r"<!-- june bench faults -->\n(.+)<!-- end -->", page, re.DOTALL)
    labels = re.findall(r"^\| (.+?) \|", block, re.MULTILINE)
    assert labels[0] == "seed"
    assert labels[1 : 1 + len(FAULT_ROWS)] == [label for label, _cell in FAULT_ROWS]
    assert set(labels[1 + len(FAULT_ROWS) :]) <= {kind.value for kind in Kind}


def test_every_code_of_a_coding_task_is_explained() -> None:
    _, faults = (PROJECT / "docs" / "coding.md").read_text().split("## When something goes wrong")
    assert {code.value for code in CodingCode} <= set(re.findall(r"`([a-z-]+)`", faults))


def test_the_limits_of_a_coding_task_are_the_defaults() -> None:
    (limits,) = re.findall(r"^\| `limits` \| `(.+?)` \|", (PROJECT / "docs" / "coding.md").read_text(), re.MULTILINE)
    assert Limits.model_validate_json(limits) == Limits()


def test_every_model_has_a_licence_and_digests() -> None:
    for model in models().values():
        assert model.licence
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in model.files)


def test_the_changelog_knows_this_version() -> None:
    version = re.search(r'^version = "(.+)"', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f"## {version[1]}" in (PROJECT / "CHANGELOG.md").read_text()


def test_hooks_and_hosted_checks_are_those_of_make_and_ci() -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    planned = subprocess.run(["make", "--dry-run", "check"], cwd=PROJECT, capture_output=True, text=True, check=True)
    checks = [line.removesuffix(" .") for line in planned.stdout.splitlines() if line.startswith(".venv/bin/")]
    assert [hook["entry"] for hook in hooks] == checks
    steps = yaml.safe_load((PROJECT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]["ci"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
