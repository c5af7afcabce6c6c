"""Benchmark runs on the terminal: tables for people, JSON for programs."""

from collections.abc import AsyncIterator, Sequence

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from activities.benchmarks.attempts import AttemptOutcome
from workers.clients.benchmarks import ListedRun, name_of
from workers.commands.code_output import clock, printable
from workers.commands.testruns_output import WIDTH, write_json, write_line
from workers.errors import ExitCode
from workflows.benchmarks.contracts import BenchmarkReport, BenchmarkStatus, RunOutcome

EXIT_CODES = {
    RunOutcome.FINISHED: ExitCode.OK,
    RunOutcome.RUNNING: ExitCode.OK,
    RunOutcome.FAILED: ExitCode.UNAVAILABLE,
    RunOutcome.CANCELLED: ExitCode.UNAVAILABLE,
}
COLOURS = {RunOutcome.FINISHED: "green", RunOutcome.RUNNING: "yellow"}


class RunResult(BaseModel):
    """What ``june bench run --json`` and the like print of a run."""

    run: str
    """Its name, as the other commands take it."""
    report: BenchmarkReport | None = None
    """None while it is under way."""


def counted(counts: dict[AttemptOutcome, int]) -> str:
    """Return the number of attempts by what came of them, in words."""
    return ", ".join(f"{number} {outcome.value}" for outcome, number in counts.items())


def far(status: BenchmarkStatus) -> str:
    """Return in a line how far a run is."""
    parts = [f"{status.done:,} of {status.planned:,} attempts"] if status.planned else ["being planned"]
    parts += [counted(status.counts)] * bool(status.counts)
    parts += [f"{status.tokens:,} tokens", clock(status.elapsed_seconds), f"{status.parallel} at once"]
    return ", ".join(parts) + (" (paused: june bench resume)" if status.paused else "")


async def show_progress(news: AsyncIterator[BenchmarkStatus | None]) -> None:
    """Print each attempt on stderr as it ends; on a terminal, show below how far the run is."""
    console = Console(stderr=True, highlight=False)
    shown: set[tuple[str, int]] = set()
    with console.status("waiting for a worker", spinner="dots") as moving:
        async for status in news:
            if status is None:
                moving.update("no worker answers; june may be starting again")
                continue
            for attempt in status.last:
                if (attempt.task, attempt.sample) not in shown:
                    shown.add((attempt.task, attempt.sample))
                    why = f"  {attempt.why}" if attempt.why else ""
                    line = f"{attempt.outcome.value:<14} {attempt.task} #{attempt.sample}{why}"
                    console.print(printable(line), markup=False, soft_wrap=True)
            moving.update(escape(printable(far(status))))


def show_report(name: str, report: BenchmarkReport) -> None:
    """Print how a run has ended."""
    pinned = report.pinned
    if pinned:
        write_line(printable(", ".join(filter(None, (f"{name}: {pinned.data_set}", pinned.mode.value, pinned.model)))))
    write_line(
        f"{report.outcome.value}: {report.attempts:,} of {report.planned:,} attempts in {clock(report.seconds)}"
        + (f": {counted(report.counts)}" if report.counts else "")
    )
    if report.score:
        write_line(printable(report.score))
    if report.reason:
        write_line(printable(f"{report.reason} ({report.code})" if report.code else report.reason))
    if report.report_html:
        write_line(f"june bench report {name} --to DIR")


def show_status(name: str, status: BenchmarkStatus) -> None:
    """Print where a run stands."""
    if status.report:
        show_report(name, status.report)
        return
    write_line(
        printable(f"{name}: {status.data_set}, {status.mode.value}{f', {status.model}' if status.model else ''}")
    )
    write_line(far(status))
    if status.running:
        write_line(printable(f"now: {', '.join(status.running)}"))
    for attempt in status.last:
        write_line(printable(f"{attempt.outcome.value:<14} {attempt.task} #{attempt.sample}  {attempt.why}".rstrip()))


def show_runs(listed: Sequence[ListedRun], *, as_json: bool) -> None:
    """Print a list of runs."""
    if as_json:
        write_json(listed)
        return
    table = Table(
        "", Column("run", overflow="fold"), "data set", "model", "started (UTC)", "attempts", "score", box=None
    )
    for run in listed:
        colour = COLOURS.get(run.outcome, "red")
        report = run.report or BenchmarkReport(outcome=run.outcome)
        cells = (name_of(run.id), run.data_set, run.model, f"{run.started_at:%Y-%m-%d %H:%M:%S}")
        attempts = f"{report.attempts:,}" if run.report else ""
        table.add_row(
            f"[{colour}]{run.outcome.value}[/{colour}]",
            *(escape(printable(text)) for text in (*cells, attempts, report.score)),
        )
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=WIDTH)).print(table)
