"""Runs of the integration tests on the terminal: tables for people, JSON for programs."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.blobs import BlobStore
from activities.testruns.results import BAD, Outcome, TestResult
from workers.clients import testruns as runs
from workers.commands.junit import junit
from workers.errors import UnavailableError
from workers.settings import StorageSettings, TelemetrySettings
from workers.temporal import connect
from workflows.testruns.contracts import ModuleLog, RunOutcome, RunStatus

WATCH_SECONDS = 1.0
WIDTH = 200
COLOURS = {RunOutcome.PASSED: "green", RunOutcome.FAILED: "red", RunOutcome.ERROR: "red"}
T = TypeVar("T")


def with_client(work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
    """Run ``work`` with a client of the server that the environment names.

    Raises:
        UnavailableError: no server answers, or not as it should.

    """

    async def go() -> T:
        client = await connect(TelemetrySettings(metrics_address="", otlp_url=""))
        try:
            return await work(client)
        except RPCError as error:
            raise UnavailableError(f"The Temporal server says: {error.message}.") from error

    return asyncio.run(go())


def write_json(what: BaseModel | Sequence[BaseModel]) -> None:
    """Print one JSON object or list on stdout."""
    if isinstance(what, BaseModel):
        sys.stdout.write(what.model_dump_json() + "\n")
    else:
        sys.stdout.write(f"[{', '.join(model.model_dump_json() for model in what)}]\n")


def write_line(text: str) -> None:
    """Print a sentence on stdout."""
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


async def watch(handle: runs.Handle, *, quiet: bool) -> None:
    """Show on stderr what runs now, until the run has ended."""
    console = Console(stderr=True, highlight=False)
    end = asyncio.create_task(runs.ended(handle))
    with console.status("waiting for a worker", spinner="dots") as shown:
        while not end.done():
            if console.is_terminal and not quiet:
                with suppress(UnavailableError):  # its worker starts again, perhaps
                    status = await runs.status_of(handle)
                    ended = f"{status.tests_ended} of {status.tests} tests ended ({counted(status.counts)})"
                    shown.update(escape(f"{ended}; now {', '.join(now.test or now.module for now in status.current)}"))
            await asyncio.wait([end], timeout=WATCH_SECONDS)
    end.result()


def show_status(run: str, status: RunStatus, *, as_json: bool) -> None:
    """Print a run's status."""
    if as_json:
        write_json(NamedStatus(run=run, **dict(status)))
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("[bold]run[/bold]", escape(run))
    table.add_row("[bold]outcome[/bold]", coloured(status.outcome))
    table.add_row("[bold]tests[/bold]", f"{status.tests_ended} of {status.tests}: {counted(status.counts) or '—'}")
    table.add_row("[bold]modules[/bold]", f"{status.modules_ended} of {status.modules}")
    table.add_row("[bold]time[/bold]", f"{status.elapsed_seconds:.1f} s since {status.started_at[:19]} UTC")
    for now in status.current:
        again = f" (attempt {now.attempt})" if now.attempt > 1 else ""
        table.add_row("[bold]now[/bold]", escape(now.test or now.module) + again)
    for note in status.notes:
        table.add_row("[bold]note[/bold]", escape(note))
    if status.error:
        table.add_row("[bold red]error[/bold red]", escape(status.error))
    _console().print(table)


class NamedStatus(RunStatus):
    """What ``june tests status --json`` prints."""

    run: str


def show_results(results: Sequence[TestResult], *, as_json: bool) -> None:
    """Print tests with their outcomes."""
    if as_json:
        write_json(results)
        return
    table = Table("", Column("test", overflow="fold"), "seconds", "message", box=None)
    for result in results:
        colour = "red" if result.outcome in BAD else "green" if result.outcome is Outcome.PASSED else "yellow"
        outcome, message = f"[{colour}]{result.outcome.value}[/{colour}]", " ".join(result.message.split())
        table.add_row(outcome, escape(result.node), f"{result.seconds:.2f}", escape(message))
    _console().print(table)


def show_runs(listed: Sequence[runs.ListedRun], *, as_json: bool) -> None:
    """Print a list of runs."""
    if as_json:
        write_json(listed)
        return
    table = Table("", "run", "started (UTC)", "seconds", "tests", box=None)
    for run in listed:
        seconds = f"{(run.ended_at - run.started_at).total_seconds():.0f}" if run.ended_at else ""
        counts = counted(run.report.counts) if run.report else ""
        table.add_row(coloured(run.outcome), run.id, f"{run.started_at:%Y-%m-%d %H:%M:%S}", seconds, counts)
    _console().print(table)


async def show_logs(logs: Sequence[ModuleLog], artefacts: Path | None, *, as_json: bool) -> None:
    """Print what modules printed, whole where the blob store has it; write their artefacts into a folder."""
    if as_json:
        write_json(logs)
    blobs = BlobStore.open(StorageSettings().blobs)
    for module in logs:
        if not as_json:
            text = module.end
            try:
                text = (await blobs.get(module.log)).decode(errors="replace") if module.log else module.end
            except ApplicationError as error:  # the store does not have it, or no longer
                text = f"[only its end: {error.message}]\n{module.end}"
            sys.stdout.write(f"==> {module.module} <==\n{text}\n")
        if artefacts:
            for artefact in module.artefacts:
                await asyncio.to_thread(artefacts.mkdir, parents=True, exist_ok=True)
                file = artefacts / Path(artefact.name).name
                await asyncio.to_thread(file.write_bytes, await blobs.get(artefact.blob))


async def write_junit(handle: runs.Handle, file: Path) -> None:
    """Write JUnit's XML."""
    data = junit(handle.id, await runs.results_of(handle))
    await asyncio.to_thread(file.write_bytes, data)


def coloured(outcome: RunOutcome) -> str:
    """Return an outcome as rich's markup, in its colour."""
    colour = COLOURS.get(outcome, "yellow")
    return f"[{colour}]{outcome.value}[/{colour}]"


def counted(counts: dict[Outcome, int]) -> str:
    """Return the number of tests by outcome, in words."""
    return ", ".join(f"{number} {outcome.value}" for outcome, number in counts.items())


def _console() -> Console:
    """Return a console as wide as the terminal, or wide enough for whatever reads it instead."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)
