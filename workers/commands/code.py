"""``june code``: tasks for the coding agent, started, watched, talked to, and their changes applied."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from temporalio.client import Client

from workers.clients import coding
from workers.clients.testruns import ended
from workers.commands import code_options as options
from workers.commands import code_workspace as workspace
from workers.commands.code_output import (
    EXIT_CODES,
    Screen,
    TaskResult,
    TaskStatus,
    printable,
    show_tasks,
    write_patch,
)
from workers.commands.testruns_output import with_client, write_json, write_line
from workers.errors import ExitCode, JuneError
from workers.settings import StorageSettings
from workflows.coding.contracts import CodingOutcome, CodingReport, CodingStatus

app = typer.Typer(
    cls=options.TaskGroup,
    no_args_is_help=True,
    subcommand_metavar='"TASK" --workspace DIR [OPTIONS] | COMMAND [ARGS]...',
    help=(
        "Give the coding agent a task. It works on a copy of a folder, in a sandbox; nothing of the folder changes "
        "until you say so.\n\n"
        'june code "TASK" --workspace DIR is june code run "TASK" --workspace DIR, unless the first word is one of '
        "the commands below: a task that is literally `list` is given by june code run list."
    ),
    epilog=(
        "Exit codes: 0 finished, 1 unfinished, tests fail or changes not applied, 2 wrong usage, "
        "3 cancelled or could not be run (or no june answers), 130 detached by Ctrl-C."
    ),
)


@app.command(options.RUN)
def run_task(
    task: Annotated[str, typer.Argument(help="What to do, in quotes.", metavar="TASK")],
    folder: options.Folder,
    *,
    test: Annotated[
        str | None, typer.Option(help="Shell line that succeeds once the task is done; else pytest.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Name that the model's server knows; by default JUNE_CODE_MODEL.")
    ] = None,
    steps: options.Steps = options.LIMITS.steps,
    seconds: options.Seconds = options.LIMITS.seconds,
    yes: Annotated[bool, typer.Option("--yes", help="Apply without asking, if the task is finished.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait: june code attach shows it.")] = False,
    as_json: options.Json = False,
) -> None:
    """Start a task, follow it to its end, and apply its changes if you say so. Ctrl-C leaves it running."""
    request, name = options.request_of(task, test, model, steps, seconds), coding.new_name()
    result, screen = TaskResult(task=name), Screen()

    async def go(client: Client) -> None:
        await coding.require_sandbox_worker(client)
        stored, packed = await workspace.store_folder(folder, name)
        result.skipped = packed.skipped
        await coding.start_task(client, request.model_copy(update={"workspace": stored}), name)
        if not as_json:
            screen.line(f"{name} has begun, on a copy of {folder}")
            screen.skipped(packed.skipped)

    if yes and detach:
        raise typer.BadParameter("Either --yes or --detach: once nobody waits, june code apply applies.")
    with_client(go)
    if not detach:
        _conclude(result, screen, yes=yes, as_json=as_json)
    elif as_json:
        write_json(result)
    else:
        screen.line(f"june code attach {name}")


@app.command()
def attach(
    task: options.Task = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Apply without asking, if the task is finished.")] = False,
    as_json: options.Json = False,
) -> None:
    """Follow a task from its first step to its end, and apply its changes if you say so. Ctrl-C leaves it running."""

    async def go(client: Client) -> str:
        return coding.name_of((await coding.find_task(client, task)).id)

    _conclude(TaskResult(task=with_client(go)), Screen(), yes=yes, as_json=as_json)


@app.command("list")
def list_tasks(
    *,
    limit: Annotated[int, typer.Option(help="So many tasks at most.", min=1, max=1000)] = 20,
    as_json: options.Json = False,
) -> None:
    """List tasks: those under way, then the last first. `temporal workflow list` can ask for more."""

    async def go(client: Client) -> list[coding.ListedTask]:
        return [listed async for listed in coding.list_tasks(client, limit)]

    show_tasks(with_client(go), as_json=as_json)


@app.command()
def status(task: options.Task = "", *, as_json: options.Json = False) -> None:
    """Show a task's last steps and where it stands. Exits as the task did, 0 meanwhile."""

    async def go(client: Client) -> tuple[str, CodingStatus]:
        handle = await coding.find_task(client, task)
        return coding.name_of(handle.id), await coding.last_status_of(handle)

    name, stands = with_client(go)
    if as_json:
        write_json(TaskStatus(name=name, **dict(stands)))
    else:
        Screen().status(name, stands)
    raise typer.Exit(EXIT_CODES[stands.outcome])


@app.command()
def say(
    task: options.Named,
    text: Annotated[str, typer.Argument(help="What the agent is to know, in quotes.", metavar="TEXT")],
) -> None:
    """Tell the agent something in the middle; it reads that with its next step."""
    remark = options.remark_of(text)

    async def go(client: Client) -> str:
        handle = await coding.find_task(client, task)
        await coding.tell(handle, "say", remark)
        return coding.name_of(handle.id)

    write_line(f"{with_client(go)} is told")


@app.command()
def pause(task: options.Task = "") -> None:
    """Stop after the step under way; june code resume goes on."""

    async def go(client: Client) -> str:
        handle = await coding.find_task(client, task)
        await coding.tell(handle, "pause")
        return coding.name_of(handle.id)

    name = with_client(go)
    write_line(f"{name} pauses after the step under way: june code resume {name}")


@app.command()
def resume(task: options.Task = "") -> None:
    """Go on with a task that was paused."""

    async def go(client: Client) -> str:
        handle = await coding.find_task(client, task)
        await coding.tell(handle, "resume")
        return coding.name_of(handle.id)

    write_line(f"{with_client(go)} goes on")


@app.command()
def cancel(task: options.Task = "", *, as_json: options.Json = False) -> None:
    """Stop a task; what it has done by then is kept."""

    async def go(client: Client) -> tuple[str, CodingReport | None]:
        handle = await coding.find_task(client, task)
        return coding.name_of(handle.id), await coding.cancel(handle)

    name, report = with_client(go)
    if as_json:
        write_json(TaskResult(task=name, report=report))
    elif report:
        write_line(f"{name} is {report.outcome.value}; june code diff {name} shows what it has done")
    else:
        write_line(f"{name} is told to stop, and has not stopped yet: june code status {name}")


@app.command()
def diff(task: options.Task = "") -> None:
    """Print what a task that has ended changes: in colours on a terminal, else as `git apply` takes it."""
    name, _, workspaces = with_client(lambda client: _ended(client, task))
    write_patch(workspaces.patch(), name)


@app.command("apply")
def apply_task(task: options.Named, *, folder: options.Elsewhere = None, as_json: options.Json = False) -> None:
    """Make a task's changes in its folder, all or none: refused where a file of them has changed meanwhile."""
    name, report, workspaces = with_client(lambda client: _ended(client, task))
    target = folder or _folder(name)
    if target is None:
        raise JuneError(f"{name} was not started on this machine, or long ago: say which folder, by --workspace.")
    applied = workspace.apply(workspaces, target, name)
    if as_json:
        write_json(TaskResult(task=name, report=report, applied=True))
    else:
        Screen().applied(applied, target)


async def _ended(client: Client, task: str) -> tuple[str, CodingReport, workspace.Workspaces]:
    """Return the name, report and workspaces of a task.

    Raises:
        JuneError: there is none, it is under way, or its files are not there.

    """
    handle = await coding.find_task(client, task)
    name, report = coding.name_of(handle.id), await coding.report_of(handle)
    if report is None:
        raise JuneError(f"{name} is under way: june code attach {name}")
    return name, report, await workspace.load_workspaces(report, workspace.recall(StorageSettings(), name))


def _folder(name: str) -> Path | None:
    """Return where a task's workspace came from; None where this machine does not know."""
    remembered = workspace.recall(StorageSettings(), name)
    return remembered.folder if remembered else None


async def _follow(client: Client, name: str, screen: Screen, *, quiet: bool) -> CodingReport:
    handle = await coding.find_task(client, name)
    if quiet:
        await ended(handle)
    else:
        await screen.follow(coding.follow(handle))
    report = await coding.report_of(handle)
    if report is None:
        raise JuneError(f"{name} is under way again: june code attach {name}")
    return report


def _conclude(result: TaskResult, screen: Screen, *, yes: bool, as_json: bool) -> None:
    """Follow a task to its end, show what it has changed and how it went, and apply that where it is wanted."""
    name = result.task
    try:
        report = with_client(lambda client: _follow(client, name, screen, quiet=as_json))
    except KeyboardInterrupt:
        told = f"{name} goes on: june code attach {name}, or june code cancel {name}"
        Screen(Console(stderr=True, highlight=False)).line(told)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    result.report, patch, workspaces = report, "", None
    if report.workspace:
        try:
            workspaces = asyncio.run(workspace.load_workspaces(report, workspace.recall(StorageSettings(), name)))
            patch = workspaces.patch()
        except JuneError as error:
            result.problem = str(error)
    if not as_json:
        screen.outcome(report, patch, name)
    if workspaces and patch:
        _apply(result, workspaces, screen, yes=yes, as_json=as_json)
    if as_json:
        write_json(result)
    elif result.problem:
        screen.line(result.problem, "red")
    code = EXIT_CODES[report.outcome]
    raise typer.Exit(ExitCode.FAULT if result.problem and code is ExitCode.OK else code)


def _apply(result: TaskResult, workspaces: workspace.Workspaces, screen: Screen, *, yes: bool, as_json: bool) -> None:
    """Apply what is finished where ``--yes`` says so, and anything where somebody at the terminal does."""
    folder = _folder(result.task)
    finished = result.report is not None and result.report.outcome is CodingOutcome.FINISHED
    asks = folder and not as_json and sys.stdin.isatty() and screen.console.is_terminal
    if folder and ((yes and finished) or (asks and _confirm(folder))):
        try:
            applied = workspace.apply(workspaces, folder, result.task)
        except JuneError as error:
            result.problem = str(error)
        else:
            result.applied = True
            if not as_json:
                screen.applied(applied, folder)
    elif not as_json:
        where = "" if folder else " --workspace DIR"
        screen.line(f"not applied: june code apply {result.task}{where}")


def _confirm(folder: Path) -> bool:
    """Ask whether to apply; Ctrl-C and the end of the input are a no."""
    try:
        return typer.confirm(f"Apply to {printable(str(folder))}?")
    except typer.Abort:
        sys.stdout.write("\n")
        return False
