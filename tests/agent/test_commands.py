"""Commands as the sandbox runs them."""

import subprocess
from pathlib import Path

import pytest

from activities.sandbox.sandbox import ExecResult
from agent.actions import Run, Search
from agent.commands import PYTEST, Outcome, argv, find_test_command, passed, shell
from agent.transcript import Task


def test_a_command_is_a_line_of_a_shell() -> None:
    assert argv(Run(command="ls | wc -l\0")) == shell("ls | wc -l") == ("bash", "-c", "ls | wc -l")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("def (one|two)", "./a.py:1:def one():\n"),
        ("-x", "./a.py:2:    return -x\n"),
        ("\0nothing", ""),
    ],
)
def test_searches(tmp_path: Path, pattern: str, found: str) -> None:
    (tmp_path / "a.py").write_text("def one():\n    return -x\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a.py").write_text("def one():\n    return -x\n")
    (tmp_path / "binary").write_bytes(b"\0def one -x")
    done = subprocess.run(argv(Search(pattern=pattern)), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (found, "")


@pytest.mark.parametrize(
    ("command", "paths", "expected"),
    [
        ("make test", [], "make test"),
        (None, [], None),
        (None, ["tests.py", "latest.py", "test_data.json"], None),
        (None, ["pkg/test_a.py"], PYTEST),
        (None, ["a_test.py"], PYTEST),
    ],
)
def test_the_test_command(command: str | None, paths: list[str], expected: str | None) -> None:
    assert find_test_command(Task(text="", test_command=command), paths) == expected


def test_the_exit_code_decides() -> None:
    results: list[Outcome] = [ExecResult(code, "1 passed in 0.1s") for code in (0, 1, 5, None)]
    assert [passed(result) for result in results] == [True, False, False, False]
