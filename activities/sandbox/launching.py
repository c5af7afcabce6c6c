"""The worker's side of the launcher: a command goes in, its output and the workspace come out; nothing is believed."""

import asyncio
import base64
import json
import os
import secrets
from abc import ABC, abstractmethod
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Literal, NamedTuple, Protocol
from weakref import WeakValueDictionary

from pydantic import BaseModel, ValidationError

from activities.processes.bounded_log import BoundedLog
from activities.sandbox import launcher
from activities.sandbox.sandbox import WORKSPACE, Command, ExecResult, Sandbox, SandboxError, SandboxLimits

WANTED = (
    "pid namespace",
    "network namespace",
    "unprivileged user",
    "no capabilities",
    "seccomp",
    "no new privileges",
    "read-only root",
)
"""What must be in force on every backend, or no command is run (``launcher.missing``)."""
ENVIRONMENT = {
    "PATH": "/opt/june/bin:/usr/local/bin:/usr/bin:/bin",
    "HOME": WORKSPACE,
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""All that a command finds in its environment."""
BOUNDED = (WORKSPACE, "/tmp", "/dev/shm")  # noqa: S108 - the sandbox's
PAGE = 4096
KEY_BYTES = 32
SHARED_MEMORY = 16 << 20
LAUNCHER_MEMORY = 32 << 20
SPARE_SECONDS = 60.0
"""Beyond the command's own time: for starting, unpacking and packing on a busy machine."""
MAX_FRAME = 4 << 20
ENTRY_BYTES = 4096
"""Of an archive for each file, beside its content: headers, a long name, padding."""
ERROR_BYTES = 2000
ERROR_SECONDS = 10.0
OPEN_FILES = 1024
NOTHING = bytes(1024)
"""An archive with nothing in it."""


class Confinement(NamedTuple):
    """How a backend bounds a command, as the launcher is told."""

    wanted: tuple[str, ...]
    """What must be in force, or no command is run (``launcher.missing``)."""
    filter_code: bytes
    """Of seccomp."""
    memory_bytes: int = 0
    """Memory to be watched by the launcher, and bounded by RLIMIT_AS, where no cgroup bounds it."""
    processes: int = 0
    """Processes to be bounded by RLIMIT_NPROC, where no cgroup does."""
    unless_limited: int = 0
    """Neither is done where the launcher finds itself in a cgroup with a limit of at most so many bytes."""
    environment: tuple[tuple[str, str], ...] = ()
    """Variables beside ``ENVIRONMENT``."""


class Launched(NamedTuple):
    """A launcher that waits for its request."""

    process: Process
    confinement: Confinement
    oom_kills: Callable[[], int]
    """Counts the processes that the kernel has killed for memory, as far as is seen from outside."""


class Launcher(Protocol):
    """Starts launchers; leaving the context kills what is left, and removes it."""

    def launch(self, limits: SandboxLimits) -> AbstractAsyncContextManager[Launched]:
        """Start one, in isolation.

        Raises:
            SandboxError: ``sandbox-unavailable``.

        """


class Facts(BaseModel):
    """What the launcher found to be in force."""

    pid: int
    uid: int
    seccomp: bool
    no_new_privileges: bool
    user_namespace: bool
    interfaces: list[str]
    read_only: list[str]
    memory_limit: int | None
    python: str
    kernel: str


class Ended(BaseModel):
    """How a command ended, as the launcher tells it."""

    status: int | None
    ended_by: Literal["", "time", "memory", "files"]
    written: int
    seconds: float
    problem: str
    skipped: list[str]


class Outcome(NamedTuple):
    """What came back."""

    facts: Facts
    result: ExecResult
    archive: bytes | None
    """The workspace; None where it is too large to be kept."""


def tmpfs_bytes(limits: SandboxLimits) -> int:
    """Return the size of the workspace's file system: files take whole pages."""
    return limits.workspace_bytes + limits.workspace_files * PAGE


def cgroup_bytes(limits: SandboxLimits) -> int:
    """Return the memory of a cgroup in which the workspace and the launcher are, which are not the command's."""
    return limits.memory_bytes + tmpfs_bytes(limits) + LAUNCHER_MEMORY


def scratch_bytes(limits: SandboxLimits) -> tuple[int, int]:
    """Return the sizes of ``/tmp`` and ``/dev/shm``, which are the command's memory."""
    return min(tmpfs_bytes(limits), limits.memory_bytes // 2), min(SHARED_MEMORY, limits.memory_bytes // 8)


def build_request(
    command: Command, limits: SandboxLimits, confinement: Confinement, archive_bytes: int, key: bytes
) -> bytes:
    """Build the launcher's request, with its length before it; ``key`` signs the answer."""
    rlimits = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": limits.workspace_bytes, "RLIMIT_NOFILE": OPEN_FILES}
    rlimits |= {"RLIMIT_MEMLOCK": 64 << 10, "RLIMIT_RTPRIO": 0}
    if confinement.processes:
        rlimits["RLIMIT_NPROC"] = confinement.processes + 1  # the launcher is one of them
    if confinement.memory_bytes:
        rlimits["RLIMIT_AS"] = confinement.memory_bytes
    head = limits.output_bytes // 2
    request = {
        "argv": command.argv,
        "environment": ENVIRONMENT | dict(confinement.environment),
        "workspace": WORKSPACE,
        "seconds": min(limits.seconds, command.seconds or limits.seconds),
        "head": head,
        "tail": limits.output_bytes - head,
        "wanted": confinement.wanted,
        "seccomp": base64.b64encode(confinement.filter_code).decode(),
        "rlimits": rlimits,
        "watched_memory": confinement.memory_bytes,
        "unless_limited": confinement.unless_limited,
        "bounded": BOUNDED,
        "max_inodes": limits.workspace_files * 2 + 100,
        "max_bytes": limits.workspace_bytes,
        "max_files": limits.workspace_files,
        "archive_bytes": archive_bytes,
        "stdin_bytes": len(command.stdin),
        "key": key.hex(),
    }
    data = json.dumps(request).encode()
    return launcher.LENGTH.pack(len(data)) + data


async def run(launched: Launched, command: Command, archive: bytes, limits: SandboxLimits) -> Outcome:
    """Send a command to a launcher, and read what comes back.

    Raises:
        SandboxError: ``sandbox-unavailable``, the isolation is not in force; ``sandbox-died``.

    """
    process = launched.process
    assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 - all are pipes
    key = secrets.token_bytes(KEY_BYTES)
    errors, answer = asyncio.create_task(_read_errors(process.stderr)), Answer(process.stdout, limits, key)
    try:
        async with asyncio.timeout(limits.seconds + SPARE_SECONDS):
            with suppress(BrokenPipeError, ConnectionResetError):  # its output says what is wrong
                process.stdin.write(build_request(command, limits, launched.confinement, len(archive), key))
                process.stdin.write(archive)
                process.stdin.write(command.stdin)
                await process.stdin.drain()
            return await answer.read(launched.oom_kills)
    except (EOFError, ValidationError) as error:
        await asyncio.wait([errors], timeout=ERROR_SECONDS)
        said = " ".join(errors.result().split()) if errors.done() else ""
        if answer.facts is None:
            raise SandboxError("sandbox-unavailable", said or "The sandbox did not start.") from error
        reason = (
            "It was ended for memory, as a whole." if launched.oom_kills() else f"The sandbox ended by itself. {said}"
        )
        raise SandboxError("sandbox-died", reason.strip()) from error
    except TimeoutError as error:
        raise SandboxError("sandbox-died", "The sandbox gave no answer in time, and was ended.") from error
    finally:
        errors.cancel()


async def _read_errors(stream: asyncio.StreamReader) -> str:
    log = BoundedLog(ERROR_BYTES, ERROR_BYTES)
    while data := await stream.read(ERROR_BYTES):
        log.write(data)
    return log.content().decode(errors="replace")


class Answer:
    """What the launcher writes, frame by frame; bounded, whatever that is."""

    def __init__(self, stream: asyncio.StreamReader, limits: SandboxLimits, key: bytes) -> None:
        """Read from a stream of frames that are signed with a key."""
        self._stream = stream
        self._key = key
        self._frames = 0
        self._limits = limits
        self._head, self._tail, self._archive = bytearray(), b"", bytearray()
        self.facts: Facts | None = None
        """What is in force, once that is said."""

    async def read(self, oom_kills: Callable[[], int]) -> Outcome:
        """Read to the end.

        Raises:
            EOFError: it ends before its end, is more than was asked for, or not all of it is the launcher's.
            ValidationError: it is not what a launcher says.
            SandboxError: ``sandbox-unavailable``, the isolation is not in force.

        """
        most = self._limits.workspace_bytes + (self._limits.workspace_files + 10) * ENTRY_BYTES
        while True:
            kind, data = await self._frame()
            if kind == launcher.HELLO:
                self.facts = Facts.model_validate_json(data)
            elif kind == launcher.OUTPUT:
                self._head += data
            elif kind == launcher.REST:
                self._tail = data
            elif kind == launcher.ARCHIVE:
                self._archive += data
            elif kind == launcher.END and self.facts:
                return self._outcome(Ended.model_validate_json(data), self.facts, oom_kills())
            elif kind == launcher.REFUSED:
                sentence = f"This is not in force: {data.decode(errors='replace')}. No command is run without it."
                raise SandboxError("sandbox-unavailable", sentence)
            else:
                raise EOFError
            if len(self._head) > self._limits.output_bytes or len(self._archive) > most:
                raise EOFError

    async def _frame(self) -> tuple[bytes, bytes]:
        """Read the next frame; return its kind and data."""
        header = await self._stream.readexactly(launcher.HEADER.size)
        kind, length = launcher.HEADER.unpack(header)
        if length > MAX_FRAME:
            raise EOFError
        data = await self._stream.readexactly(length)
        signature = await self._stream.readexactly(launcher.SIGNATURE_BYTES)
        if not secrets.compare_digest(signature, launcher.sign(self._key, self._frames, header + data)):
            raise EOFError
        self._frames += 1
        return kind, data

    def _outcome(self, ended: Ended, facts: Facts, killed: int) -> Outcome:
        left_out = ended.written - len(self._head) - len(self._tail)
        gap = f"\n[... {left_out} bytes left out ...]\n".encode() if left_out else b""
        code = None if ended.status is None else os.waitstatus_to_exitcode(ended.status)
        remarks = []
        if ended.ended_by == "files":
            remarks.append("It was ended: it made more files than it may.")
        if ended.problem:
            remarks.append(f"The workspace is as it was before this command: {ended.problem}.")
        remarks += [f"Not kept in the workspace: {skipped}." for skipped in ended.skipped]
        result = ExecResult(
            exit_code=None if code is None or code < 0 else code,
            output=(bytes(self._head) + gap + self._tail).decode(errors="replace"),
            truncated=left_out > 0,
            timed_out=ended.ended_by == "time",
            out_of_memory=ended.ended_by == "memory" or killed > 0,
            seconds=ended.seconds,
            remarks=tuple(remarks),
        )
        return Outcome(facts, result, None if ended.problem else bytes(self._archive))


class LaunchedSandbox:
    """A sandbox between whose commands nothing exists but the archive of its workspace."""

    def __init__(self, name: str, archive: bytes, limits: SandboxLimits, backend: Launcher) -> None:
        """Begin with a workspace; nothing is started."""
        self.name = name
        self._archive = archive
        self._limits = limits
        self._backend = backend
        self._one_at_a_time = asyncio.Lock()
        self._running: asyncio.Task[Outcome] | None = None
        self._destroyed = asyncio.Event()

    async def exec(self, command: Command) -> ExecResult:
        """Run a command to its end, or to its limits; kill all that it has started."""
        return (await self.outcome(command)).result

    async def outcome(self, command: Command) -> Outcome:
        """Run a command; return also what was in force."""
        async with self._one_at_a_time:
            if self._destroyed.is_set():
                raise SandboxError("sandbox-died", "The sandbox was destroyed.")
            self._running = asyncio.create_task(self._run(command))
            try:
                outcome = await self._running
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self._destroyed.is_set() and task and not task.cancelling():
                    raise SandboxError("sandbox-died", "The sandbox was destroyed.") from None
                raise
            finally:
                self._running = None
            if outcome.archive is not None:
                self._archive = outcome.archive
            return outcome

    async def _run(self, command: Command) -> Outcome:
        async with self._backend.launch(self._limits) as launched:
            return await run(launched, command, self._archive, self._limits)

    async def snapshot(self) -> bytes:
        """Return the workspace as an archive."""
        return self._archive

    async def restore(self, archive: bytes) -> None:
        """Make the workspace what the archive holds, from the next command on."""
        async with self._one_at_a_time:
            self._archive = archive

    async def health(self) -> bool:
        """Check whether a command could run now."""
        try:
            return (await self.outcome(Command(("true",)))).result.exit_code == 0
        except SandboxError:
            return False

    async def destroy(self) -> None:
        """End what runs; does nothing the second time."""
        self._destroyed.set()
        if self._running:
            self._running.cancel()
            await asyncio.wait([self._running])


class LaunchedSandboxes(ABC):
    """A backend's sandboxes by their names; a backend says how a launcher is started."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sandboxes = WeakValueDictionary[str, LaunchedSandbox]()

    async def create(self, name: str, archive: bytes, limits: SandboxLimits) -> Sandbox:
        """Create the sandbox of this name; one that is there already by that name is destroyed first.

        Raises:
            SandboxError: ``sandbox-unavailable``.

        """
        before = self._sandboxes.pop(name, None)
        if before:
            await before.destroy()
        await self._prepare()
        self._sandboxes[name] = sandbox = LaunchedSandbox(name, archive, limits, self)
        return sandbox

    @abstractmethod
    async def _prepare(self) -> object:
        """Do once what all launchers need."""

    @abstractmethod
    def launch(self, limits: SandboxLimits) -> AbstractAsyncContextManager[Launched]:
        """Start one, as a ``Launcher`` does."""
