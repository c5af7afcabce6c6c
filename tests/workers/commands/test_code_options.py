"""Options of ``june code``."""

import pytest
import typer
from typer.testing import CliRunner

from agent.limits import Limits
from workers.commands.code_options import LIMITS, RUN, TaskGroup, remark_of, request_of

app = typer.Typer(cls=TaskGroup, no_args_is_help=True)


@app.command(RUN)
def run(task: str, *, often: int = 1) -> None:
    """Say what is to be done."""
    typer.echo(f"{task} x{often}")


@app.command("list")
def show() -> None:
    """Say what there is."""
    typer.echo("a list")


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["fix it"], "fix it x1"),
        (["fix it", "--often", "2"], "fix it x2"),
        (["--often", "2", "fix it"], "fix it x2"),
        (["list"], "a list"),
        (["list all files"], "list all files x1"),
        (["run", "list"], "list x1"),
        (["--", "list"], "list x1"),
        (["--often", "3", "list"], "list x3"),
        (["run", "--", "--help"], "--help x1"),
        (["--", "-v"], "-v x1"),
        ([""], " x1"),
    ],
)
def test_a_task_stands_beside_the_commands(words: list[str], printed: str) -> None:
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, done.stdout) == (0, f"{printed}\n"), done.output


@pytest.mark.parametrize(("words", "code"), [([], 2), (["--help"], 0), (["list", "all"], 2), (["--wrong"], 2)])
def test_help_and_wrong_usage_start_nothing(words: list[str], code: int) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code
    assert " x1" not in done.output


def test_a_request_is_what_the_options_say() -> None:
    request = request_of(" Fix it.\n", "make test", "big", 3, 60)
    assert (request.task, request.test_command, request.model) == ("Fix it.", "make test", "big")
    assert request.limits == Limits(steps=3, seconds=60)
    assert request_of("Fix it.", None, None, LIMITS.steps, LIMITS.seconds).limits == Limits()


@pytest.mark.parametrize("task", ["", "  \n", "x" * 20_001, "\udcff"])
def test_what_is_no_task(task: str) -> None:
    with pytest.raises(typer.BadParameter, match="task: "):
        request_of(task, None, None, 1, 1)


def test_what_can_be_said() -> None:
    assert remark_of(" Mind the zero. ") == "Mind the zero."
    for text in ("", " ", "x" * 2001):
        with pytest.raises(typer.BadParameter, match="at most 2000"):
            remark_of(text)
