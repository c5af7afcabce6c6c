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
from temporalio.service import RPCError

from activities.blobs import BlobStore
from activities.errors import BadInputError
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
    """Do something with the server that the environment names.

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
    one_or_more = [what] if isinstance(what, BaseModel) else what
    texts = [one.model_dump_json() for one in one_or_more]
    sys.stdout.write((texts[0] if isinstance(what, BaseModel) else f"[{', '.join(texts)}]") + "\n")


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
                    shown.update(_now(await runs.status_of(handle)))
            await asyncio.wait([end], timeout=WATCH_SECONDS)
    end.result()


def show_status(run: str, status: RunStatus, *, as_json: bool) -> None:
    """Print how a run stands."""
    if as_json:
        write_json(Stood(run=run, **dict(status)))
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


class Stood(RunStatus):
    """What ``june tests status --json`` tells."""

    run: str


def show_results(cases: Sequence[TestResult], *, as_json: bool) -> None:
    """Print tests with their outcomes."""
    if as_json:
        write_json(cases)
        return
    table = Table("", Column("test", overflow="fold"), "seconds", "message", box=None)
    for one in cases:
        colour = "red" if one.outcome in BAD else "green" if one.outcome is Outcome.PASSED else "yellow"
        outcome = f"[{colour}]{one.outcome.value}[/{colour}]"
        table.add_row(outcome, escape(one.node), f"{one.seconds:.2f}", escape(" ".join(one.message.split())))
    _console().print(table)


def show_runs(listed: Sequence[runs.ListedRun], *, as_json: bool) -> None:
    """Print a list of runs."""
    if as_json:
        write_json(listed)
        return
    table = Table("", "run", "started (UTC)", "seconds", "tests", box=None)
    for one in listed:
        seconds = f"{(one.ended_at - one.started_at).total_seconds():.0f}" if one.ended_at else ""
        counts = counted(one.report.counts) if one.report else ""
        table.add_row(coloured(one.outcome), one.id, f"{one.started_at:%Y-%m-%d %H:%M:%S}", seconds, counts)
    _console().print(table)


async def show_logs(logs: Sequence[ModuleLog], artefacts: Path | None, *, as_json: bool) -> None:
    """Print what modules printed, whole where the blob store has it; write their artefacts into a folder."""
    if as_json:
        write_json(logs)
    blobs = BlobStore.open(StorageSettings().blobs)
    for module in logs:
        if not as_json:
            sys.stdout.write(f"==> {module.module} <==\n{await _text(blobs, module)}\n")
        if artefacts:
            for artefact in module.artefacts:
                await asyncio.to_thread(_put, artefacts, artefact.name, await blobs.get(artefact.blob))


async def write_junit(handle: runs.Handle, file: Path) -> None:
    """Write JUnit's XML."""
    data = junit(handle.id, await runs.results_of(handle))
    await asyncio.to_thread(file.write_bytes, data)


def coloured(outcome: RunOutcome) -> str:
    """Name an outcome in its colour."""
    colour = COLOURS.get(outcome, "yellow")
    return f"[{colour}]{outcome.value}[/{colour}]"


def counted(counts: dict[Outcome, int]) -> str:
    """Say how many tests ended how."""
    return ", ".join(f"{number} {outcome.value}" for outcome, number in counts.items())


def _console() -> Console:
    """Print as wide as the terminal is, or wide enough for what reads it instead."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def _now(status: RunStatus) -> str:
    now = ", ".join(now.test or now.module for now in status.current)
    return escape(f"{status.tests_ended} of {status.tests} tests ended ({counted(status.counts)}); now {now}")


async def _text(blobs: BlobStore, module: ModuleLog) -> str:
    """Read a whole log; its end, with a word on why, where the store does not have it (any more)."""
    if module.log is None:
        return module.end
    try:
        return (await blobs.get(module.log)).decode(errors="replace")
    except BadInputError as error:
        return f"[only its end: {error.message}]\n{module.end}"


def _put(folder: Path, name: str, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / Path(name).name).write_bytes(data)
