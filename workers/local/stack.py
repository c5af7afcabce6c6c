"""Everything on one machine: the programs are started, watched, started again when they die, and stopped."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client

from workers.encryption.keys import make_ring
from workers.encryption.source import configured_keys
from workers.local import instance
from workers.local.database import keep_clean, prepare
from workers.local.home import explain_os_error, find_database_fault, find_fault, keep_private, watch
from workers.local.programs import MODEL_SERVER, TEMPORAL, Programs, configured_bots, with_key
from workers.local.supervisor import Child
from workers.ports import hold_refused_port, require_free
from workers.roles.role import Role
from workers.settings import (
    EmbeddedSettings,
    EncryptionSettings,
    LlmSettings,
    StorageSettings,
    TelemetrySettings,
    WebSettings,
    WorkerSettings,
)
from workers.temporal import connect

_log = logging.getLogger(__name__)

START_SECONDS = 180.0
"""Timeout for a start on a slow machine; a usual one takes less than 15 s."""


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

    client: Client

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
        """Describe a stack; what is not given comes from the environment.

        ``optional`` by default are the web page, the bots whose token is set, the coding agent's sandbox, and the
        integration tests.
        """
        self.ports = ports or EmbeddedSettings()
        self.llm = with_key(llm or LlmSettings())
        self.programs = Programs(
            storage or StorageSettings(),
            self.ports,
            self.llm,
            work or WorkerSettings(),
            web or WebSettings(),
            (*configured_bots(), Role.SANDBOX, Role.TESTS) if optional is None else tuple(optional),
        )
        self.home = self.programs.home
        self.address = self.programs.address
        self.web_url = self.programs.web_url
        self.new_keys: Path | None = None
        """The key ring's file, if this start has made it."""
        self._on_ready = on_ready
        self._started_at = datetime.now(UTC).isoformat()
        self._children: dict[str, Child] = {}
        self._beside: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start everything, and return when all of it is ready.

        Raises:
            UnavailableError: june runs already, or a port is taken.
            KeyRingError: the key ring cannot be made or read.
            JuneError: a process ended, or was not ready in time, or the home cannot be used.

        """
        started = time.monotonic()

        async def wait(child: Child) -> None:
            await child.ready(START_SECONDS)
            if child.program.name == TEMPORAL:
                self.client = await connect(
                    TelemetrySettings(), address=self.address, timeout_seconds=START_SECONDS, keys=self._keys
                )
                await keep_history(self.client, timedelta(days=self.ports.history_days))
            self._on_ready(Progress(child.program.name, time.monotonic() - started))

        try:
            await asyncio.to_thread(self._take_home)
            self._hide_ports()
            require_free(self.programs.port_settings())
            self._ensure_keys()
            self._stack.callback(instance.forget_state, self.home)
            self._stack.push_async_callback(self._stop)
            self._children = {program.name: Child(program, self._write_state) for program in self.programs}
            for child in self._children.values():
                child.start()
            waits = [asyncio.create_task(wait(child)) for child in self._children.values()]
            try:
                await asyncio.gather(*waits)
            finally:
                for task in waits:
                    task.cancel()
            self._beside = [
                asyncio.create_task(keep_clean(self.programs.database)),
                asyncio.create_task(watch(self.home)),
            ]
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        await self._stack.aclose()

    def _ensure_keys(self) -> None:
        """Make the key ring at the first start, so that all that goes to Temporal is encrypted."""
        settings = EncryptionSettings()
        path = settings.path(self.programs.storage)
        if not settings.keys_from and make_ring(path):
            self.new_keys = path
        self._keys = configured_keys(self.programs.storage)  # what cannot be read is told before anything starts

    @property
    def ui_url(self) -> str | None:
        """Temporal's Web UI; None where none is served."""
        return self.programs.ui_url

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each child that lives at the moment, by name."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    async def ready(self) -> bool:
        """Check whether all processes are ready now."""
        return all(await asyncio.gather(*(child.is_ready() for child in self._children.values())))

    def _take_home(self) -> None:
        """Hold the home, and check that it can be used.

        Raises:
            JuneError: it cannot.

        """
        fault = find_fault(self.home)
        if fault:
            raise fault
        try:
            self._stack.callback(instance.lock(self.home).close)
        except OSError as error:
            raise explain_os_error(error, self.home) from error
        if fault := find_database_fault(self.programs.database):
            raise fault
        changed, _ = keep_private(self.home)
        if changed:
            _log.warning("others had access to %d files or folders in %s; now nobody else has", len(changed), self.home)
        prepare(self.programs.database)

    def _hide_ports(self) -> None:
        """Have those servers that answer whoever asks listen where no browser connects."""
        programs = self.programs
        taken = {port for _, port in programs.port_settings()}
        if Role.WEB in programs.optional:
            ui = self._hidden_port("Temporal's Web UI does not run", taken)
            programs = replace(programs, ui_server_port=ui)
        metrics = self._hidden_port("any page in a browser may read Temporal's metrics", taken)
        programs = replace(programs, metrics_port=metrics or 0)
        if programs.has_model_server and "llm_port" not in self.ports.model_fields_set:
            llm = self._hidden_port("any page in a browser may read the model server's list of models", taken)
            programs = replace(programs, ports=self.ports.model_copy(update={"llm_port": llm} if llm else {}))
        self.programs = programs

    def _hidden_port(self, otherwise: str, taken: Collection[int]) -> int | None:
        """Choose a port for as long as the stack runs; log what follows when there is none."""
        held = hold_refused_port(taken)
        if held is None:
            _log.warning("%s: all ports that browsers refuse are taken", otherwise)
            return None
        port, mark = held
        self._stack.callback(mark.close)
        return port

    async def _stop(self) -> None:
        """Stop workers first, then the model server, then Temporal."""
        for task in self._beside:
            task.cancel()
        servers = [self._children[name] for name in (MODEL_SERVER, TEMPORAL) if name in self._children]
        await asyncio.gather(*(child.stop() for child in self._children.values() if child not in servers))
        for server in servers:
            await server.stop()
        await asyncio.to_thread(prepare, self.programs.database)  # the server leaves its log

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
        try:
            instance.write_state(self.home, state)
        except OSError as error:  # programs are kept running all the same
            _log.warning("what runs is not written down: %s", explain_os_error(error, self.home))


async def keep_history(client: Client, span: timedelta) -> None:
    """Keep closed workflows visible for longer than the dev server's 24 hours."""
    config = NamespaceConfig(workflow_execution_retention_ttl=Duration(seconds=int(span.total_seconds())))
    request = UpdateNamespaceRequest(namespace=client.namespace, config=config)
    await client.workflow_service.update_namespace(request)
