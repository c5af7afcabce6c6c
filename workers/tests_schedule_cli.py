"""``june tests schedule``: runs that start by themselves."""

from typing import Annotated

import typer

from workers.integration_options import (
    Alert,
    Json,
    Keyword,
    Markers,
    ModuleSeconds,
    Parallel,
    Tests,
    TestSeconds,
    chats_of,
    owners_chats,
    request_of,
    span_of,
)

app = typer.Typer(no_args_is_help=True, help="Have the integration tests run by themselves, again and again.")

Name = Annotated[str, typer.Argument(help="Name of the schedule, such as nightly.", metavar="NAME")]


@app.command()
def create(
    name: Name,
    tests: Tests = None,
    *,
    cron: Annotated[str, typer.Option(help="When, as cron says it: '0 3 * * *'.")] = "",
    every: Annotated[str, typer.Option(help="How often instead: 30m, 6h, 1d.")] = "",
    time_zone: Annotated[str, typer.Option(help="Of --cron, such as Europe/Berlin.")] = "UTC",
    keyword: Keyword = "",
    markers: Markers = "",
    parallel: Parallel = 1,
    test_seconds: TestSeconds = 300,
    module_seconds: ModuleSeconds = 1800,
    alert: Alert = None,
    no_alert: Annotated[bool, typer.Option("--no-alert", help="Tell nobody of failures.")] = False,
    as_json: Json = False,
) -> None:
    """Start runs by schedule. Who is told of a failure: --alert, or else the owners in private."""
    if bool(cron) == bool(every):
        raise typer.BadParameter("Say when: either --cron or --every.")
    from workers.integration_schedules import create

    limits = {"parallel": parallel, "seconds_a_test": test_seconds, "seconds_a_module": module_seconds}
    alerts = () if no_alert else chats_of(alert) or owners_chats()
    request = request_of(tests, keyword, markers, alerts, **limits)

    create(name, request, cron=cron, every=span_of(every), time_zone=time_zone, as_json=as_json)


@app.command()
def pause(name: Name, *, resume: Annotated[bool, typer.Option("--resume", help="Go on instead.")] = False) -> None:
    """Start no more runs for now; with --resume, again."""
    from workers.integration_schedules import pause

    pause(name, resume=resume)


@app.command("list")
def list_schedules(*, as_json: Json = False) -> None:
    """List schedules, with their next and last runs."""
    from workers.integration_schedules import show

    show(as_json=as_json)


@app.command()
def delete(name: Name) -> None:
    """Start no more runs, ever; those that were started stay."""
    from workers.integration_schedules import delete

    delete(name)
