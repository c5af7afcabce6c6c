"""Sandboxes by a container engine, Podman or Docker: a container for each command, by their command line.

The launcher is process 1 of the container. It ends with its input, which the engine closes when june's client of it
dies; what has an end of its own in a label is removed by ``reap`` besides.
"""

import asyncio
import inspect
import json
import logging
import shutil
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from typing import NamedTuple

from activities.processes import die_with_parent
from activities.sandbox import launcher
from activities.sandbox.launching import (
    NOTHING,
    SPARE_SECONDS,
    WANTED,
    Confinement,
    Launched,
    LaunchedSandbox,
    LaunchedSandboxes,
    cgroup_bytes,
    scratch_bytes,
    tmpfs_bytes,
)
from activities.sandbox.owner import is_dead, this_worker
from activities.sandbox.sandbox import WORKSPACE, Command, Isolation, SandboxError, SandboxLimits
from activities.sandbox.seccomp import compile_filter

WORKER, UNTIL = "june.sandbox.worker", "june.sandbox.until"
"""Labels: which worker has made a container; after which time, in seconds of the epoch, it has no more use."""
ENGINE_SECONDS = 60.0
END_SECONDS = 10.0
ERROR_CHARS = 500
BUILD = "Build it: `{engine} build -t {image} -f docker/sandbox.Dockerfile .`"
ADVICE = "See that {engine} is installed, runs, and may be used by june's user: `{engine} info` says."
RUNTIME = "See that the runtime {runtime} (JUNE_SANDBOX_RUNTIME) starts containers without network."
NO_MEMORY_LIMIT = (
    "cgroup: the engine sets no limit of memory here, which june watches instead, 20 times a second; it needs cgroups "
    "v2, or root"
)
_log = logging.getLogger(__name__)
_numbers = count()


class Engine(NamedTuple):
    """What an engine says of itself."""

    name: str
    """With its version and runtime."""
    podman: bool
    """Whether its command line is Podman's."""


class ContainerSandboxes(LaunchedSandboxes):
    """The backend; one a worker."""

    def __init__(
        self, engine: str, *, image: str = "june-sandbox", runtime: str = "", uid: int = 61001, slots: int = 2
    ) -> None:
        """Start nothing.

        Args:
            engine: ``podman`` or ``docker``, or a path to one.
            image: image of the containers, with Python; it is not pulled.
            runtime: such as ``runsc``; empty for the engine's default.
            uid: user id that commands run as.
            slots: commands at once; more wait.

        """
        super().__init__()
        self._engine = engine
        self._image = image
        self._runtime = runtime
        self._uid = uid
        self._slots = asyncio.Semaphore(slots)
        self._preparing = asyncio.Lock()
        self._prepared: Engine | None = None

    async def isolation(self) -> Isolation:
        """Try what is in force here, by running a command."""
        prepared = await self._prepare()
        facts = (await LaunchedSandbox("trial", NOTHING, SandboxLimits(), self).outcome(Command(("true",)))).facts
        limited = facts.memory_limit is not None and facts.memory_limit <= cgroup_bytes(SandboxLimits())
        holds = (
            "no network",
            "namespaces: PID, mount, network, IPC, UTS" + (", user" if facts.user_namespace else ""),
            f"uid {self._uid}",
            "seccomp",
            "no capabilities",
            "read-only root, bounded tmpfs",
            *(("cgroup: memory, pids",) if limited else ()),
            f"Python {facts.python}",
        )
        return Isolation(prepared.name, holds, () if limited else (NO_MEMORY_LIMIT,))

    async def reap(self) -> int:
        """Remove the containers of dead workers, and those whose time has passed."""
        form = f'{{{{.ID}}}} {{{{.Label "{WORKER}"}}}} {{{{.Label "{UNTIL}"}}}}'
        listed = await self._ask("ps", "--all", "--filter", f"label={WORKER}", "--format", form)
        dead = []
        for line in listed.splitlines():
            identifier, worker, until = line.split()
            if is_dead(worker) or float(until) < time.time():
                dead.append(identifier)
        if dead:
            await self._ask("rm", "--force", *dead)
        return len(dead)

    @asynccontextmanager
    async def launch(self, limits: SandboxLimits) -> AsyncIterator[Launched]:
        """Start a launcher in a container."""
        prepared = await self._prepare()
        container = f"june-sandbox-{this_worker()}-{next(_numbers)}"
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._slots)
            words = (*self._arguments(prepared, container, limits), "-c", inspect.getsource(launcher))
            process = await asyncio.create_subprocess_exec(
                *die_with_parent.command(self._engine, *words), stdin=PIPE, stdout=PIPE, stderr=PIPE
            )
            stack.push_async_callback(self._end, process, container, prepared)
            confinement = Confinement(
                wanted=WANTED,
                filter_code=compile_filter(hidden_memory=False),  # whether a cgroup counts it is seen inside
                memory_bytes=limits.memory_bytes,
                processes=limits.processes,
                unless_limited=cgroup_bytes(limits),
            )
            try:
                yield Launched(process, confinement, lambda: 0)
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), END_SECONDS)
            except SandboxError as error:
                if error.code == "sandbox-unavailable":
                    advice = (
                        RUNTIME.format(runtime=self._runtime) if self._runtime else ADVICE.format(engine=self._engine)
                    )
                    raise SandboxError(error.code, f"{self._engine}: {error} {advice}") from error
                raise

    async def _end(self, process: Process, container: str, prepared: Engine) -> None:
        """Remove the container, unless it has ended; return when the engine's client has ended too."""
        if process.returncode is None:
            now = ("--time", "0") if prepared.podman else ()  # otherwise it is asked to end, and given ten seconds
            try:
                await self._ask("rm", "--force", *now, container)
            except SandboxError as error:  # it has just ended; or the launcher ends it, and reap removes it
                _log.info("%s was not removed: %s", container, error)
            with suppress(ProcessLookupError):
                process.kill()
            assert process.stdout  # noqa: S101 - a pipe
            while await process.stdout.read(launcher.CHUNK):
                pass
            await process.wait()

    def _arguments(self, prepared: Engine, container: str, limits: SandboxLimits) -> tuple[str, ...]:
        """Build the engine's arguments, up to those of Python."""
        tmp, shm = scratch_bytes(limits)
        memory = str(cgroup_bytes(limits))
        until = time.time() + limits.seconds + 2 * SPARE_SECONDS
        return (
            *("run", "--rm", "--interactive", "--pull", "never", "--name", container),
            *("--label", f"{WORKER}={this_worker()}", "--label", f"{UNTIL}={until:.0f}"),
            *("--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
            *(("--read-only-tmpfs=false",) if prepared.podman else ()),
            *("--pids-limit", str(limits.processes + 1)),
            *("--memory", memory, "--memory-swap", memory, "--shm-size", str(shm)),
            *("--tmpfs", f"{WORKSPACE}:rw,exec,nosuid,nodev,mode=1777,size={tmpfs_bytes(limits)}"),
            *("--tmpfs", f"/tmp:rw,exec,nosuid,nodev,mode=1777,size={tmp}"),  # noqa: S108 - the container's
            *("--user", f"{self._uid}:{self._uid}", "--hostname", "sandbox", "--workdir", "/", "--log-driver", "none"),
            *(("--runtime", self._runtime) if self._runtime else ()),
            *("--entrypoint", "python3", self._image, "-I", "-S", "-B"),
        )

    async def _prepare(self) -> Engine:
        """Ask the engine, once, what it is, and whether the image is there."""
        async with self._preparing:
            if self._prepared is None:
                await asyncio.to_thread(compile_filter, hidden_memory=False)  # loads libseccomp
                said = json.loads(await self._ask("version", "--format", "json"))
                podman = "APIVersion" in said["Client"]
                field = "{{.Host.OCIRuntime.Name}}" if podman else "{{.DefaultRuntime}}"
                runtime = self._runtime or await self._ask("info", "--format", field)
                await self._ask("image", "inspect", self._image, advice=BUILD)
                version = said["Client" if podman else "Server"]["Version"]
                self._prepared = Engine(f"{self._engine} {version} ({runtime.strip()})", podman)
            return self._prepared

    async def _ask(self, *words: str, advice: str = ADVICE) -> str:
        """Ask the engine by its command line; return its output.

        Raises:
            SandboxError: ``sandbox-unavailable``, it failed.

        """
        advice = advice.format(engine=self._engine, image=self._image)
        if not shutil.which(self._engine):
            raise SandboxError("sandbox-unavailable", f"{self._engine} is not there. {advice}")
        try:
            process = await asyncio.create_subprocess_exec(
                *die_with_parent.command(self._engine, *words), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
            )
            output, errors = await asyncio.wait_for(process.communicate(), ENGINE_SECONDS)
        except TimeoutError as error:
            process.kill()
            raise SandboxError("sandbox-unavailable", f"{self._engine} gives no answer. {advice}") from error
        if process.returncode:
            said = " ".join(errors.decode(errors="replace").split())[-ERROR_CHARS:]
            raise SandboxError("sandbox-unavailable", f"{self._engine} {words[0]}: {said} {advice}")
        return output.decode()
