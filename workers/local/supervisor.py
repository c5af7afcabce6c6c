"""Child processes: started, watched, started again when they die, stopped for certain."""

import asyncio
import contextlib
import http.client
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from activities.processes import die_with_parent
from workers.errors import HomeFault, JuneError, UnavailableError
from workers.ports import LOOPBACK, is_free, occupied
from workers.settings import PRIVATE
from workers.temporal import is_serving

_log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 30.0
STABLE_SECONDS = 60.0
"""A program that lived for so long starts again after the first delay, not the doubled one."""
CRASH_LOOP = 3
"""So many deaths in a row are worth an error, not only a warning."""
STOP_SECONDS = 10.0
"""Then a program that was asked to stop is killed."""
PROBE_SECONDS = 0.1
PROBE_TIMEOUT_SECONDS = 2.0
MAX_LOG_BYTES = 5_000_000
"""A log that is longer when its program starts moves to ``<name>.log.1``."""
TAIL_LINES = 8


@dataclass(frozen=True)
class Program:
    """What to run, and how to see that it is ready."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    port: int
    """Port on loopback."""
    path: str
    """Answers 200 there when the program is ready; empty for Temporal's server, which is asked by gRPC."""
    niceness: int = 0
    """Added to this process's own once the program is ready, so that its start is not slowed."""
    needs: Sequence[tuple[str, int]] = ()
    """Ports that it listens on, each after the setting that moves it."""

    def taken_ports(self) -> list[str]:
        """Say of each port that somebody else listens on who that is; only while the program does not run."""
        return [occupied(port, setting) for setting, port in self.needs if not is_free(port)]


class Child:
    """A program kept running, in a process group of its own, that dies with this process."""

    def __init__(self, program: Program, on_change: Callable[[], None]) -> None:
        """Describe a child; ``on_change`` is called whenever the process id changes."""
        self.program = program
        self.pid: int | None = None
        self.exits = 0
        self._on_change = on_change
        self._stopping = asyncio.Event()
        self._started = False
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the program, and keep it running."""
        self._keeping = asyncio.create_task(self._keep())

    async def ready(self, timeout_seconds: float) -> None:
        """Wait until the program is ready for the first time.

        Raises:
            JuneError: it ended, or was not ready in time; with the end of its log.

        """
        deadline = time.monotonic() + timeout_seconds
        while not self._started:
            if self.exits:
                if taken := await asyncio.to_thread(self.program.taken_ports):
                    raise UnavailableError(" ".join(taken), HomeFault.PORT_TAKEN)
                raise JuneError(f"{self.program.name} ended while it started. {self._tail()}")
            if time.monotonic() > deadline:
                raise JuneError(f"{self.program.name} was not ready after {timeout_seconds:.0f} s. {self._tail()}")
            await asyncio.sleep(PROBE_SECONDS)

    async def is_ready(self) -> bool:
        """Ask the program once."""
        if self.pid is None:
            return False
        if not self.program.path:
            return await is_serving(f"{LOOPBACK}:{self.program.port}", PROBE_TIMEOUT_SECONDS)
        return await asyncio.to_thread(_answers, self.program.port, self.program.path)

    async def stop(self) -> None:
        """Ask the program to end, kill its whole group when it does not, and return when it is gone."""
        self._stopping.set()
        if self._keeping is None:
            return
        self._signal(signal.SIGTERM)
        _, running = await asyncio.wait([self._keeping], timeout=STOP_SECONDS)
        if running:
            self._signal(signal.SIGKILL)
        await self._keeping

    async def _keep(self) -> None:
        delay = FIRST_DELAY_SECONDS
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                how = _how(await self._run())
            except OSError as error:  # no space for its log, no memory for its process
                self.exits += 1
                how = f"could not be started ({error})"
            if self._stopping.is_set():
                return
            delay = FIRST_DELAY_SECONDS if time.monotonic() - started > STABLE_SECONDS else delay
            await self._report(how, delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(2 * delay, MAX_DELAY_SECONDS)

    async def _run(self) -> int:
        """Run the program once, to its end."""
        with _open_log(self.program.log) as log:
            process = await asyncio.create_subprocess_exec(
                *die_with_parent.command(*self.program.command),
                env=dict(self.program.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=PRIVATE,
                # In this session: between sessions the kernel ignores niceness (sched(7), autogroup).
                process_group=0,
            )
        self._change(process.pid)
        if self._stopping.is_set():  # asked to while the process was being made
            self._signal(signal.SIGTERM)
        starting = asyncio.create_task(self._finish_start(process.pid))
        code = await process.wait()
        starting.cancel()
        self._started = False
        self._signal(signal.SIGKILL)  # whatever it left behind in its group
        self.exits += 1
        self._change(None)
        return code

    async def _finish_start(self, pid: int) -> None:
        """Wait until the program is ready, and make its whole group nicer than this process."""
        while not await self.is_ready():  # noqa: ASYNC110 - nothing tells of another process
            await asyncio.sleep(PROBE_SECONDS)
        self._started = True
        if self.program.niceness:
            with contextlib.suppress(ProcessLookupError):
                own = os.getpriority(os.PRIO_PROCESS, 0)
                os.setpriority(os.PRIO_PGRP, pid, own + self.program.niceness)  # the kernel stops at 19

    def _change(self, pid: int | None) -> None:
        self.pid = pid
        self._on_change()

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def _report(self, how: str, delay: float) -> None:
        level = logging.ERROR if self.exits >= CRASH_LOOP else logging.WARNING
        _log.log(level, "%s %s, starting it again in %.1f s (%s)", self.program.name, how, delay, self.program.log)
        for taken in await asyncio.to_thread(self.program.taken_ports):
            _log.error("%s (%s)", taken, HomeFault.PORT_TAKEN)

    def _tail(self) -> str:
        """Quote the end of the program's log, for the error that stops june."""
        text = self.program.log.read_text(errors="replace") if self.program.log.exists() else ""
        lines = [line for line in text.splitlines() if line.strip()][-TAIL_LINES:]
        return "\n".join([f"The end of {self.program.log}:", *(f"  {line[:300]}" for line in lines)])


def _how(code: int) -> str:
    """Say how a program ended."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PROBE_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _open_log(path: Path) -> BinaryIO:
    """Open a log for its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "ab")
