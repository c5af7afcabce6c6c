"""``june models``: list, pull and verify."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from workers.errors import ExitCode
from workers.models.catalogue import Model, ModelError, known, models, pulled_voices, verify, voices
from workers.models.pull import PullError, pull
from workers.settings import StorageSettings

app = typer.Typer(no_args_is_help=True, help="List, pull and verify the models that june knows.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, for programs.")]
Names = Annotated[list[str] | None, typer.Argument(help="Names of models, as june models list shows them.")]
READY = "ready"
LIST = ("model", "kind", "languages", "licence", "size", "state")


@app.command("list")
def list_models(
    *,
    all_voices: Annotated[bool, typer.Option("--voices", help="Voices that are not here, too.")] = False,
    as_json: Json = False,
) -> None:
    """List the models that june knows, and whether they are here, whole and right; of the voices those that are."""
    folder = StorageSettings().models
    shown = voices() if all_voices else {name: voices()[name] for name in pulled_voices(folder)}
    rows = [_describe(model, folder) for model in (models() | shown).values()]
    if as_json:
        _print_json(rows, folder)
        return
    headers = (Column(header, no_wrap=header in {"model", "size", "state"}) for header in LIST)
    table = Table(*headers, box=None)
    for row in rows:
        size = f"{row['bytes'] / 1e6:.0f} MB"
        table.add_row(row["name"], row["kind"], ", ".join(row["languages"]), row["licence"], size, row["state"])
    Console(highlight=False).print(table)


@app.command("pull")
def pull_models(
    names: Names = None,
    *,
    demo: Annotated[bool, typer.Option("--demo", "--default", help="What june up needs; so without names.")] = False,
    tests: Annotated[bool, typer.Option("--tests", help="What june's own tests need.")] = False,
    as_json: Json = False,
) -> None:
    """Bring models onto this machine and check their digests; those that are here stay as they are."""
    sets = {"demo"} if demo or not (names or tests) else set()
    sets |= {"tests"} if tests else set()
    named = [known(name) for name in names or ()]
    wanted = dict.fromkeys([*named, *(model for model in models().values() if sets & set(model.sets))])
    storage, console = StorageSettings(), Console(stderr=True)
    folder = storage.models
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    rows: list[dict[str, Any]] = []
    for model in wanted:
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            advance = partial(progress.advance, progress.add_task(model.name, total=model.bytes))
            try:
                origin = pull(model, folder, progress=advance, prefer=storage.models_from)
                rows.append({"name": model.name, "state": READY, "pulled": bool(origin), "from": origin})
            except (ModelError, PullError) as error:
                rows.append({"name": model.name, "state": "failed", "error": str(error)})
    _finish(rows, folder, as_json=as_json)


@app.command("verify")
def verify_models(names: Names = None, *, as_json: Json = False) -> None:
    """Hash the files of models that are here, and compare them with the registry."""
    folder = StorageSettings().models
    chosen = (
        [known(name) for name in names]
        if names
        else [model for model in (models() | voices()).values() if model.folder(folder).exists()]
    )
    _finish([_describe(model, folder, trust_stamp=False) for model in chosen], folder, as_json=as_json)


def _describe(model: Model, folder: Path, *, trust_stamp: bool = True) -> dict[str, Any]:
    row: dict[str, Any] = model.model_dump(include={"name", "kind", "languages", "licence"}, mode="json")
    row |= {"bytes": model.bytes, "path": str(model.folder(folder) / model.opens), "state": READY}
    try:
        verify(model, folder, trust_stamp=trust_stamp)
    except ModelError as error:
        row |= {"state": error.code.value, "error": str(error)}
    return row


def _finish(rows: list[dict[str, Any]], folder: Path, *, as_json: bool) -> None:
    """Print what came of it, and exit."""
    if as_json:
        _print_json(rows, folder)
    else:
        console = Console(highlight=False, soft_wrap=True)
        for row in rows:
            pulled = f" (pulled now, from {row['from']})" if row.get("pulled") else ""
            console.print(f"{row['name']}: {row['state']}{pulled}")
            if "error" in row:
                console.print(f"  {escape(row['error'])}", style="red")
    raise typer.Exit(ExitCode.OK if all(row["state"] == READY for row in rows) else ExitCode.FAULT)


def _print_json(rows: list[dict[str, Any]], folder: Path) -> None:
    report = {"ok": all(row["state"] == READY for row in rows), "folder": str(folder), "models": rows}
    sys.stdout.write(json.dumps(report) + "\n")
