"""Metrics are those of the SDK's own exporter, and only who asks under an expected name reads them."""

import asyncio
import http.client
import re
import uuid
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.runtime import MetricBuffer, PrometheusConfig, Runtime, TelemetryConfig
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.support.logs import june_records
from tests.support.ports import free_port
from workers.http import listen
from workers.metrics import CONTENT_TYPE, Metrics

BUCKETS = {"june_taken_seconds": (0.5, 1.0, 2.0)}
PREFIX = "june-metrics"
ALWAYS = 'operation="RespondWorkflowTaskCompleted"'
"""Of the SDK's requests one that each run makes; whether others are made depends on moments."""


@activity.defn(name="measure")
async def measure(attempt: int) -> None:
    """Record a metric of each kind; the first attempt fails."""
    meter = activity.metric_meter()
    meter.create_counter("june_count", "Things").add(2, {"kind": 'a "quoted"\\\nline', "few": True, "odd-name": 1.5})
    meter.create_gauge("june_level").set(3)
    meter.create_gauge_float("june_share", "A share", "ratio").set(0.25)
    meter.create_histogram_float("june_taken_seconds", "Taken").record(1.0, {"n": attempt})
    meter.create_histogram("june_sizes", "Sizes", "bytes").record(7)
    meter.create_histogram_timedelta("june_pauses", "Pauses", "s").record(timedelta(milliseconds=1500))
    if activity.info().attempt == 1:
        raise ApplicationError("once more")


@workflow.defn(name="MetricsTest", sandboxed=False)
class Measured:
    """Runs the activity, and measures by itself."""

    @workflow.run
    async def run(self, fails: bool) -> None:
        """Measure; fail if told to."""
        await workflow.execute_activity(
            measure,
            1,
            start_to_close_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1)),
        )
        workflow.metric_meter().create_counter("june_ran", "Ran").add(1)
        if fails:
            raise ApplicationError("it fails")


async def work(address: str, runtime: Runtime) -> None:
    """Run the workflow well and badly on a worker whose metrics are this runtime's."""
    client = await Client.connect(address, runtime=runtime)
    queue = f"{PREFIX}-{uuid.uuid4().hex}"
    async with Worker(client, task_queue=queue, workflows=[Measured], activities=[measure]):
        await client.execute_workflow(Measured.run, False, id=uuid.uuid4().hex, task_queue=queue)
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(Measured.run, True, id=uuid.uuid4().hex, task_queue=queue)


async def ask(port: int, path: str = "/metrics", **headers: str) -> tuple[int, str]:
    """Get a page; return the status and what it says."""

    def get() -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status != 200 or answer.headers["Content-Type"] == CONTENT_TYPE
        return answer.status, answer.read().decode()

    return await asyncio.to_thread(get)


def series(text: str) -> set[str]:
    """Return the series without their values, comments included; what depends on moments left out."""
    lines = {
        re.sub(rf"{PREFIX}-[0-9a-f]+", PREFIX, re.sub(r"(?<=[}a-z]) [-+.e\d]+$", "", line))
        for line in text.splitlines()
    }
    return {line for line in lines if ALWAYS in line or not re.search("temporal_(sticky|request|long_request)", line)}


def counted(text: str, name: str) -> list[str]:
    """Return the values of a metric's series."""
    return [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(f"{name}{{")]


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of a runtime of their own."""
    metrics = Metrics(BUCKETS)
    Runtime(telemetry=TelemetryConfig(metrics=metrics.buffer))
    return metrics


@pytest.mark.slow
async def test_they_are_those_of_the_sdks_own_exporter(dev_server: WorkflowEnvironment) -> None:
    address = dev_server.client.service_client.config.target_host
    ours, theirs, metrics = free_port(), free_port(), Metrics(BUCKETS)
    await work(address, Runtime(telemetry=TelemetryConfig(metrics=metrics.buffer)))
    metrics.serve(listen("127.0.0.1", ours, str), ())
    exporter = PrometheusConfig(
        bind_address=f"127.0.0.1:{theirs}",
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides=BUCKETS,
    )
    await work(address, Runtime(telemetry=TelemetryConfig(metrics=exporter)))
    (status, text), (_, expected) = await ask(ours), await ask(theirs)
    assert status == 200
    assert series(text) == series(expected)
    for name in ("june_count_total", "june_level", "june_share", "june_ran_total", "june_taken_seconds_bucket"):
        assert sorted(counted(text, name)) == sorted(counted(expected, name)) != []
    assert counted(text, "june_taken_seconds_bucket") == ["0", "4", "4", "4"]
    assert counted(text, "june_pauses_seconds_sum") == ["6"]
    assert counted(text, "temporal_workflow_failed_total") == ["1"]


async def test_a_page_whose_name_is_rebound_reads_nothing(metrics: Metrics) -> None:
    port = free_port()
    metrics.serve(listen("127.0.0.1", port, str), ("engines", "Workers.example"))
    for host in (f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "", "[::1"):
        assert await ask(port, Host=host) == (
            421,
            "june is not to be asked under this name (JUNE_TELEMETRY_HOSTS)",
        )
    for host in (f"127.0.0.1:{port}", "localhost", f"[::1]:{port}", f"engines:{port}", "workers.example"):
        assert (await ask(port, Host=host))[0] == 200
    assert (await ask(port, "/"))[0] == 404


async def test_by_an_address_it_answers_whoever_came_to_it(metrics: Metrics) -> None:
    port = free_port()
    metrics.serve(listen("0.0.0.0", port, str), ())  # noqa: S104 - as in a container
    reader, writer = await asyncio.open_connection("127.0.0.2", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.2:9464\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")  # names no host, as no browser does
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()


def test_what_does_not_fit_is_lost_and_said(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics({})
    metrics.buffer = MetricBuffer(4)
    meter = Runtime(telemetry=TelemetryConfig(metrics=metrics.buffer, logging=None)).metric_meter
    early = meter.create_counter("june_early")
    for _ in range(9):
        early.add(1)
    late = meter.create_counter("june_late")  # this, too, had to fit
    metrics.count()
    late.add(1)
    metrics.count()
    assert [record.message[:22] for record in june_records(caplog)] == ["some metrics were lost"]
    early.add(1)
    metrics.count()
    assert re.search(r"june_early_total{[^}]*} \d\n", metrics.text())
