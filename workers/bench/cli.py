"""``june bench``: the measurements, from the command line."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console

from workers.bench.runs import app as runs_app
from workers.bench.sizes import (
    ENDURANCE_TURNS,
    FAULT_CHATS,
    FAULT_TURNS,
    FAULTS,
    FOOTPRINT_TURNS,
    NOOP_TURNS,
    ROUNDS,
    TURNS_PER_SECOND,
)
from workers.errors import ExitCode

app = typer.Typer(no_args_is_help=True, help="Run data sets, and measure june on this machine.")
app.add_typer(runs_app)
_console = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, for programs.")]
Rounds = Annotated[int, typer.Option(help="Real turns of each length.", min=1)]
NoopTurns = Annotated[int, typer.Option(help="Turns without engines.", min=20)]
Turns = Annotated[int, typer.Option(help="Turns of the conversation.", min=60)]


@app.command()
def turn(*, rounds: Rounds = ROUNDS, noop_turns: NoopTurns = NOOP_TURNS, as_json: Json = False) -> None:
    """Compare turns with the plain sum of their engines, and measure june without engines."""
    from workers.bench.turn import bench_turn

    _print(asyncio.run(bench_turn(rounds, noop_turns, _console.print)), as_json=as_json)


@app.command()
def summary(
    *, rounds: Annotated[int, typer.Option(help="Chats of each kind.", min=1)] = 5, as_json: Json = False
) -> None:
    """Measure the turns of a chat around its summary, beside those of a chat that needs none."""
    from workers.bench.summary import bench_summary

    _print(asyncio.run(bench_summary(rounds, _console.print)), as_json=as_json)


@app.command()
def footprint(*, turns: Turns = FOOTPRINT_TURNS, as_json: Json = False) -> None:
    """Measure time until ready, memory, idle load, and memory over many turns."""
    from workers.bench.footprint import bench_footprint

    _print(asyncio.run(bench_footprint(turns, _console.print)), as_json=as_json)


@app.command()
def endurance(*, turns: Turns = ENDURANCE_TURNS, as_json: Json = False) -> None:
    """Hold one long conversation without engines: neither its cost nor its histories may grow."""
    from workers.bench.endurance import bench_endurance

    _print(asyncio.run(bench_endurance(turns, _console.print)), as_json=as_json)


@app.command()
def faults(
    *,
    seed: Annotated[list[int], typer.Option(help="Of the faults, and of who speaks when; one campaign for each.")],
    turns: Annotated[int, typer.Option(help="Messages in all.", min=1)] = FAULT_TURNS,
    chats: Annotated[int, typer.Option(help="Chats in which they are said.", min=1)] = FAULT_CHATS,
    count: Annotated[int, typer.Option("--faults", help="Faults in all.", min=0)] = FAULTS,
    pace: Annotated[float, typer.Option(help="Messages in a second, on average.", min=0.1)] = TURNS_PER_SECOND,
    keep: Annotated[
        Path | None, typer.Option(resolve_path=True, help="Folder for june's logs and each message's outcome.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a campaign, each on a line.")] = False,
) -> None:
    """Hold a fault campaign: processes killed, servers restarted, the store gone, the disk full, platforms refusing.

    Exits with 1 when a turn was lost, doubled, given up, out of order or badly remembered, or anything was left behind.
    """
    from workers.bench.faults.campaign import Options
    from workers.bench.faults.figures import table
    from workers.bench.faults.run import bench_faults

    runs = []
    for each in seed:
        folder = keep / f"seed-{each}" if keep else None
        options = Options(seed=each, turns=turns, chats=chats, faults=count, turns_per_second=pace, keep=folder)
        figures = asyncio.run(bench_faults(options, _console.print))
        runs.append(figures)
        if as_json:
            _print(figures, as_json=True)
        for fault in [*figures.faults, *figures.left_processes, *figures.left_files, *figures.left_workflows]:
            _console.print(f"seed {each}: {fault}", markup=False)
    if not as_json:
        typer.echo(table(runs))
    raise typer.Exit(ExitCode.OK if all(figures.passed for figures in runs) else ExitCode.FAULT)


@app.command()
def validate(
    sets: Annotated[list[str] | None, typer.Argument(metavar="[SET]...", help="Data sets; none for all.")] = None,
    *,
    limit: Annotated[int | None, typer.Option(help="Tasks of each set, from the first.", min=1)] = None,
    at_once: Annotated[int, typer.Option(help="Sandboxes at a time; 0 for one a processor.", min=0)] = 0,
    entries: Annotated[Path | None, typer.Option("--sets", help="TOML file with further data sets.")] = None,
    as_json: Json = False,
) -> None:
    """Check data sets of coding tasks: references must solve them all, an agent that does nothing none.

    Exits with 1 where that is not so.
    """
    from workers.bench.validate import table
    from workers.bench.validate import validate as run

    def log(line: str) -> None:
        _console.print(line, markup=False, soft_wrap=True)

    results = asyncio.run(run(sets or [], entries, limit, at_once or os.cpu_count() or 1, log))
    sound = all(result.sound for result in results)
    if as_json:
        rows = [result.model_dump() for result in results]
        sys.stdout.write(json.dumps({"ok": sound, "sets": rows}) + "\n")
    else:
        typer.echo(table(results))
    raise typer.Exit(ExitCode.OK if sound else ExitCode.FAULT)


@app.command("all")
def everything(*, as_json: Json = False) -> None:
    """Measure all of it, and print the table of docs/benchmarks.md."""
    from workers.bench.report import measure_everything, table

    figures = asyncio.run(measure_everything(_console.print))
    sys.stdout.write((json.dumps(figures) if as_json else table(figures)) + "\n")


def _print(figures: BaseModel, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(figures.model_dump_json() + "\n")
        return
    for name, value in figures.model_dump().items():
        typer.echo(f"{name:<26} {value}")
