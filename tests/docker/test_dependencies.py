"""june runs with what the image installs, and without what only its tests need."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parent.parent.parent / "requirements"
IMPORTS = """
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys(sys.argv[1:]))  # an import of these fails
for package in ("activities", "agent", "bots", "workers", "workflows"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if module.name != "activities.testruns.pytest_plugin":  # loaded by pytest alone, in the tests' own process
            importlib.import_module(module.name)
"""


def pinned(file: str) -> set[str]:
    """Name the distributions of a lock file."""
    return set(re.findall(r"^([\w.-]+)==", (REQUIREMENTS / file).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.slow
def test_everything_can_be_imported_without_what_only_tests_need() -> None:
    for_tests = pinned("dev.txt") - pinned("run.txt")
    absent = [
        module
        for module, origins in packages_distributions().items()
        if all(re.sub("[._]", "-", origin).lower() in for_tests for origin in origins)
    ]
    assert "hypothesis" in absent
    done = subprocess.run([sys.executable, "-c", IMPORTS, *absent], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
