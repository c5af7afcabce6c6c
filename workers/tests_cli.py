"""``june tests``: runs of the integration tests, started, watched, read and scheduled."""

from pathlib import Path
from typing import Annotated

import typer

from workers.integration_options import (
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
from workers.tests_schedule_cli import app as schedule_app
from workflows.integration_contracts import RunOutcome

# What the commands are made of is imported when one is called: every process of june reads this module.

app = typer.Typer(
    no_args_is_help=True,
    help="Run the integration tests against the june that runs, and look at how runs went.",
    epilog="Exit codes: 0 passed, 1 tests failed, 2 wrong usage, 3 could not be run to the end (or no june answers).",
)
app.add_typer(schedule_app, name="schedule")


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
    from workers.integration_commands import run

    limits = {"parallel": parallel, "seconds_a_test": test_seconds, "seconds_a_module": module_seconds}
    request = request_of(tests, keyword, markers, chats_of(alert), **limits)
    raise typer.Exit(run(request, name, junit, wait=wait or junit is not None, as_json=as_json))


@app.command()
def status(run: Run = "", *, as_json: Json = False) -> None:
    """Show how a run stands: counts, what runs now, how long it has taken. Exits as the run did, 0 meanwhile."""
    from workers.integration_commands import status

    raise typer.Exit(status(run, as_json=as_json))


@app.command()
def results(
    run: Run = "",
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only tests that did not pass.")] = False,
    junit: Junit = None,
    as_json: Json = False,
) -> None:
    """List a run's tests: outcome, seconds, message."""
    from workers.integration_commands import results

    results(run, junit, bad_only=failed, as_json=as_json)


@app.command()
def logs(
    run: Run = "",
    *,
    module: Annotated[str, typer.Option(help="Only of this module.")] = "",
    artefacts: Annotated[Path | None, typer.Option(help="Write the files that tests left into this folder.")] = None,
    as_json: Json = False,
) -> None:
    """Print what tests printed: whole from the blob store where it is reached, the last lines otherwise."""
    from workers.integration_commands import logs

    logs(run, module, artefacts, as_json=as_json)


@app.command("list")
def list_runs(
    *,
    outcome: Annotated[RunOutcome | None, typer.Option(help="Only runs that ended so.")] = None,
    limit: Annotated[int, typer.Option(help="So many runs at most.", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """List runs: those under way, then the last first. `temporal workflow list` can ask for more."""
    from workers.integration_commands import list_runs

    list_runs(outcome, limit, as_json=as_json)


@app.command()
def cancel(run: Run = "", *, as_json: Json = False) -> None:
    """Stop a run: what runs is killed, and what is known by then stays."""
    from workers.integration_commands import cancel

    cancel(run, as_json=as_json)


@app.command()
def health(*, as_json: Json = False) -> None:
    """Tell whether a tests worker lives, and when the tests last ran; exits 3 without a worker."""
    from workers.integration_commands import health

    raise typer.Exit(health(as_json=as_json))
