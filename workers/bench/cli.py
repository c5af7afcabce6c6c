"""``june bench``: the measurements, from the command line."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Measure june on this machine.")
_console = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, for programs.")]


@app.command()
def turn(
    *,
    rounds: Annotated[int, typer.Option(help="Real turns of each length.", min=1)] = 5,
    noop_turns: Annotated[int, typer.Option(help="Turns without engines.", min=20)] = 200,
    as_json: Json = False,
) -> None:
    """Compare turns with the plain sum of their engines, and measure june without engines."""
    from workers.bench.turn import bench_turn

    figures = asyncio.run(bench_turn(rounds, noop_turns, _console.print))
    if as_json:
        sys.stdout.write(figures.model_dump_json() + "\n")
        return
    for name, value in figures.model_dump().items():
        typer.echo(f"{name:<26} {value}")
