"""Coding tasks on the terminal: steps as they happen, the changes in colours, reports; JSON for programs."""

import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from time import monotonic

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Column, Table
from rich.text import Text

from activities.sandbox.changes import Applied
from workers.clients.coding import ListedTask, News, name_of
from workers.commands.testruns_output import WIDTH, write_json
from workers.errors import ExitCode
from workflows.coding.contracts import CodingOutcome, CodingReport, CodingStage, CodingStatus, StepLine

SHOWN_DIFF_LINES = 1000
SHOWN_SKIPPED = 10
EXIT_CODES = {
    CodingOutcome.FINISHED: ExitCode.OK,
    CodingOutcome.RUNNING: ExitCode.OK,
    CodingOutcome.UNFINISHED: ExitCode.FAULT,
    CodingOutcome.FAILED: ExitCode.UNAVAILABLE,
    CodingOutcome.CANCELLED: ExitCode.UNAVAILABLE,
}
_COLOURS = {CodingOutcome.FINISHED: "green", CodingOutcome.RUNNING: "yellow"}
_STAGES = {
    CodingStage.PREPARE: "preparing the workspace",
    CodingStage.THINK: "thinking",
    CodingStage.ACT: "acting",
    CodingStage.PAUSED: "paused: june code resume",
    CodingStage.VERIFY: "running the tests",
    CodingStage.DONE: "done",
}
_DIFF_STYLES = (("+++", "bold"), ("---", "bold"), ("diff ", "bold"), ("@@", "cyan"), ("+", "green"), ("-", "red"))


class TaskResult(BaseModel):
    """What ``june code --json`` prints of a task."""

    task: str
    """Its name, as the other commands take it."""
    report: CodingReport | None = None
    """None while it is under way."""
    skipped: tuple[str, ...] = ()
    """What of the folder is not in the workspace, each with the reason."""
    applied: bool = False
    """Whether the folder has been changed."""
    problem: str = ""
    """Why it has not been, though that was asked for."""


class TaskStatus(CodingStatus):
    """What ``june code status --json`` prints."""

    name: str
    """The task's, as the other commands take it."""


class Screen:
    """Where a task is shown. What comes from models, files and other people cannot steer the terminal."""

    def __init__(self, console: Console | None = None) -> None:
        """Print to a console; to stdout, if None."""
        self.console = console or Console(highlight=False)
        self._clock = (0.0, monotonic())
        """Seconds that a task had taken, and when it was first told so."""

    def line(self, text: str, style: str = "") -> None:
        """Print a line."""
        self.console.print(Text(printable(text), style), soft_wrap=True)

    def skipped(self, skipped: Sequence[str]) -> None:
        """Say what of a folder the agent does not see."""
        if skipped:
            more = f", and {len(skipped) - SHOWN_SKIPPED} more" if len(skipped) > SHOWN_SKIPPED else ""
            self.line(f"left out: {'; '.join(skipped[:SHOWN_SKIPPED])}{more}", "dim")

    async def follow(self, news: AsyncIterator[News]) -> None:
        """Print steps as they are done; on a terminal, show below them what is going on."""
        with self.console.status("waiting for a worker", spinner="dots") as moving:
            async for lines, status in news:
                for line in lines:
                    self.step(line)
                self._move(moving, status)

    def _move(self, moving: Status, status: CodingStatus | None) -> None:
        if status is None:
            moving.update("no worker answers; june may be starting again")
            return
        now = next((line.text for line in status.lines if line.step == status.step), "")
        doing = f"{_STAGES[status.stage]}: {now}" if status.stage is CodingStage.ACT else _STAGES[status.stage]
        step = min(status.step + (status.stage is CodingStage.THINK), status.max_steps)
        far = f"step {step} of {status.max_steps}, {clock(self._elapsed(status))}, {status.tokens:,} tokens"
        room = max(10, self.console.width - len(far) - 6)
        text = Text(printable(doing).replace("\n", " "), no_wrap=True)
        text.truncate(room, overflow="ellipsis")
        moving.update(Text.assemble(text, (f"  {far}", "dim")))

    def _elapsed(self, status: CodingStatus) -> float:
        """Return how long a task has taken by now: its workflow knows the time of its last event alone."""
        if status.elapsed_seconds != self._clock[0]:
            self._clock = (status.elapsed_seconds, monotonic())
        known, since = self._clock
        return known if status.stage is CodingStage.PAUSED else known + monotonic() - since

    def step(self, line: StepLine) -> None:
        """Print a step that is done."""
        cost = f"  {line.seconds:.1f} s, {line.tokens:,} tokens" if line.tokens else ""
        number = f"{line.step:>3}" if line.step else "   "
        self.console.print(Text.assemble((f"{number}  ", "bold"), printable(line.text), (cost, "dim")), soft_wrap=True)

    def diff(self, patch: str, name: str, most_lines: int = SHOWN_DIFF_LINES) -> None:
        """Print a patch, its lines in colours; of a long one the beginning."""
        lines = patch.removesuffix("\n").split("\n")
        for line in lines[:most_lines]:
            self.line(line, next((style for start, style in _DIFF_STYLES if line.startswith(start)), ""))
        if len(lines) > most_lines:
            self.line(f"... and {len(lines) - most_lines} lines more: june code diff {name}", "dim")

    def outcome(self, report: CodingReport, patch: str, name: str) -> None:
        """Print what a task has changed, and how it ended."""
        self.console.print()
        if patch:
            self.diff(patch, name)
            self.console.print()
        else:
            self.line("nothing has changed", "dim")
        self.report(report)

    def applied(self, applied: Applied, folder: Path) -> None:
        """Print what was done to a folder."""
        parts = [f"wrote {', '.join(applied.written)}"] * bool(applied.written)
        parts += [f"removed {', '.join(applied.removed)}"] * bool(applied.removed)
        self.line(f"{folder}: {'; '.join(parts) or 'all is as the task has left it already'}")

    def report(self, report: CodingReport) -> None:
        """Print how a task ended."""
        if report.tests_passed is not None:
            self.line(f"tests: {report.tests}", "green" if report.tests_passed else "red")
        elif report.outcome in {CodingOutcome.FINISHED, CodingOutcome.UNFINISHED}:
            self.line("tests: there are none", "dim")
        if report.summary:
            self.line(f"the agent says: {report.summary}")
        cost = (
            f"{report.steps} steps, {clock(report.seconds)}, {report.prompt_tokens + report.completion_tokens:,} tokens"
        )
        self.line(
            f"{report.outcome.value} after {cost}{f' ({report.model})' if report.model else ''}", _style(report.outcome)
        )
        if report.reason:
            self.line(f"{report.reason} ({report.code})" if report.code else report.reason, "red")

    def status(self, name: str, status: CodingStatus) -> None:
        """Print where a task stands, and its last steps."""
        for line in status.lines:
            self.step(line)
        if status.report:
            self.report(status.report)
            return
        far = f"step {status.step} of {status.max_steps}, {clock(status.elapsed_seconds)}, {status.tokens:,} tokens"
        self.line(f"{name}: {_STAGES[status.stage]}, {far}")


def show_tasks(listed: Sequence[ListedTask], *, as_json: bool) -> None:
    """Print a list of tasks."""
    if as_json:
        write_json(listed)
        return
    table = Table("", "name", Column("task", overflow="fold"), "steps", "started (UTC)", box=None)
    for task in listed:
        colour = _style(task.outcome)
        steps = str(task.report.steps) if task.report else ""
        started = f"{task.started_at:%Y-%m-%d %H:%M:%S}"
        outcome = f"[{colour}]{task.outcome.value}[/{colour}]"
        table.add_row(outcome, escape(printable(name_of(task.id))), escape(printable(task.task)), steps, started)
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=WIDTH)).print(table)


def write_patch(patch: str, name: str) -> None:
    """Print a patch: in colours on a terminal, byte by byte as it is to anything else."""
    screen = Screen()
    if screen.console.is_terminal:
        screen.diff(patch, name, most_lines=sys.maxsize)
    else:
        sys.stdout.buffer.write(patch.encode())
        sys.stdout.buffer.flush()


def printable(text: str) -> str:
    """Return text in which whatever is not seen is spelled out: control characters, and those that turn text round."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else ascii(sign)[1:-1] for sign in text)


def clock(seconds: float) -> str:
    """Return a time span as ``m:ss``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _style(outcome: CodingOutcome) -> str:
    return _COLOURS.get(outcome, "red")
