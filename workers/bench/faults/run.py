"""``june bench faults``: a campaign in a process of its own, with mounts of its own where the system allows that."""

import asyncio
import sys
from collections.abc import Callable

from activities.processes import die_with_parent
from workers.bench.faults.campaign import Options
from workers.bench.faults.disk import wrapped
from workers.bench.faults.figures import FaultFigures
from workers.errors import JuneError

Log = Callable[[str], None]


async def bench_faults(options: Options, log: Log) -> FaultFigures:
    """Hold a campaign.

    Args:
        options: what it is to be.
        log: told what is left out, and why.

    Raises:
        JuneError: it could not be held to its end.

    """
    command = [sys.executable, "-m", "workers.bench.faults.campaign"]
    small = await asyncio.to_thread(wrapped, command)
    if small is None:
        log("no disk is filled: this system lets june mount none of its own (unshare --mount)")
    options = options.model_copy(update={"small_disk": small is not None})
    process = await asyncio.create_subprocess_exec(
        *die_with_parent.command(*(small or command), options.model_dump_json()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    if process.returncode != 0:
        raise JuneError("The campaign was not held to its end; see above.")
    return FaultFigures.model_validate_json(printed)
