"""The june that runs: how it is reached, and where its ends are."""

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from temporalio.client import Client

from tests.integration.settings import IntegrationSettings
from tests.support.waiting import until
from workers.commands.doctor import check_server
from workers.errors import UnavailableError
from workers.local.instance import State, running
from workers.ports import LOOPBACK
from workers.settings import EmbeddedSettings, StorageSettings, TelemetrySettings, WebSettings
from workers.temporal import connect, connection_config

CONNECT_SECONDS = 10.0
HTTP_SECONDS = 10.0
RESTART_SECONDS = 180.0
READY = "/readyz"
READY_ELSEWHERE = {"model-server": "/health"}
"""Where a process of the embedded stack says that it is ready, by its name; the others do at ``/readyz``."""
TEMPORAL = "temporal"
"""Is asked by gRPC, as each test does that has a client."""


@dataclass(frozen=True)
class June:
    """A june that answers."""

    client: Client
    settings: IntegrationSettings
    home: Path
    """june's folder, as these tests know it (``JUNE_HOME``)."""
    state: State | None
    """Its processes, when it is one that ``june up`` runs in this home."""

    @property
    def web_url(self) -> str:
        """The web page."""
        return (self.settings.web_url or f"http://localhost:{WebSettings().port}").rstrip("/")

    @property
    def ui_url(self) -> str:
        """Temporal's Web UI."""
        known = (self.state and self.state.ui_url) or f"http://localhost:{EmbeddedSettings().ui_port}"
        return (self.settings.ui_url or known).rstrip("/")

    @property
    def ready_urls(self) -> dict[str, str]:
        """What tells that a process is ready, by its name; empty when nobody has said."""
        if self.settings.ready_urls or self.state is None:
            return {url: url for url in self.settings.ready_urls}
        ports = [(name, port) for name, port in self.state.ports.items() if name != TEMPORAL]
        return {name: f"http://{LOOPBACK}:{port}{READY_ELSEWHERE.get(name, READY)}" for name, port in ports}

    @property
    def metrics_urls(self) -> tuple[str, ...]:
        """The workers' Prometheus end points; empty when nobody has said."""
        if self.settings.metrics_urls or self.state is None:
            return self.settings.metrics_urls
        # The port before that of a worker's health, as june up hands them out.
        workers = [port for name, port in self.state.ports.items() if name not in {TEMPORAL, *READY_ELSEWHERE}]
        return tuple(f"http://{LOOPBACK}:{port - 1}/metrics" for port in workers)

    async def kill(self, name: str) -> None:
        """Kill a process of the embedded stack, and none that is not."""
        pid = self._pid(name)
        assert pid is not None, f"{name} does not run"
        assert self.state
        assert psutil.Process(pid).ppid() == self.state.pid, f"process {pid} is not june's"
        os.kill(pid, signal.SIGKILL)

        async def replaced() -> bool:
            return self._pid(name) not in {pid, None}

        try:
            await until(replaced, RESTART_SECONDS)
        except TimeoutError:
            pytest.fail(f"{name} was killed, and not started again: {self.state.logs[name]}", pytrace=False)

    def _pid(self, name: str) -> int | None:
        """Read which process it is now."""
        state = running(self.home)
        assert state, "june has ended"
        return state.pids.get(name)

    async def ready(self) -> None:
        """Wait until all processes of which readiness is known are ready."""

        async def all_ready() -> bool:
            return not await self.not_ready()

        try:
            await until(all_ready, RESTART_SECONDS)
        except TimeoutError:
            pytest.fail(f"not ready after {RESTART_SECONDS:.0f} s: {await self.not_ready()}", pytrace=False)

    async def not_ready(self) -> list[str]:
        """Name the processes that are not ready now, with what they say."""
        async with httpx.AsyncClient(timeout=HTTP_SECONDS) as http:
            said = await asyncio.gather(*(_obstacle(http, url) for url in self.ready_urls.values()))
        return [f"{name}: {obstacle}" for name, obstacle in zip(self.ready_urls, said, strict=True) if obstacle]


async def _obstacle(http: httpx.AsyncClient, url: str) -> str:
    try:
        answer = await http.get(url)
    except httpx.TransportError as error:
        return f"{error!r}"
    return "" if answer.is_success else answer.text[:200]


async def reach(settings: IntegrationSettings) -> June:
    """Connect to the june that the environment names.

    Raises:
        UnavailableError: no Temporal server answers there, or no worker of june asks it for work.

    """
    target = str(connection_config()["target_host"])
    # Of this process nothing is exported: june's own addresses may be in the environment.
    telemetry = TelemetrySettings(metrics_address="", otlp_url="")
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            client = await connect(telemetry)
            found = {finding.check: finding for finding in await check_server()}
    except TimeoutError:
        raise UnavailableError(f"No Temporal server answers at {target} within {CONNECT_SECONDS:.0f} s.") from None
    workers = found.get("queue june", found["temporal"])
    if not workers.ok:
        raise UnavailableError(f"Temporal answers at {target}, but june does not run there. {workers.advice}")
    folder = StorageSettings().home.resolve()
    state = running(folder)
    here = state is not None and state.temporal_address == target.replace("localhost", LOOPBACK)
    return June(client, settings, folder, state if here else None)
