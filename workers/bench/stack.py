"""Stacks to measure: embedded, in a home and on ports of their own."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from workers.local.free_ports import own_ports, own_web
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import StorageSettings, WorkerSettings


@asynccontextmanager
async def measured_stack(*, engines: bool, optional: Sequence[Role] = ()) -> AsyncIterator[Embedded]:
    """Run a stack with or without engines; of june's home it shares the models alone.

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
