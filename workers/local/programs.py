"""The programs of a stack on one machine: Temporal's dev server, the model server, a process for each worker role."""

import os
import secrets
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from workers import network
from workers.local.database import PRAGMAS
from workers.local.home import DATABASE
from workers.local.openmp import openmp_path
from workers.local.supervisor import Program
from workers.ports import LOOPBACK, PORTS_PER_WORKER
from workers.roles.role import BOTS, OPTIONAL, Role
from workers.settings import (
    DiscordSettings,
    EmbeddedSettings,
    LlmSettings,
    StorageSettings,
    TelegramSettings,
    TestsSettings,
    WebSettings,
    WorkerSettings,
    environment,
    secret_names,
)
from workflows.names import SEARCH_ATTRIBUTES

TEMPORAL = "temporal"
MODEL_SERVER = "model-server"
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
    # The server's HTTP API cannot be switched off, and would take what any page posts to it. It answers requests for
    # these hosts alone; no host's name has a blank, so it answers none.
    "frontend.httpAllowedHosts": '["no host"]',
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

TEMPORAL_NICENESS = 5
"""The answer waits for the model, so all else gives way to it."""


@dataclass(frozen=True)
class Programs:
    """What runs, by the settings of a stack; iterated over, the programs in the order of their start."""

    storage: StorageSettings
    ports: EmbeddedSettings
    llm: LlmSettings
    work: WorkerSettings
    web: WebSettings
    optional: tuple[Role, ...]
    """Of the roles that a conversation does without, those that run."""
    ui_server_port: int | None = None
    """Port of Temporal's own Web UI server, to which no browser connects; None where none runs."""
    metrics_port: int = 0
    """Port of Temporal's metrics; 0 for any."""

    @property
    def home(self) -> Path:
        """Folder of models, audio, logs and the database."""
        return self.storage.home.resolve()

    @property
    def database(self) -> Path:
        """SQLite file of the embedded Temporal server."""
        return self.home / DATABASE

    @property
    def address(self) -> str:
        """Temporal's ``host:port``."""
        return f"{LOOPBACK}:{self.ports.temporal_port}"

    @property
    def ui_url(self) -> str | None:
        """Temporal's Web UI, as the web page's process serves it; None where it does not."""
        return f"http://localhost:{self.ports.ui_port}" if self.ui_server_port else None

    @property
    def web_url(self) -> str | None:
        """The web page; None where it does not run."""
        return f"http://localhost:{self.web.port}" if Role.WEB in self.optional else None

    @property
    def has_model_server(self) -> bool:
        """Whether the model server is one of the programs."""
        return self.work.has_model and not self.llm.base_url

    @property
    def _web_ports(self) -> list[tuple[str, int]]:
        return [("JUNE_WEB_PORT", self.web.port), ("JUNE_EMBEDDED_UI_PORT", self.ports.ui_port)]

    def port_settings(self) -> list[tuple[str, int]]:
        """Return the ports that must be free, each after the setting that moves it."""
        ports = [("JUNE_EMBEDDED_TEMPORAL_PORT", self.ports.temporal_port)]
        if self.has_model_server:
            ports.append(("JUNE_EMBEDDED_LLM_PORT", self.ports.llm_port))
        if Role.WEB in self.optional:
            ports += self._web_ports
        base = self.ports.worker_port_base
        return ports + [("JUNE_EMBEDDED_WORKER_PORT_BASE", base + i) for i in range(PORTS_PER_WORKER * len(Role))]

    def __iter__(self) -> Iterator[Program]:
        yield self._temporal()
        if self.has_model_server:
            yield self._model_server()
        for index, role in enumerate(Role):
            if role not in OPTIONAL or role in self.optional:
                yield self._worker(role, self.ports.worker_port_base + PORTS_PER_WORKER * index)

    def _temporal(self) -> Program:
        command = [
            *(str(Path(sys.prefix) / "bin" / "temporal"), "server", "start-dev"),
            *("--ip", LOOPBACK, "--port", str(self.ports.temporal_port), "--metrics-port", str(self.metrics_port)),
            *("--db-filename", str(self.database), "--log-level", "warn"),
        ]
        for name, value in PRAGMAS.items():
            command += ["--sqlite-pragma", f"{name}={value}"]
        if self.ui_server_port:
            command += ["--ui-port", str(self.ui_server_port), "--ui-disable-news-fetch"]
        else:
            command.append("--headless")
        for key in SEARCH_ATTRIBUTES:
            command += ["--search-attribute", f"{key.name}=Keyword"]
        for name, value in DYNAMIC_CONFIG.items():
            command += ["--dynamic-config-value", f"{name}={value}"]
        return Program(
            name=TEMPORAL,
            command=tuple(command),
            environment=self._environment(()) | TEMPORAL_MEMORY,
            log=self._log(TEMPORAL),
            port=self.ports.temporal_port,
            path="",
            needs=[("JUNE_EMBEDDED_TEMPORAL_PORT", self.ports.temporal_port)],
            niceness=TEMPORAL_NICENESS,
        )

    def _model_server(self) -> Program:
        # Threads that wait for each other in a busy loop are ten times slower when anything else runs.
        threads = {"OMP_WAIT_POLICY": "passive"} | openmp_path(self.home)
        return Program(
            name=MODEL_SERVER,
            command=(sys.executable, "-m", "workers.engines.llama_server"),
            environment=self._environment(["JUNE_LLM_API_KEY"]) | threads,
            log=self._log(MODEL_SERVER),
            port=self.ports.llm_port,
            path="/health",
            needs=[("JUNE_EMBEDDED_LLM_PORT", self.ports.llm_port)],
        )

    def _worker(self, role: Role, first_port: int) -> Program:
        variables = self._environment(TestsSettings().secrets if role is Role.TESTS else role.secrets) | {
            "JUNE_METRICS_ADDRESS": f"{LOOPBACK}:{first_port}",
            "JUNE_HEALTH_ADDRESS": f"{LOOPBACK}:{first_port + 1}",
            "JUNE_GRPC_HEALTH_ADDRESS": f"{LOOPBACK}:{first_port + 2}",
        }
        if role is Role.WEB:
            variables["JUNE_WEB_UI_SERVER"] = f"http://{LOOPBACK}:{self.ui_server_port}" if self.ui_server_port else ""
        needs = [("JUNE_EMBEDDED_WORKER_PORT_BASE", first_port + index) for index in range(PORTS_PER_WORKER)]
        return Program(
            name=role.program,
            command=(sys.executable, "-m", "workers.process", role.value),
            environment=variables,
            log=self._log(role.program),
            port=first_port + 1,
            path="/readyz",
            niceness=role.niceness,
            needs=[*needs, *(self._web_ports if role is Role.WEB else [])],
        )

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _environment(self, secrets: Collection[str]) -> dict[str, str]:
        """Return this process's environment and settings for a child, of the secrets only those that it needs.

        The embedded server takes the place of any other that the environment names.
        """
        withheld = secret_names() - set(secrets)
        given = {**os.environ, **environment(self.storage, self.ports, self.llm, self.work, self.web)}
        return {
            name: value
            for name, value in {**given, **network.variables(given)}.items()
            if name.upper() not in withheld and not name.startswith("TEMPORAL_")
        } | {
            "JUNE_HOME": str(self.home),
            "TEMPORAL_ADDRESS": self.address,
            "TEMPORAL_CONFIG_FILE": os.devnull,
            **MEMORY,
        }


def configured_bots() -> tuple[Role, ...]:
    """Return the bots that run by the settings: the web page always, the others when their token is set."""
    tokens = {Role.TELEGRAM: TelegramSettings().token, Role.DISCORD: DiscordSettings().token}
    return tuple(role for role in BOTS if role not in tokens or tokens[role].get_secret_value())


def with_key(llm: LlmSettings) -> LlmSettings:
    """Add an API key of this run for the embedded model server, which any web page could call otherwise."""
    if llm.base_url or llm.api_key.get_secret_value():
        return llm
    return llm.model_copy(update={"api_key": SecretStr(secrets.token_urlsafe(24))})
