"""Everything on one machine: the programs are started, watched, started again when they die, and stopped."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client

from workers.local import instance
from workers.local.programs import MODEL_SERVER, TEMPORAL, Programs, configured_bots, with_key
from workers.local.supervisor import Child
from workers.ports import require_free
from workers.roles.role import Role
from workers.settings import (
    EmbeddedSettings,
    LlmSettings,
    StorageSettings,
    TelemetrySettings,
    WebSettings,
    WorkerSettings,
)
from workers.temporal import connect

START_SECONDS = 90.0
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

        ``optional`` by default are the web page, the bots whose token is set, and the integration tests.
        """
        self.ports = ports or EmbeddedSettings()
        self.llm = with_key(llm or LlmSettings())
        self.programs = Programs(
            storage or StorageSettings(),
            self.ports,
            self.llm,
            work or WorkerSettings(),
            web or WebSettings(),
            (*configured_bots(), Role.TESTS) if optional is None else tuple(optional),
        )
        self.home = self.programs.home
        self.address = self.programs.address
        self.ui_url = self.programs.ui_url
        self.web_url = self.programs.web_url
        self._on_ready = on_ready
        self._started_at = datetime.now(UTC).isoformat()
        self._children: dict[str, Child] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start everything, and return when all of it is ready.

        Raises:
            UnavailableError: june runs already, or a port is taken.
            JuneError: a process ended, or was not ready in time.

        """
        started = time.monotonic()

        async def wait(child: Child) -> None:
            await child.ready(START_SECONDS)
            if child.program.name == TEMPORAL:
                self.client = await connect(TelemetrySettings(), address=self.address, timeout_seconds=START_SECONDS)
                await keep_history(self.client, timedelta(days=self.ports.history_days))
            self._on_ready(Progress(child.program.name, time.monotonic() - started))

        try:
            self._stack.callback(instance.lock(self.home).close)
            require_free(self.programs.port_settings())
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
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        await self._stack.aclose()

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each child that lives at the moment, by name."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    async def ready(self) -> bool:
        """Check whether all processes are ready now."""
        return all(await asyncio.gather(*(child.is_ready() for child in self._children.values())))

    async def _stop(self) -> None:
        """Stop workers first, then the model server, then Temporal."""
        servers = [self._children[name] for name in (MODEL_SERVER, TEMPORAL) if name in self._children]
        await asyncio.gather(*(child.stop() for child in self._children.values() if child not in servers))
        for server in servers:
            await server.stop()

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


async def keep_history(client: Client, span: timedelta) -> None:
    """Keep closed workflows visible for longer than the dev server's 24 hours."""
    config = NamespaceConfig(workflow_execution_retention_ttl=Duration(seconds=int(span.total_seconds())))
    request = UpdateNamespaceRequest(namespace=client.namespace, config=config)
    await client.workflow_service.update_namespace(request)
