"""``june keys``: make, list and rotate the keys of payload encryption."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from workers.encryption.keys import activate_key, add_key, make_ring, read_ring
from workers.errors import JuneError
from workers.settings import EncryptionSettings, StorageSettings

app = typer.Typer(no_args_is_help=True, help="Make, list and rotate the keys that encrypt what goes to Temporal.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, for programs.")]


@app.command("make")
def make_keys() -> None:
    """Make a key ring with a first key, unless there is one; june up does so by itself."""
    path = _path()
    sys.stdout.write(f"{path}: {'made' if make_ring(path) else 'is there already'}\n")


@app.command("list")
def list_keys(*, as_json: Json = False) -> None:
    """List the keys by id, never the keys themselves."""
    path = _path()
    ring = read_ring(path)
    rows = [(key.id, key.created_at.isoformat(), key.id == ring.active) for key in ring.keys]
    if as_json:
        keys = [{"id": key_id, "created_at": created, "active": active} for key_id, created, active in rows]
        sys.stdout.write(json.dumps({"file": str(path), "keys": keys}) + "\n")
        return
    table = Table("key", "made", "", box=None)
    for key_id, created, active in rows:
        table.add_row(key_id, created, "encrypts" if active else "reads")
    Console(highlight=False).print(table)


@app.command("rotate")
def rotate_keys(
    *,
    later: Annotated[bool, typer.Option("--later", help="Only add it; june keys use makes it the one.")] = False,
) -> None:
    """Add a key and encrypt with it from now on, in processes that run, too; what was written before is still read.

    Where several machines have copies of the key ring: --later, copy the file everywhere, then june keys use.
    """
    key = add_key(_path(), activate=not later)
    sys.stdout.write(f"{key.id}: {'reads' if later else 'encrypts from now on'}\n")


@app.command("use")
def use_key(key: Annotated[str, typer.Argument(help="Id of a key, as june keys list shows it.")]) -> None:
    """Encrypt with this key from now on."""
    activate_key(_path(), key)
    sys.stdout.write(f"{key}: encrypts from now on\n")


def _path() -> Path:
    """Return the key ring's file.

    Raises:
        JuneError: the keys come from elsewhere.

    """
    settings = EncryptionSettings()
    if settings.keys_from:
        raise JuneError(f"The keys come from {settings.keys_from} (JUNE_ENCRYPTION_KEYS_FROM): rotate them there.")
    return settings.path(StorageSettings())
