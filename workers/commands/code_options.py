"""Options of ``june code``, and how a bare task stands beside its commands."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from agent.limits import Limits
from workflows.coding.contracts import MAX_REMARK_CHARS, CodingRequest

RUN = "run"
LIMITS = Limits()
"""Of a task that says nothing else."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, at the end, for programs.")]
Task = Annotated[str, typer.Argument(help="A task's name; by default the last.", metavar="NAME")]
Named = Annotated[str, typer.Argument(help="The task's name.", metavar="NAME")]
Steps = Annotated[int, typer.Option(help="Most steps.", min=1, max=1000)]
Seconds = Annotated[float, typer.Option(help="Longest time, in seconds; pauses do not count.", min=1, max=86_400)]
Folder = Annotated[
    Path,
    typer.Option(
        "--workspace",
        help="Folder to work on; the agent gets a copy.",
        exists=True,
        file_okay=False,
        resolve_path=True,
        metavar="DIR",
    ),
]
Elsewhere = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        help="Folder to change; by default the one that the task was started with, on this machine.",
        exists=True,
        file_okay=False,
        resolve_path=True,
        metavar="DIR",
    ),
]


class TaskGroup(TyperGroup):
    """Commands, of which ``run`` is meant wherever the first word is none of them."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put ``run`` before a bare task, or before the options of one."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [RUN, *args]
        return super().parse_args(ctx, args)


def request_of(task: str, test: str | None, model: str | None, steps: int, seconds: float) -> CodingRequest:
    """Build a request, without its workspace, from the options.

    Raises:
        typer.BadParameter: the task is empty or too long.

    """
    limits = Limits(steps=steps, seconds=seconds)
    try:
        return CodingRequest(task=task.strip(), test_command=test, model=model, limits=limits)
    except ValidationError as error:
        wrong = "; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors())
        raise typer.BadParameter(f"This is no task ({wrong}).") from None


def remark_of(text: str) -> str:
    """Return what is said to the agent.

    Raises:
        typer.BadParameter: it is nothing, or too long.

    """
    if not 0 < len(text.strip()) <= MAX_REMARK_CHARS:
        raise typer.BadParameter(f"Say something, in at most {MAX_REMARK_CHARS} characters.")
    return text.strip()
