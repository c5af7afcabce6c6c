"""Docs that cannot lie: pages that are generated are compared, links and make targets are looked up."""

import re
import subprocess
from pathlib import Path

import pytest

from workers.commands.settings_page import page as settings_page
from workers.models.catalogue import models
from workers.settings import PROJECT

README = (PROJECT / "README.md").read_text()
PAGES = sorted(page for page in PROJECT.glob("[!.]*/**/*.md") if "var" not in page.relative_to(PROJECT).parts)
PAGES += sorted(PROJECT.glob("*.md"))


def test_the_settings_page_is_what_the_command_prints() -> None:
    assert (PROJECT / "docs" / "settings.md").read_text() == settings_page(), "june settings > docs/settings.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_make_target_of_the_readme_exists() -> None:
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert {"demo", "test", "check"} <= set(targets)
    for target in targets:
        planned = subprocess.run(
            ["make", "--dry-run", target], cwd=PROJECT, capture_output=True, text=True, check=False
        )
        assert planned.returncode == 0, planned.stderr


def test_every_model_has_a_licence_and_digests() -> None:
    for model in models().values():
        assert model.licence
        assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in model.files)


def test_the_changelog_knows_this_version() -> None:
    version = re.search(r'^version = "(.+)"', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f"## {version[1]}" in (PROJECT / "CHANGELOG.md").read_text()
