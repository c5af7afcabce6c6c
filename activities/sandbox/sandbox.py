"""What a sandbox is; ``bubblewrap`` and ``containers`` are its backends.

A sandbox holds a workspace, which begins as an archive (``activities.sandbox.archive``) and ends as one. Commands run
in it one after the other, each with processes of its own: none outlives its command. No network, no way out.
"""

from typing import NamedTuple, Protocol

WORKSPACE = "/workspace"
"""Where a command finds the workspace, and begins."""


class SandboxLimits(NamedTuple):
    """What a command may use, with all that it starts."""

    memory_bytes: int = 512 << 20
    processes: int = 64
    """Processes and threads."""
    workspace_bytes: int = 64 << 20
    """Of the workspace; so much again is there for ``/tmp``."""
    workspace_files: int = 5000
    output_bytes: int = 64 << 10
    """Of the output that is kept: its beginning and its end."""
    seconds: float = 60.0
    """Wall-clock time; a command may ask for less."""


class Command(NamedTuple):
    """A command, as the agent or june gives it."""

    argv: tuple[str, ...]
    """Program and arguments; a shell's line is ``("bash", "-c", LINE)``."""
    stdin: bytes = b""
    seconds: float | None = None
    """Most time for it; None, or more than that, is the limits'."""


class ExecResult(NamedTuple):
    """How a command ended."""

    exit_code: int | None
    """None where it was killed: out of time, or of memory, or by a signal."""
    output: str
    """Standard output and error as they came; undecodable bytes are replaced, what is above the limit left out."""
    truncated: bool = False
    """Whether output was left out."""
    timed_out: bool = False
    out_of_memory: bool = False
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()
    """What june says of it: why it ended the command, what of the workspace could not be kept."""


class Isolation(NamedTuple):
    """What is really in force, for ``june doctor``, reports, and the Web UI."""

    backend: str
    """``bubblewrap 0.8.0``, ``podman 4.3.1 (runc)``..."""
    holds: tuple[str, ...]
    """What is in force: ``no network``, ``uid 61001``, ``seccomp``, ``cgroup v1: memory, pids``..."""
    lacks: tuple[str, ...] = ()
    """What is not, each with how to get it."""


class Sandbox(Protocol):
    """A workspace in which commands run. Close it (``destroy``) in ``finally``."""

    async def exec(self, command: Command) -> ExecResult:
        """Run a command to its end, or to its limits; kill all that it has started.

        Cancelling the call kills the command.

        Raises:
            SandboxError: ``sandbox-died``, the sandbox itself ended; what the command did to the workspace is lost.

        """

    async def snapshot(self) -> bytes:
        """Return the workspace as an archive (``activities.sandbox.archive``)."""

    async def restore(self, archive: bytes) -> None:
        """Make the workspace what the archive holds."""

    async def health(self) -> bool:
        """Check whether a command could run now."""

    async def destroy(self) -> None:
        """End all its processes and remove all that it has; does nothing the second time."""


class Sandboxes(Protocol):
    """A backend: makes sandboxes, and removes what dead workers have left."""

    async def isolation(self) -> Isolation:
        """Try what is in force here.

        Raises:
            SandboxError: ``sandbox-unavailable``; the sentence says what to install or to allow.

        """

    async def create(self, name: str, archive: bytes, limits: SandboxLimits) -> Sandbox:
        """Create the sandbox of this name; one that is there already by that name is destroyed first.

        Raises:
            SandboxError: ``sandbox-unavailable``.

        """

    async def reap(self) -> int:
        """Remove what workers that are dead have left, however they died; return the number of sandboxes."""


class SandboxError(Exception):
    """The sandbox itself failed, not what ran in it."""

    def __init__(self, code: str, message: str) -> None:
        """Keep a code (``sandbox-unavailable`` or ``sandbox-died``) and a sentence for people."""
        super().__init__(message)
        self.code = code
