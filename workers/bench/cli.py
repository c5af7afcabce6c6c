"""``june bench``: the measurements, from the command line."""

import asyncio
import json
import sys
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console

from workers.bench.sizes import ENDURANCE_TURNS, FOOTPRINT_TURNS, NOOP_TURNS, ROUNDS

app = typer.Typer(no_args_is_help=True, help="Measure june on this machine.")
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
def footprint(*, turns: Turns = FOOTPRINT_TURNS, as_json: Json = False) -> None:
    """Measure time until ready, memory, idle load, and memory over many turns."""
    from workers.bench.footprint import bench_footprint

    _print(asyncio.run(bench_footprint(turns, _console.print)), as_json=as_json)


@app.command()
def endurance(*, turns: Turns = ENDURANCE_TURNS, as_json: Json = False) -> None:
    """Hold one long conversation without engines: neither its cost nor its histories may grow."""
    from workers.bench.endurance import bench_endurance

    _print(asyncio.run(bench_endurance(turns, _console.print)), as_json=as_json)


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
