"""The worker of the integration tests: where they are, which variables they see, and gauges of how runs went."""

import asyncio
import importlib.util
import logging
import os
import time
from collections.abc import Mapping

from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.service import RPCError

from activities.blobs import BlobStore
from activities.processes.workspace import Workspace
from activities.testruns.collect import CollectActivity
from activities.testruns.run_module import RunModuleActivity
from workers.clients.schedules import list_schedules, schedule_id
from workers.clients.testruns import latest_by_schedule, running_runs
from workers.errors import UnavailableError
from workers.roles.spec import WorkerSpec
from workers.settings import StorageSettings, TestsSettings, secret_names
from workflows.testruns.contracts import RunOutcome

_log = logging.getLogger(__name__)

GAUGE_SECONDS = 30.0
PREFIXES = ("JUNE_", "TEMPORAL_", "AWS_", "LC_")
"""Of variables that tests see: they name june and what it is connected to."""
ORDINARY = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "DISPLAY"),
        *(
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "NO_PROXY",
            "http_proxy",
            "https_proxy",
            "no_proxy",
        ),
    }
)
OWN = frozenset({"JUNE_METRICS_ADDRESS", "JUNE_HEALTH_ADDRESS", "JUNE_GRPC_HEALTH_ADDRESS"})
"""Addresses that this process listens on, and no other can."""


async def build(client: Client) -> WorkerSpec:
    """Open the workspace; what an earlier worker left behind is deleted.

    Raises:
        UnavailableError: pytest is not installed.

    """
    if importlib.util.find_spec("pytest") is None:
        raise UnavailableError("The tests worker needs pytest, which is no part of a plain installation: sh setup.sh.")
    settings, storage = TestsSettings(), StorageSettings()
    folder, environment = storage.home.resolve() / "tests", permitted(os.environ, settings.secrets)
    workspace = await asyncio.to_thread(Workspace.open, folder, environment)
    collect = CollectActivity(workspace, settings.root)
    run_module = RunModuleActivity(workspace, settings.root, BlobStore.open(storage.blobs))
    return WorkerSpec(
        slots=settings.slots,
        activities=[collect.collect, run_module.run_module],
        background=lambda: keep_gauges(client),
    )


def permitted(variables: Mapping[str, str], secrets: tuple[str, ...]) -> dict[str, str]:
    """Return the variables that tests see; of june's secrets those that are named."""
    withheld = OWN | (secret_names() - set(secrets))
    return {
        name: value
        for name, value in variables.items()
        if (name in ORDINARY or name.startswith(PREFIXES)) and name.upper() not in withheld
    }


async def keep_gauges(client: Client) -> None:
    """Measure how runs went, for dashboards and alerts, by what the server lists: a restart forgets nothing."""
    runtime = client.service_client.config.runtime
    if runtime is None:
        return
    gauges = Gauges(runtime.metric_meter)
    while True:
        try:
            await gauges.look(client)
        except RPCError as error:
            _log.info("the runs of the integration tests could not be listed: %s", error)
        await asyncio.sleep(GAUGE_SECONDS)


class Gauges:
    """``june_test_run_last_passed``, ``june_test_run_last_end_seconds`` by schedule, ``june_test_run_running``."""

    def __init__(self, meter: MetricMeter) -> None:
        self._passed = meter.create_gauge("june_test_run_last_passed", "1 when the last run passed, 0 when it did not")
        self._end = meter.create_gauge("june_test_run_last_end_seconds", "When the last run ended, since the epoch")
        self._running = meter.create_gauge("june_test_run_running", "Runs of the integration tests under way")
        self._shown: set[str] = set()

    async def look(self, client: Client) -> None:
        """Set the gauges by what the server lists; runs that were cancelled do not count."""
        self._running.set(await running_runs(client))
        schedules = {"", *[schedule_id(schedule.id) async for schedule in list_schedules(client)]}
        latest = await latest_by_schedule(client)
        for schedule, run in latest.items():
            if schedule in schedules and run.ended_at:
                self._passed.set(int(run.outcome is RunOutcome.PASSED), {"schedule": schedule})
                self._end.set(round(run.ended_at.timestamp()), {"schedule": schedule})
                self._shown.add(schedule)
        for schedule in self._shown - schedules:  # a gauge cannot be removed: as passed now, it raises no alert
            self._passed.set(1, {"schedule": schedule})
            self._end.set(round(time.time()), {"schedule": schedule})
