"""Logs carry their workflow; stages are measured; nothing is exported that was not asked for."""

import asyncio
import http.client
import json
import logging
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from tests.support.ports import free_port
from tests.support.trace_collector import Collector
from workers.settings import TelemetrySettings
from workers.telemetry import StageMetrics, build_tracing, configure_logging, failure_code
from workers.temporal import connect

_log = logging.getLogger("tests.telemetry")


@activity.defn(name="transcribe")
async def transcribe(fails: bool) -> None:
    """Log in all ways, and fail if told to."""
    await asyncio.to_thread(_log.info, "plain, in a thread")
    activity.logger.info("by the SDK")
    if fails:
        raise BadInputError(ErrorCode.NO_SPEECH, "nothing said")


@workflow.defn(name="TelemetryTest", sandboxed=False)
class OneStage:
    """Run the activity once."""

    @workflow.run
    async def run(self, fails: bool) -> None:
        """Log, and run it."""
        workflow.logger.info("in the workflow")
        await workflow.execute_activity(
            transcribe,
            fails,
            start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


async def run_once(client: Client, *, fails: bool = False) -> str:
    """Run the workflow on a worker with june's metrics; return its id."""
    queue, workflow_id = uuid.uuid4().hex, f"telemetry-{uuid.uuid4().hex}"
    async with Worker(
        client, task_queue=queue, workflows=[OneStage], activities=[transcribe], interceptors=[StageMetrics()]
    ):
        handle = await client.start_workflow(OneStage.run, fails, id=workflow_id, task_queue=queue)
        if fails:
            with pytest.raises(WorkflowFailureError):
                await handle.result()
        else:
            await handle.result()
    return workflow_id


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def scrape(port: int) -> str:
    """Read the Prometheus end point."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/metrics")
    return connection.getresponse().read().decode()


@pytest.mark.usefixtures("restored_logging", "address")
async def test_every_record_names_its_workflow(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging(TelemetrySettings(log_format="json"))
    workflow_id = await run_once(await connect(TelemetrySettings()))
    records = {r["message"]: r for r in map(json.loads, capfd.readouterr().err.splitlines())}
    for message in ("plain, in a thread", "by the SDK", "in the workflow"):
        assert records[message]["workflow_id"] == workflow_id
        assert records[message]["run_id"]
    assert records["by the SDK"]["activity_type"] == "transcribe"
    assert "temporal_activity" not in records["by the SDK"]


@pytest.mark.usefixtures("restored_logging")
def test_text_shows_context_only_where_there_is_some(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging(TelemetrySettings(log_format="text"))
    _log.warning("outside")
    _log.warning("inside", extra={"temporal_workflow": {"workflow_id": "voice/file/a/1", "run_id": "r"}})
    outside, inside = capfd.readouterr().err.splitlines()
    assert outside.endswith("tests.telemetry: outside")
    assert inside.endswith("inside workflow_id=voice/file/a/1 run_id=r")


@pytest.mark.usefixtures("address")
async def test_stages_are_measured_in_seconds_and_failures_by_code() -> None:
    port = free_port()
    client = await connect(TelemetrySettings(metrics_address=f"127.0.0.1:{port}"))
    await run_once(client)
    await run_once(client, fails=True)
    metrics = scrape(port)
    counts = [line for line in metrics.splitlines() if line.startswith("june_stage_seconds_count")]
    assert all('stage="transcribe"' in line for line in counts)
    assert sum(int(line.rpartition(" ")[2]) for line in counts) == 2
    assert 'le="0.005"' in metrics
    failures = next(line for line in metrics.splitlines() if line.startswith("june_stage_failures_total{"))
    assert 'code="no-speech"' in failures
    assert failures.endswith(" 1")
    assert "temporal_activity_schedule_to_start_latency_seconds" in metrics


def test_failures_have_few_names() -> None:
    assert failure_code(BadInputError(ErrorCode.AUDIO_EMPTY, "x")) == "audio-empty"
    assert failure_code(ApplicationError("x")) == "ApplicationError"
    assert failure_code(TimeoutError()) == "TimeoutError"


def test_no_tracing_without_a_collector() -> None:
    assert build_tracing("", "june") == []


@pytest.mark.usefixtures("restored_logging", "address")
async def test_one_trace_reaches_the_collector_and_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    collector = Collector()
    configure_logging(TelemetrySettings(log_format="json"))
    client = await connect(TelemetrySettings(otlp_url=collector.url), service="june-test")
    await run_once(client)
    from opentelemetry import trace

    provider = trace.get_tracer_provider()
    await asyncio.to_thread(provider.force_flush)  # type: ignore[attr-defined]
    assert collector.bodies
    records = {r["message"]: r for r in map(json.loads, capfd.readouterr().err.splitlines())}
    assert bytes.fromhex(records["plain, in a thread"]["trace_id"]) in b"".join(collector.bodies)
    sent = b"".join(collector.bodies)
    assert b"june-test" in sent
    assert b"StartWorkflow:TelemetryTest" in sent
    assert b"RunActivity:transcribe" in sent


def test_a_process_that_ends_at_once_sends_its_last_spans() -> None:
    collector = Collector()
    lines = (
        "from opentelemetry import trace",
        "from workers.process import end_process",
        "from workers.telemetry import build_tracing",
        f"build_tracing({collector.url!r}, 'june-test')",
        "trace.get_tracer('june').start_span('the last one').end()",
        "end_process(7)",
    )
    ended = subprocess.run([sys.executable, "-c", "\n".join(lines)], timeout=60, check=False)
    assert ended.returncode == 7
    assert b"the last one" in b"".join(collector.bodies)
    collector.close()
