"""Stacks to measure: embedded, in a home and on ports of their own."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from workers.embedded import Embedded
from workers.kinds import Kind
from workers.ports import own_ports, own_web
from workers.settings import StorageSettings, WorkerSettings


@asynccontextmanager
async def measured_stack(*, engines: bool, optional: Sequence[Kind] = ()) -> AsyncIterator[Embedded]:
    """Run a stack with the models of june's home and nothing else of it, with or without engines.

    Raises:
        JuneError: it could not be started.

    """
    models = StorageSettings().models
    with tempfile.TemporaryDirectory(prefix="june-bench-") as folder:
        home = Path(folder)
        if engines:
            (home / "models").symlink_to(models)
        storage = StorageSettings(home=home)
        work = WorkerSettings(engines="real" if engines else "none")
        async with Embedded(storage, own_ports(), work=work, web=own_web(), optional=optional) as stack:
            yield stack
