"""``june up`` as a campaign runs it: a process that is killed and started again, and all that ever came of it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from activities.processes import die_with_parent
from workers.errors import JuneError
from workers.local import instance

READY_SECONDS = 300.0
"""Timeout for a start on a machine that others use."""
STARTS = 5
"""A start may fail while the processes of the killed one let go of their ports."""
RETRY_SECONDS = 0.5
STOP_SECONDS = 60.0
WATCH_SECONDS = 0.25
DECODER = "activities.audio.decoder_process"

Log = Callable[[str], None]


class June:
    """june in one home, for as long as the campaign wants it."""

    def __init__(self, home: Path, variables: Mapping[str, str], log: Log) -> None:
        """Describe it; ``variables`` are its settings."""
        self.home = home
        self.starts = 0
        self._variables = variables
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._seen: dict[int, psutil.Process] = {}
        """All processes that were ever seen of it, by their ids."""

    async def start(self) -> None:
        """Start it, and return once all of it is ready.

        Raises:
            JuneError: it did not become ready.

        """
        said = ""
        for _ in range(STARTS):
            self._process = await asyncio.create_subprocess_exec(
                *die_with_parent.command(sys.executable, "-m", "workers.cli", "up", "--json"),
                env=os.environ | self._variables,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            errors = asyncio.create_task(_drained(self._process.stderr))
            try:
                ready = await asyncio.wait_for(_line(self._process.stdout), READY_SECONDS)
            except TimeoutError:
                await self.kill()
                raise JuneError(f"june was not ready after {READY_SECONDS:.0f} s: {await errors}") from None
            if ready:
                self.starts += 1
                self.look()
                return
            await self._process.wait()
            said = await errors
            self._log(f"june did not start: {said[:300]}")
            await asyncio.sleep(RETRY_SECONDS)
        raise JuneError(f"june did not start: {said}")

    async def kill(self) -> None:
        """Kill ``june up`` itself without a warning; its children die with it."""
        self.look()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end, and wait until it has; kill it when it does not.

        Raises:
            JuneError: it did not end by itself.

        """
        self.look()
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            await self.kill()
            raise JuneError(f"june did not end within {STOP_SECONDS:.0f} s of SIGTERM.") from None

    def pid(self, program: str) -> int | None:
        """Return the process id of one of its programs; None while that is not there."""
        state = instance.running(self.home)
        pid = state.pids.get(program) if state else None
        return pid if pid and psutil.pid_exists(pid) else None

    def decoders(self) -> list[int]:
        """Return the process ids of its audio decoders."""
        return [process.pid for process in self._family() if DECODER in _command(process)]

    def look(self) -> None:
        """Remember the processes that it has now."""
        for process in self._family():
            self._seen.setdefault(process.pid, process)

    async def watch(self) -> None:
        """Look now and then, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(WATCH_SECONDS)

    def left(self) -> list[str]:
        """Return the processes that are still there of all that ever were, zombies left out."""
        names = []
        for process in self._seen.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    names.append(f"{process.pid} {_command(process)}")
        return names

    def _family(self) -> list[psutil.Process]:
        if self._process is None or self._process.returncode is not None:
            return []
        try:
            june = psutil.Process(self._process.pid)
            return [june, *june.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> bool:
    """Signal a process; return whether it was there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


async def _line(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.readline() if stream else b""


async def _drained(stream: asyncio.StreamReader | None) -> str:
    """Read a stream to its end, so that whoever writes is never held up; return its last part."""
    kept = b""
    while stream and (data := await stream.read(4096)):
        kept = (kept + data)[-8192:]
    return kept.decode(errors="replace").strip()
