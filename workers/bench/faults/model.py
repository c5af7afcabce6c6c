"""The process of a campaign's model server, seen from the campaign: started, stopped, killed, made to fail."""

import asyncio
import contextlib
import os
import signal
import sys

import httpx

from activities.processes import die_with_parent
from workers.bench.faults.june import kill
from workers.bench.faults.model_server import Mode
from workers.errors import JuneError
from workers.ports import LOOPBACK

READY_SECONDS = 120.0
PROBE_SECONDS = 0.05


class ModelServer:
    """The process, on a port of loopback."""

    def __init__(self, port: int) -> None:
        """Describe it."""
        self.url = f"http://{LOOPBACK}:{port}"
        self._port = port
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and return once it answers.

        Raises:
            JuneError: it did not.

        """
        self._process = await asyncio.create_subprocess_exec(
            *die_with_parent.command(sys.executable, "-m", "workers.bench.faults.model_server", str(self._port)),
            env=os.environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                while self._process.returncode is None:
                    try:
                        await self.set_mode(Mode.WELL)
                    except httpx.HTTPError:
                        await asyncio.sleep(PROBE_SECONDS)
                    else:
                        return
        raise JuneError("The campaign's model server did not start.")

    async def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Signal it."""
        if self._process is not None and self._process.returncode is None:
            kill(self._process.pid, number)

    async def set_mode(self, mode: Mode) -> None:
        """Set how it answers.

        Raises:
            httpx.HTTPError: it could not be told.

        """
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.post(f"{self.url}/mode/{mode.value}")).raise_for_status()
