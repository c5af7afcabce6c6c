"""``june bench run`` and its like: runs of data sets, started, watched, steered, reported and compared."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from temporalio.client import Client

from activities.benchmarks.attempts import Mode
from activities.blobs import BlobStore
from agent.limits import Limits
from workers.bench.runs_output import EXIT_CODES, RunResult, show_progress, show_report, show_runs, show_status
from workers.clients import benchmarks as runs
from workers.clients.testruns import ended
from workers.commands.code_output import printable
from workers.commands.testruns_output import with_client, write_json, write_line
from workers.errors import ExitCode, JuneError
from workers.settings import StorageSettings
from workflows.benchmarks.contracts import (
    MAX_PARALLEL,
    MAX_SAMPLES,
    BenchmarkReport,
    BenchmarkRequest,
    BenchmarkStatus,
    RunOutcome,
)

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, at the end, for programs.")]
Run = Annotated[str, typer.Argument(help="A run's name or workflow id; by default the last.", metavar="RUN")]
Named = Annotated[str, typer.Argument(help="The run's name or workflow id.", metavar="RUN")]
Parallel = Annotated[int, typer.Option(help="Attempts at once.", min=1, max=MAX_PARALLEL)]
FILES = ("report.json", "results.jsonl", "report.html")


@app.command("run")
def run_set(
    data_set: Annotated[str, typer.Argument(help="Data set, as june bench validate names it.", metavar="SET")],
    *,
    mode: Annotated[Mode, typer.Option(help="What is measured.")] = Mode.COMPLETION,
    first: Annotated[int | None, typer.Option(help="So many tasks, from the first.", min=1)] = None,
    task: Annotated[list[str] | None, typer.Option(help="Id of a task; may be given again.")] = None,
    samples: Annotated[int, typer.Option(help="Attempts at each task.", min=1, max=MAX_SAMPLES)] = 1,
    model: Annotated[
        str | None, typer.Option(help="Name that the model's server knows; by default JUNE_CODE_MODEL.")
    ] = None,
    temperature: Annotated[float, typer.Option(help="Of sampling.", min=0, max=2)] = 0.0,
    seed: Annotated[int, typer.Option(help="From which each attempt's follows.", min=0)] = 0,
    parallel: Parallel = 1,
    steps: Annotated[int, typer.Option(help="Most steps of the agent, for each attempt.", min=1, max=1000)] = 15,
    option: Annotated[list[str] | None, typer.Option(help="K=V, of speech and turns; may be given again.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait: june bench status shows it.")] = False,
    as_json: Json = False,
) -> None:
    """Run a data set, and follow it to its end. Ctrl-C leaves it running."""
    try:
        request = BenchmarkRequest(
            data_set=data_set,
            mode=mode,
            tasks=tuple(task or ()),
            first=first,
            samples=samples,
            model=model,
            temperature=temperature,
            seed=seed,
            parallel=parallel,
            limits=Limits(steps=steps, seconds=900),
            options=dict(map(_option, option or ())),
        )
    except ValidationError as error:
        raise typer.BadParameter("; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())) from None
    name = runs.new_name(data_set, mode)

    async def go(client: Client) -> None:
        await runs.require_workers(client, mode)
        await runs.start_run(client, request, name)

    with_client(go)
    if not as_json:
        write_line(f"{name} has begun")
    if detach:
        write_json(RunResult(run=name)) if as_json else write_line(f"june bench status {name}")
        return
    _follow_to_the_end(name, as_json=as_json)


def _option(given: str) -> tuple[str, float | str]:
    name, sign, value = given.partition("=")
    if not (name and sign):
        raise typer.BadParameter(f"--option wants K=V, not {given}")
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _follow_to_the_end(name: str, *, as_json: bool) -> None:
    async def go(client: Client) -> BenchmarkReport:
        handle = await runs.find_run(client, name)
        if as_json:
            await ended(handle)
        else:
            await show_progress(runs.follow(handle))
        return await runs.report_of(handle) or BenchmarkReport(outcome=RunOutcome.RUNNING)

    try:
        report = with_client(go)
    except KeyboardInterrupt:
        typer.echo(f"{name} goes on: june bench status {name}, or june bench cancel {name}", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    if as_json:
        write_json(RunResult(run=name, report=report))
    else:
        show_report(name, report)
    # All is done, and yet something is wrong where the report could not be made.
    raise typer.Exit(ExitCode.FAULT if report.is_without_its_report else EXIT_CODES[report.outcome])


@app.command("list")
def list_runs(
    *,
    limit: Annotated[int, typer.Option(help="So many runs at most.", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """List runs: those under way, then the last first. `temporal workflow list` can ask for more."""

    async def go(client: Client) -> list[runs.ListedRun]:
        return [listed async for listed in runs.list_runs(client, limit)]

    show_runs(with_client(go), as_json=as_json)


@app.command()
def status(run: Run = "", *, as_json: Json = False) -> None:
    """Show where a run stands. Exits as the run did, 0 meanwhile."""

    async def go(client: Client) -> tuple[str, BenchmarkStatus]:
        handle = await runs.find_run(client, run)
        return runs.name_of(handle.id), await runs.last_status_of(handle)

    name, stands = with_client(go)
    if as_json:
        write_json(stands)
    else:
        show_status(name, stands)
    raise typer.Exit(EXIT_CODES[stands.outcome])


@app.command()
def report(
    run: Run = "",
    *,
    to: Annotated[
        Path | None, typer.Option(help="Folder for report.json, results.jsonl and report.html.", file_okay=False)
    ] = None,
) -> None:
    """Print a run's report.json, or write its files into a folder."""

    async def go(client: Client) -> tuple[str, runs.StoredFiles]:
        handle = await runs.find_run(client, run)
        return runs.name_of(handle.id), await runs.stored_files(handle, _blobs())

    name, files = with_client(go)
    if to is None:
        typer.echo(files.report_json.decode().rstrip("\n"))
        return
    try:
        to.mkdir(parents=True, exist_ok=True)
        for file, data in zip(FILES, (files.report_json, files.results_jsonl, files.report_html), strict=True):
            (to / file).write_bytes(data)
    except OSError as error:
        raise JuneError(f"{to} cannot be written: {error.strerror}.") from error
    write_line(f"{name}: {', '.join(str(to / file) for file in FILES)}")


@app.command()
def compare(
    one: Annotated[str, typer.Argument(help="A run.", metavar="A")],
    other: Annotated[str, typer.Argument(help="Another, of the same data set.", metavar="B")],
    *,
    as_json: Json = False,
) -> None:
    """Compare two runs, task by task, and say whether their difference means anything."""
    from activities.benchmarks import comparison

    async def go(client: Client) -> list[runs.Judged]:
        handles = [await runs.find_run(client, name) for name in (one, other)]
        return [await runs.judged(handle, _blobs()) for handle in handles]

    first, second = with_client(go)
    compared = comparison.compare(first.attempts, second.attempts, (first.pinned, second.pinned))
    if as_json:
        write_json(compared)
    else:
        write_line(printable(comparison.as_text(compared, (first.name, second.name))).rstrip("\n"))


@app.command()
def pause(run: Run = "") -> None:
    """Begin no more attempts; those under way come to their end. june bench resume goes on."""
    name = with_client(lambda client: _tell(client, run, "pause"))
    write_line(f"{name} begins no more attempts: june bench resume {name}")


@app.command()
def resume(run: Run = "") -> None:
    """Go on with a run that was paused."""
    write_line(f"{with_client(lambda client: _tell(client, run, 'resume'))} goes on")


@app.command("parallel")
def set_parallel(
    run: Named, number: Annotated[int, typer.Argument(help="Attempts at once.", min=1, max=MAX_PARALLEL)]
) -> None:
    """Have another number of attempts under way at once."""
    name = with_client(lambda client: _tell(client, run, "set_parallel", number))
    write_line(f"{name} has {number} attempts under way at once from now on")


@app.command()
def cancel(run: Run = "", *, as_json: Json = False) -> None:
    """Stop a run; what it has done by then is reported."""

    async def go(client: Client) -> tuple[str, BenchmarkReport | None]:
        handle = await runs.find_run(client, run)
        return runs.name_of(handle.id), await runs.cancel(handle)

    name, stopped = with_client(go)
    if as_json:
        write_json(RunResult(run=name, report=stopped))
    elif stopped:
        show_report(name, stopped)
    else:
        write_line(f"{name} is told to stop, and has not stopped yet: june bench status {name}")


@app.command()
def delete(run: Named) -> None:
    """Delete a run that has ended: its results, answers, patches, transcripts and reports."""

    async def go(client: Client) -> tuple[str, int]:
        handle = await runs.find_run(client, run)
        return runs.name_of(handle.id), await runs.delete_run(client, handle, _blobs())

    name, files = with_client(go)
    write_line(f"{name} is deleted, with {files} files")


async def _tell(client: Client, run: str, signal: runs.Signal, *arguments: int) -> str:
    handle = await runs.find_run(client, run)
    await runs.tell(handle, signal, *arguments)
    return runs.name_of(handle.id)


def _blobs() -> BlobStore:
    return BlobStore.open(StorageSettings().blobs)
