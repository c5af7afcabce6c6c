"""pytest in a process of its own, which certainly ends: its events and its log."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import BaseModel, ValidationError

from activities.processes import die_with_parent
from activities.processes.bounded_log import BoundedLog
from activities.processes.workspace import TAG, Workspace, kill_tagged
from activities.testruns.pytest_protocol import ENDED, EVENTS, PLUGIN, WORK

ARTEFACTS = "JUNE_TESTS_ARTEFACTS"
"""Environment variable of the tests: a folder for files to be kept with the run."""
MAX_LINE_BYTES = 1 << 20
DRAIN_SECONDS = 5.0
"""Timeout for what is still in the pipes when all processes have ended."""
STACK_SECONDS = 2.0
"""Timeout for a hanging process that was told to print its stacks."""
ALWAYS = (
    *("-v", "-p", "no:cacheprovider", "--color=no", "--no-header"),
    # What tests print goes directly to the log: neither memory nor the disk grows with it.
    "--capture=no",
)


class Event(BaseModel):
    """An event that ``activities.testruns.pytest_plugin`` writes."""

    event: Literal["collecting", "uncollected", "found", "began", "ended", "finished"]
    node: str = ""
    outcome: str = ""
    seconds: float = 0
    message: str = ""
    code: int = 0


class PytestProcess:
    """Runs pytest for as long as the block lasts; nothing of it is left afterwards.

    Args:
        workspace: where to run it, and with which environment.
        root: the folder that names of tests start from.
        arguments: what to run, none of it from strangers as it stands.
        log: takes what is printed.
        ended: tests that have an outcome already, and are left out.
        artefacts: where tests put files to be kept.

    """

    def __init__(
        self,
        workspace: Workspace,
        root: Path,
        arguments: Sequence[str],
        log: BoundedLog,
        ended: Collection[str] = (),
        artefacts: Path | None = None,
    ) -> None:
        self._workspace = workspace
        self._root = root
        self._arguments = arguments
        self._log = log
        self._ended = ended
        self._artefacts = artefacts
        self._tag = workspace.tag(uuid.uuid4().hex)
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._folder: Path
        self._process: asyncio.subprocess.Process
        self._watching: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="run-", dir=self._workspace.folder))
        (self._folder / "work").mkdir()
        (self._folder / "ended.json").write_text(json.dumps(list(self._ended)))

        def queue_event(line: bytes) -> None:
            with suppress(ValidationError):  # of a test that writes into files that are not its own
                self._events.put_nowait(Event.model_validate_json(line))

        events, printed = _Pipe(_Lines(queue_event)), _Pipe(self._log.write)
        try:
            await events.connect()
            await printed.connect()
            await self._start(events.writer, printed.writer)
        except BaseException:
            events.stop()
            printed.stop()
            raise
        finally:
            os.close(events.writer)
            os.close(printed.writer)
        self._watching = asyncio.create_task(self._watch(events, printed))
        return self

    async def _start(self, events: int, printed: int) -> None:
        environment = {
            **self._workspace.environment,
            TAG: self._tag,
            ARTEFACTS: str(self._artefacts or self._folder),
            EVENTS: str(events),
            WORK: str(self._folder / "work"),
            ENDED: str(self._folder / "ended.json"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
        }
        command = die_with_parent.command(
            # -P: modules that lie beside the tests are not to be taken for others.
            *(sys.executable, "-P", "-m", "pytest", *ALWAYS, "-p", PLUGIN),
            f"--rootdir={self._root}",
            f"--basetemp={self._folder / 'tmp'}",
            *self._arguments,
        )
        self._process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self._root,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            pass_fds=[events],
            start_new_session=True,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill what still runs, and remove the folder."""
        if not self._watching.done():
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await asyncio.shield(self._watching)  # a second cancellation leaves nothing running either
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def event(self, timeout_seconds: float) -> Event | None:
        """Wait for the next event; return None after the last one.

        Raises:
            TimeoutError: no event for so long.

        """
        async with asyncio.timeout(max(0, timeout_seconds)):
            return await self._events.get()

    async def abort(self) -> None:
        """Make it write all its threads' stacks to the log, which pytest does at SIGABRT."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGABRT)
        await asyncio.wait([self._watching], timeout=STACK_SECONDS)

    @property
    def end(self) -> str:
        """How the process ended, in words."""
        code = self._process.returncode
        if code is None:
            return "its process was killed"
        if code >= 0:
            return f"its process ended with code {code}"
        known = -code in signal.Signals.__members__.values()
        return f"its process was killed by {signal.Signals(-code).name if known else f'signal {-code}'}"

    async def _watch(self, *pipes: "_Pipe") -> None:
        """Wait for the end, kill what was left behind, read the rest of the pipes, and end the events."""
        try:
            await self._process.wait()
            await asyncio.to_thread(kill_tagged, self._tag)
            for pipe in pipes:
                with suppress(TimeoutError):
                    await asyncio.wait_for(pipe.closed.wait(), DRAIN_SECONDS)
                pipe.stop()
        finally:
            self._events.put_nowait(None)


class _Pipe(asyncio.Protocol):
    """A pipe that the process writes into."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._reader, self.writer = os.pipe()
        self.closed = asyncio.Event()
        self._take = take
        self._transport: asyncio.BaseTransport | None = None

    async def connect(self) -> None:
        file = os.fdopen(self._reader, "rb", buffering=0)
        await asyncio.get_running_loop().connect_read_pipe(lambda: self, file)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._take(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed.set()

    def stop(self) -> None:
        if self._transport:
            self._transport.close()


class _Lines:
    """Splits a stream into lines; what is longer than an event can be is cut."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._rest = b""

    def __call__(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)
        self._rest = self._rest[:MAX_LINE_BYTES]
