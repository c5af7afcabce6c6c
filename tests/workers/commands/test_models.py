"""``june models``."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from workers.commands import models as models_cli
from workers.models.catalogue import Model, models
from workers.models.pull import PullError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home."""
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    return tmp_path


def june_models(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the command with --json; its exit code and what it printed."""
    done = CliRunner().invoke(models_cli.app, [*arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_list_says_what_is_missing(home: Path) -> None:
    code, report = june_models("list")
    assert code == 0
    assert {row["name"] for row in report["models"]} == set(models())
    assert {row["state"] for row in report["models"]} == {"model-missing"}
    assert not report["ok"]


def test_list_is_a_table_for_people(home: Path) -> None:
    done = CliRunner().invoke(models_cli.app, ["list"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert "whisper-base" in done.stdout
    assert "Apache-2.0" in done.stdout


def test_verify_of_what_is_not_there_is_a_problem_only_when_named(home: Path) -> None:
    assert june_models("verify")[0] == 0
    code, report = june_models("verify", "whisper-base")
    assert code == 1
    assert "june models pull whisper-base" in report["models"][0]["error"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), ["whisper-base", "en_US-joe-medium", "qwen2.5-coder-1.5b-instruct"]),
        (("--demo",), ["whisper-base", "en_US-joe-medium", "qwen2.5-coder-1.5b-instruct"]),
        (("--tests",), ["whisper-base", "en_US-joe-medium", "smollm2-135m-instruct"]),
        (("--tests", "--demo"), list(models())),
        (("smollm2-135m-instruct",), ["smollm2-135m-instruct"]),
    ],
)
def test_pull_brings_sets_or_names(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], names: list[str]
) -> None:
    monkeypatch.setattr(models_cli, "pull", lambda *_arguments, **_options: True)
    code, report = june_models("pull", *arguments)
    assert code == 0
    assert [row["name"] for row in report["models"]] == names
    assert report["ok"]


def test_a_pull_that_fails_says_why_and_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pull(model: Model, *_arguments: object, **_options: object) -> bool:
        if model.kind == "speech-to-text":
            raise PullError("no network [today]")
        return False

    monkeypatch.setattr(models_cli, "pull", pull)
    code, report = june_models("pull", "--tests")
    assert code == 1
    assert [row["state"] for row in report["models"]] == ["failed", "ready", "ready"]
    assert "no network [today]" in CliRunner().invoke(models_cli.app, ["pull", "--tests"]).stdout
