"""Everything on one machine: Temporal's dev server, the model server, and a process for each worker role."""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from google.protobuf.duration_pb2 import Duration
from pydantic import SecretStr
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client

from workers.local import instance
from workers.local.openmp import openmp_path
from workers.local.supervisor import Child, Program
from workers.ports import LOOPBACK, PORTS_PER_WORKER, require_free
from workers.roles.role import BOTS, OPTIONAL, Role
from workers.settings import (
    DiscordSettings,
    EmbeddedSettings,
    LlmSettings,
    StorageSettings,
    TelegramSettings,
    TelemetrySettings,
    TestsSettings,
    WebSettings,
    WorkerSettings,
    environment,
    secret_names,
)
from workers.temporal import connect
from workflows.names import SEARCH_ATTRIBUTES

START_SECONDS = 90.0
"""Timeout for a start on a slow machine; a usual one takes less than 15 s."""
DYNAMIC_CONFIG = {
    # The default of 20 a second lets every step of a workflow wait for a 50 ms tick.
    "history.transferProcessorMaxPollRPS": "1000",
    "history.timerProcessorMaxPollRPS": "1000",
    "history.visibilityProcessorMaxPollRPS": "1000",
    # Timers, and so retries and heartbeat time-outs, may otherwise fire a second late.
    "history.timerProcessorMaxTimeShift": '"10ms"',
    # Deleting a chat's workflows is done in a moment instead of half a minute.
    "history.transferProcessorEnsureCloseBeforeDelete": "false",
    "history.visibilityProcessorEnsureCloseBeforeDelete": "false",
    # Priority and fairness hold within a partition only, and one machine needs but one.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "matching.enableFairness": "true",
    "frontend.WorkflowPauseEnabled": "true",
    # What has ended leaves the caches at once; by default the server grows for an hour of turns. Nothing is
    # replicated to another cluster, so that its cache of events for that is of no use.
    "history.cacheTTL": '"30s"',
    "history.cacheBackgroundEvict": '{"Enabled":true,"LoopInterval":"10s","MaxEntryPerCall":1024}',
    "history.eventsCacheMaxSizeBytes": "131072",
    "history.xdcCacheMaxSizeBytes": "1",
}

TEMPORAL_MEMORY = {
    # Collected when this much is in use, and not at twice what lives (35 to 45 MB): it stays there from the first turns
    # on, and is collected less often. Thousands of turns at once would have to live for it to be scarce.
    "GOGC": "off",
    "GOMEMLIMIT": "128MiB",
}
MEMORY = {
    # Fewer heaps of the C library, and large pieces given back: memory stays where it was after many turns.
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 20),
    # Such pieces come in huge pages, where the machine has them. Keeping them would take a fifth off speech synthesis,
    # but the memory of its worker would grow by a tenth over its first hundred turns.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}

OTHER_NICENESS = 5
"""Of Temporal's server: the answer waits for the model, so all else gives way to it."""


@dataclass(frozen=True)
class Progress:
    """A process became ready."""

    name: str
    seconds: float
    """Since the start of all."""


class Embedded:
    """The embedded stack, for as long as the block runs; enter it in the main thread.

    Its processes end with this one, in whatever way that ends. ``<home>/state.json`` names them meanwhile.
    """

    def __init__(
        self,
        storage: StorageSettings | None = None,
        ports: EmbeddedSettings | None = None,
        llm: LlmSettings | None = None,
        work: WorkerSettings | None = None,
        web: WebSettings | None = None,
        optional: Sequence[Role] | None = None,
        on_ready: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """Prepare; what is not given comes from the environment.

        ``optional`` by default are the web page, the bots whose token is set, and the integration tests.
        """
        self.home = (storage or StorageSettings()).home.resolve()
        self.ports = ports or EmbeddedSettings()
        self.address = f"{LOOPBACK}:{self.ports.temporal_port}"
        self.ui_url = f"http://{LOOPBACK}:{self.ports.ui_port}"
        self.llm = _with_key(llm or LlmSettings())
        self._work = work or WorkerSettings()
        self._web = web or WebSettings()
        self._optional = (*configured_bots(), Role.TESTS) if optional is None else tuple(optional)
        self._settings = (storage or StorageSettings(), self.ports, self.llm, self._work, self._web)
        self._on_ready = on_ready
        self._started_at = datetime.now(UTC).isoformat()
        self._children: dict[str, Child] = {}
        self._stack = AsyncExitStack()
        self.client: Client

    async def __aenter__(self) -> Self:
        """Start everything, and return when all of it is ready.

        Raises:
            UnavailableError: june runs already, or a port is taken.
            JuneError: a process ended, or was not ready in time.

        """
        try:
            self._stack.callback(instance.lock(self.home).close)
            require_free(self._port_settings())
            self._stack.callback(instance.forget_state, self.home)
            self._stack.push_async_callback(self._stop)
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything: workers first, then the model server, then Temporal."""
        await self._stack.aclose()

    @property
    def web_url(self) -> str | None:
        """Tell where the web page is; None where it does not run."""
        return f"http://localhost:{self._web.port}" if Role.WEB in self._optional else None

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each child that lives at the moment, by name."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    async def ready(self) -> bool:
        """Tell whether all processes are ready now."""
        return all(await asyncio.gather(*(child.is_ready() for child in self._children.values())))

    async def _start(self) -> None:
        started = time.monotonic()
        self._children = {program.name: Child(program, self._write_state) for program in self._programs()}
        for child in self._children.values():
            child.start()
        waits = [asyncio.create_task(self._wait(child, started)) for child in self._children.values()]
        try:
            await asyncio.gather(*waits)
        finally:
            for wait in waits:
                wait.cancel()

    async def _wait(self, child: Child, started: float) -> None:
        await child.ready(START_SECONDS)
        if child.program.name == "temporal":
            self.client = await connect(TelemetrySettings(), address=self.address, timeout_seconds=START_SECONDS)
            await _keep_history(self.client, timedelta(days=self.ports.history_days))
        self._on_ready(Progress(child.program.name, time.monotonic() - started))

    async def _stop(self) -> None:
        last = ("model-server", "temporal")
        workers = [child for name, child in self._children.items() if name not in last]
        await asyncio.gather(*(child.stop() for child in workers))
        for name in last:
            if name in self._children:
                await self._children[name].stop()

    def _write_state(self) -> None:
        children = self._children.items()
        state = instance.State(
            pid=os.getpid(),
            started_at=self._started_at,
            temporal_address=self.address,
            ui_url=self.ui_url,
            pids=self.pids,
            ports={name: child.program.port for name, child in children},
            logs={name: str(child.program.log) for name, child in children},
        )
        instance.write_state(self.home, state)

    # What runs

    def _programs(self) -> Iterator[Program]:
        yield self._temporal()
        if self._needs_model_server:
            yield self._model_server()
        for index, role in enumerate(Role):
            if role not in OPTIONAL or role in self._optional:
                yield self._worker(role, self.ports.worker_port_base + PORTS_PER_WORKER * index)

    @property
    def _needs_model_server(self) -> bool:
        return self._work.has_engines and not self.llm.base_url

    def _temporal(self) -> Program:
        options = [
            *("--ip", LOOPBACK, "--port", str(self.ports.temporal_port), "--ui-port", str(self.ports.ui_port)),
            *("--db-filename", str(self.home / "temporal.db"), "--ui-disable-news-fetch", "--log-level", "warn"),
            *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
            *_repeat("--search-attribute", [f"{key.name}=Keyword" for key in SEARCH_ATTRIBUTES]),
            *_repeat("--dynamic-config-value", [f"{key}={value}" for key, value in DYNAMIC_CONFIG.items()]),
        ]
        command = (str(Path(sys.prefix) / "bin" / "temporal"), "server", "start-dev", *options)
        # The page's own interface answers once the server behind it does.
        variables = self._environment(()) | TEMPORAL_MEMORY
        return self._program("temporal", command, self.ports.ui_port, "/api/v1/namespaces", variables)

    def _model_server(self) -> Program:
        command = (sys.executable, "-m", "workers.engines.llama_server")
        # Threads that wait for each other in a busy loop are ten times slower when anything else runs.
        extra = {"OMP_WAIT_POLICY": "passive"} | openmp_path(self.home)
        variables = self._environment(["JUNE_LLM_API_KEY"]) | extra
        return self._program("model-server", command, self.ports.llm_port, "/health", variables, niceness=0)

    def _worker(self, role: Role, first_port: int) -> Program:
        addresses = {
            "JUNE_METRICS_ADDRESS": f"{LOOPBACK}:{first_port}",
            "JUNE_HEALTH_ADDRESS": f"{LOOPBACK}:{first_port + 1}",
            "JUNE_GRPC_HEALTH_ADDRESS": f"{LOOPBACK}:{first_port + 2}",
        }
        command = (sys.executable, "-m", "workers.process", role.value)
        if role is Role.WEB:
            addresses["JUNE_WEB_UI_URL"] = self._web.ui_url or self.ui_url
        variables = self._environment(TestsSettings().secrets if role is Role.TESTS else role.secrets) | addresses
        return self._program(role.program, command, first_port + 1, "/readyz", variables, role.niceness)

    def _program(
        self,
        name: str,
        command: tuple[str, ...],
        port: int,
        path: str,
        variables: dict[str, str],
        niceness: int = OTHER_NICENESS,
    ) -> Program:
        return Program(name, command, variables, self.home / "logs" / f"{name}.log", port, path, niceness)

    def _environment(self, secrets: Collection[str]) -> dict[str, str]:
        """Give a child this process's environment and settings, of the secrets only those that it needs.

        The embedded server takes the place of any other that the environment names.
        """
        withheld = secret_names() - set(secrets)
        given = {**os.environ, **environment(*self._settings)}
        return {
            name: value
            for name, value in given.items()
            if name.upper() not in withheld and not name.startswith("TEMPORAL_")
        } | {
            "JUNE_HOME": str(self.home),
            "TEMPORAL_ADDRESS": self.address,
            "TEMPORAL_CONFIG_FILE": os.devnull,
            **MEMORY,
        }

    def _port_settings(self) -> list[tuple[str, int]]:
        """List each port with the setting that moves it."""
        ports = [
            ("JUNE_EMBEDDED_TEMPORAL_PORT", self.ports.temporal_port),
            ("JUNE_EMBEDDED_UI_PORT", self.ports.ui_port),
        ]
        if self._needs_model_server:
            ports.append(("JUNE_EMBEDDED_LLM_PORT", self.ports.llm_port))
        if Role.WEB in self._optional:
            ports.append(("JUNE_WEB_PORT", self._web.port))
        base = self.ports.worker_port_base
        return ports + [("JUNE_EMBEDDED_WORKER_PORT_BASE", base + i) for i in range(PORTS_PER_WORKER * len(Role))]


def configured_bots() -> tuple[Role, ...]:
    """Name the bots that run by the settings: the web page always, the others when their token is set."""
    tokens = {Role.TELEGRAM: TelegramSettings().token, Role.DISCORD: DiscordSettings().token}
    return tuple(role for role in BOTS if role not in tokens or tokens[role].get_secret_value())


def _with_key(llm: LlmSettings) -> LlmSettings:
    """Give the embedded model server a key of this run, as any web page on this machine could call it otherwise."""
    if llm.base_url or llm.api_key.get_secret_value():
        return llm
    return llm.model_copy(update={"api_key": SecretStr(secrets.token_urlsafe(24))})


def _repeat(option: str, values: Sequence[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


async def _keep_history(client: Client, span: timedelta) -> None:
    """Keep closed workflows visible for longer than the dev server's 24 hours."""
    config = NamespaceConfig(workflow_execution_retention_ttl=Duration(seconds=int(span.total_seconds())))
    request = UpdateNamespaceRequest(namespace=client.namespace, config=config)
    await client.workflow_service.update_namespace(request)
