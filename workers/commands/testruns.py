"""``june tests``: runs of the integration tests, started, watched, read and scheduled."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from temporalio.client import Client

from workers.clients import testruns as runs
from workers.commands import testruns_output as output
from workers.commands.schedules import app as schedule_app
from workers.commands.testruns_options import (
    Alert,
    Json,
    Junit,
    Keyword,
    Markers,
    ModuleSeconds,
    Parallel,
    Run,
    Tests,
    TestSeconds,
    chats_of,
    request_of,
)
from workers.errors import ExitCode
from workflows.testruns.contracts import RunOutcome, RunStatus

app = typer.Typer(
    no_args_is_help=True,
    help="Run the integration tests against the june that runs, and look at how runs went.",
    epilog="Exit codes: 0 passed, 1 tests failed, 2 wrong usage, 3 could not be run to the end (or no june answers).",
)
app.add_typer(schedule_app, name="schedule")

EXIT_CODES = {
    RunOutcome.PASSED: ExitCode.OK,
    RunOutcome.RUNNING: ExitCode.OK,
    RunOutcome.FAILED: ExitCode.FAULT,
    RunOutcome.ERROR: ExitCode.UNAVAILABLE,
    RunOutcome.CANCELLED: ExitCode.UNAVAILABLE,
}


class Started(BaseModel):
    """What ``june tests run --json`` prints without ``--wait``."""

    run: str


@app.command("run")
def run_tests(
    tests: Tests = None,
    *,
    keyword: Keyword = "",
    markers: Markers = "",
    parallel: Parallel = 1,
    test_seconds: TestSeconds = 300,
    module_seconds: ModuleSeconds = 1800,
    name: Annotated[str, typer.Option(help="Name of the run; by default the time.")] = "",
    alert: Alert = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end; Ctrl-C leaves it running.")] = False,
    junit: Junit = None,
    as_json: Json = False,
) -> None:
    """Start a run, which goes on by itself: june tests status, or the Web UI, shows it. --junit waits for its end."""
    limits = {"parallel": parallel, "seconds_a_test": test_seconds, "seconds_a_module": module_seconds}
    request = request_of(tests, keyword, markers, chats_of(alert), **limits)

    async def go(client: Client) -> tuple[str, RunStatus | None]:
        started = await runs.start_run(client, request, name)
        if not (wait or junit):
            return started, None
        handle = await runs.find_run(client, started)
        await output.watch(handle, quiet=as_json)
        if junit:
            await output.write_junit(handle, junit)
        return started, await runs.status_of(handle)

    started, status = output.with_client(go)
    if status:
        output.show_status(started, status, as_json=as_json)
        raise typer.Exit(EXIT_CODES[status.outcome])
    if as_json:
        output.write_json(Started(run=started))
    else:
        output.write_line(f"{started} has begun: june tests status")


@app.command()
def status(run: Run = "", *, as_json: Json = False) -> None:
    """Show how a run stands: counts, what runs now, how long it has taken. Exits as the run did, 0 meanwhile."""

    async def go(client: Client) -> tuple[str, RunStatus]:
        handle = await runs.find_run(client, run)
        return handle.id, await runs.status_of(handle)

    found, stands = output.with_client(go)
    output.show_status(found, stands, as_json=as_json)
    raise typer.Exit(EXIT_CODES[stands.outcome])


@app.command()
def results(
    run: Run = "",
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only tests that did not pass.")] = False,
    junit: Junit = None,
    as_json: Json = False,
) -> None:
    """List a run's tests: outcome, seconds, message."""

    async def go(client: Client) -> None:
        handle = await runs.find_run(client, run)
        if junit:
            await output.write_junit(handle, junit)
        output.show_results(await runs.results_of(handle, bad_only=failed), as_json=as_json)

    output.with_client(go)


@app.command()
def logs(
    run: Run = "",
    *,
    module: Annotated[str, typer.Option(help="Only of this module.")] = "",
    artefacts: Annotated[Path | None, typer.Option(help="Write the files that tests left into this folder.")] = None,
    as_json: Json = False,
) -> None:
    """Print what tests printed: whole from the blob store where it is reached, the last lines otherwise."""

    async def go(client: Client) -> None:
        found = await runs.logs_of(await runs.find_run(client, run), module)
        await output.show_logs(found, artefacts, as_json=as_json)

    output.with_client(go)


@app.command("list")
def list_runs(
    *,
    outcome: Annotated[RunOutcome | None, typer.Option(help="Only runs that ended so.")] = None,
    limit: Annotated[int, typer.Option(help="So many runs at most.", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """List runs: those under way, then the last first. `temporal workflow list` can ask for more."""

    async def go(client: Client) -> list[runs.ListedRun]:
        query = f"Outcome = '{outcome.value}'" if outcome else ""
        return [listed async for listed in runs.list_runs(client, query, limit)]

    output.show_runs(output.with_client(go), as_json=as_json)


@app.command()
def cancel(run: Run = "", *, as_json: Json = False) -> None:
    """Stop a run: what runs is killed, and what is known by then stays."""

    async def go(client: Client) -> tuple[str, RunStatus]:
        handle = await runs.find_run(client, run)
        await handle.cancel()
        await runs.ended(handle)
        return handle.id, await runs.status_of(handle)

    found, stands = output.with_client(go)
    output.show_status(found, stands, as_json=as_json)


@app.command()
def health(*, as_json: Json = False) -> None:
    """Tell whether a tests worker lives, and when the tests last ran; exits 3 without a worker."""
    found = output.with_client(runs.examine)
    if as_json:
        output.write_json(found)
    else:
        output.write_line(found.sentence)
    raise typer.Exit(ExitCode.OK if found.ok else ExitCode.UNAVAILABLE)
