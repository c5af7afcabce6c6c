"""``june licences``."""

import json

import pytest
from typer.testing import CliRunner

from workers import cli
from workers.commands.licences import print_licences
from workers.commands.sbom import TYPES
from workers.commands.shipped import Part

PARTS = [
    Part(kind="package", name="june", version="1.0", licence="GPL-3.0-or-later"),
    Part(kind="program", name="tool", licence="MIT", home="https://example.org", package="carrier"),
]


def test_everything_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_licences(PARTS, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "package  june               1.0  GPL-3.0-or-later",
        "program  tool (in carrier)       MIT               https://example.org",
    ]


def test_what_is_not_known_is_said_and_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert not print_licences([*PARTS, Part(kind="package", name="odd", version="2")], as_json=False)
    assert capsys.readouterr().out.splitlines()[-1].split() == ["package", "odd", "2", "unknown"]
    assert not print_licences([Part(kind="package", name="odd")], as_json=True)
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_the_command_lists_packages_models_files_and_images() -> None:
    done = CliRunner().invoke(cli.app, ["licences", "--json"])
    report = json.loads(done.stdout)
    assert (done.exit_code, report["ok"]) == (0, True)
    rows = {row["name"]: row for row in report["parts"]}
    assert rows["temporalio"]["licence"] == "MIT"
    assert rows["espeak-ng"]["package"] == "piper-tts"
    assert {row["kind"] for row in rows.values()} == {*TYPES}
    assert "qwen2.5-coder-1.5b-instruct" in CliRunner().invoke(cli.app, ["licences"]).stdout
