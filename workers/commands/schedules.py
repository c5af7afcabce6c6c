"""``june tests schedule``: runs that start by themselves."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from workers.clients.schedules import (
    ListedSchedule,
    create_schedule,
    delete_schedule,
    describe_schedule,
    list_schedules,
    pause_schedule,
)
from workers.commands.testruns_options import (
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
from workers.commands.testruns_output import with_client, write_json, write_line

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
    limits = {"parallel": parallel, "seconds_a_test": test_seconds, "seconds_a_module": module_seconds}
    alerts = () if no_alert else chats_of(alert) or owners_chats()
    request, span = request_of(tests, keyword, markers, alerts, **limits), span_of(every)

    async def go(client: Client) -> ListedSchedule:
        await create_schedule(client, name, request, cron=cron, every=span, time_zone=time_zone)
        return await describe_schedule(client, name)

    made = with_client(go)
    if as_json:
        write_json(made)
        return
    told = ", ".join(f"{chat.platform}:{chat.chat}" for chat in request.alerts) or "nobody"
    write_line(f"{name}: next at {made.next_at:%Y-%m-%d %H:%M} UTC; {told} is told of failures")


@app.command()
def pause(name: Name, *, resume: Annotated[bool, typer.Option("--resume", help="Go on instead.")] = False) -> None:
    """Start no more runs for now; with --resume, again."""
    with_client(lambda client: pause_schedule(client, name, resume=resume))
    write_line(f"{name} goes on" if resume else f"{name} is paused: june tests schedule pause {name} --resume")


@app.command("list")
def show(*, as_json: Json = False) -> None:
    """List schedules, with their next and last runs."""

    async def go(client: Client) -> list[ListedSchedule]:
        return [one async for one in list_schedules(client)]

    listed = with_client(go)
    if as_json:
        write_json(listed)
        return
    table = Table("schedule", "", "next (UTC)", "last runs", box=None)
    for schedule in listed:
        when = f"{schedule.next_at:%Y-%m-%d %H:%M}" if schedule.next_at else ""
        table.add_row(schedule.id, "paused" if schedule.paused else "", when, ", ".join(schedule.runs[-3:]))
    Console(highlight=False).print(table)


@app.command()
def delete(name: Name) -> None:
    """Start no more runs, ever; those that were started stay."""
    with_client(lambda client: delete_schedule(client, name))
    write_line(f"{name} is no more")
