"""Logs, metrics and traces, all off the hot path: written by other threads, or only counted in the process.

Logs go to stderr; metrics are the SDK's own and june's stage metrics, for Prometheus (``workers.metrics``);
traces go to an OTLP/HTTP collector when one is named, through the SDK's OpenTelemetry plugin.
"""

import asyncio
import logging
import sys
import threading
import time
from functools import cache
from typing import Any

from opentelemetry import trace
from pythonjsonlogger.json import JsonFormatter
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.plugin import SimplePlugin
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from workers.http import listen_at
from workers.metrics import Metrics
from workers.ordinary_events import CORE_LOGGER, OrdinaryEvents, ignore_late_cancellations
from workers.private_errors import PrivateErrors, private_exporter
from workers.settings import TelemetrySettings

CONTEXT_FIELDS = ("workflow_id", "run_id", "activity_type", "attempt", "trace_id")
STAGE_SECONDS = "june_stage_seconds"
STAGE_FAILURES = "june_stage_failures"
STAGE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Seconds: from a no-op to the longest timeout of a turn."""
TEST_RUN_SECONDS = "june_test_run_seconds"
TEST_RUN_BUCKETS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0)
"""Seconds: from one quick module to all of them on a slow machine."""
LAST_SPANS_SECONDS = 2.0
"""How long the end of a process waits for a collector."""


def configure_logging(settings: TelemetrySettings) -> None:
    """Send all records to stderr, as text or as one JSON object a line, each with its workflow and trace."""
    as_json = JsonFormatter(
        "{asctime}{levelname}{name}{message}" + "".join(f"{{{field}}}" for field in CONTEXT_FIELDS),
        style="{",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        reserved_attrs=[
            *logging.makeLogRecord({}).__dict__,
            "temporal_workflow",
            "temporal_activity",
            "temporal_log",
            "taskName",
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(OrdinaryEvents())
    handler.addFilter(TemporalContext())
    handler.addFilter(PrivateErrors())
    handler.setFormatter(as_json if settings.log_format == "json" else TextFormatter())
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in ("uvicorn", "httpx", "httpx2"):  # a line for each start and each request
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.getLogger("stamina").setLevel(logging.ERROR)  # whoever retries logs why, in words of its own
    ignore_late_cancellations()
    # The context is in fields of its own; the SDK would append it to each message as well.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False


class TemporalContext(logging.Filter):
    """Puts the running workflow, activity and trace into each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields; let every record pass."""
        context = getattr(record, "temporal_activity", None) or getattr(record, "temporal_workflow", None) or {}
        if not context and activity.in_activity():  # a record of an ordinary logger
            info = activity.info()
            context = {
                name: getattr(info, name) for name in ("workflow_id", "workflow_run_id", "activity_type", "attempt")
            }
        record.workflow_id = context.get("workflow_id")
        record.run_id = context.get("workflow_run_id", context.get("run_id"))
        record.activity_type = context.get("activity_type")
        record.attempt = context.get("attempt")
        span = trace.get_current_span().get_span_context()
        record.trace_id = trace.format_trace_id(span.trace_id) if span.is_valid else None
        return True


class TextFormatter(logging.Formatter):
    """One readable line: time, level, logger, message, then what context there is."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """Append the context to the message's line."""
        context = [
            f"{field}={value}" for field in CONTEXT_FIELDS if (value := getattr(record, field, None)) is not None
        ]
        return " ".join([super().formatMessage(record), *context])


@cache
def build_runtime(metrics_address: str, hosts: tuple[str, ...] = ()) -> Runtime:
    """Build the SDK's runtime, once a process, and serve its metrics when an address is set.

    Its own log goes through Python's, where ``OrdinaryEvents`` sees it.

    Args:
        metrics_address: ``host:port``, or nothing.
        hosts: names that metrics are served under, besides loopback's.

    Raises:
        UnavailableError: the address cannot be listened on.

    """
    forwarding = LogForwardingConfig(logger=logging.getLogger(CORE_LOGGER))
    logs = LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding)
    if not metrics_address:
        return Runtime(telemetry=TelemetryConfig(logging=logs))
    listener = listen_at(
        metrics_address,
        lambda error: f"Metrics cannot be served at {metrics_address!r} (JUNE_METRICS_ADDRESS): {error}.",
    )
    metrics = Metrics({STAGE_SECONDS: STAGE_BUCKETS, TEST_RUN_SECONDS: TEST_RUN_BUCKETS})
    runtime = Runtime(telemetry=TelemetryConfig(metrics=metrics.buffer, logging=logs))
    metrics.serve(listener, hosts)
    return runtime


def build_tracing(otlp_url: str, service: str) -> list[SimplePlugin]:
    """Start exporting spans, and build the client plugin that makes them; nothing without a collector's URL.

    The plugin belongs on the client alone, workers inherit it; on both, every span would be there twice.
    """
    if not otlp_url:
        return []
    from temporalio.contrib.opentelemetry import OpenTelemetryPlugin

    _export_spans(otlp_url, service)
    return [OpenTelemetryPlugin(add_temporal_spans=True)]


@cache
def _export_spans(otlp_url: str, service: str) -> None:
    """Set the process's tracer provider, once. What is imported here takes 0.06 s and 3 MB, which most do without."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from temporalio.contrib.opentelemetry import create_tracer_provider

    provider = create_tracer_provider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(private_exporter(OTLPSpanExporter(endpoint=otlp_url))))
    trace.set_tracer_provider(provider)


def export_last_spans() -> None:
    """Send the spans that no batch took yet (one goes every five seconds), or give them up after two seconds."""
    provider = trace.get_tracer_provider()
    if hasattr(provider, "shutdown"):  # without a collector there is no provider but OpenTelemetry's placeholder
        sending = threading.Thread(target=provider.shutdown, daemon=True)
        sending.start()
        sending.join(LAST_SPANS_SECONDS)


class StageMetrics(Interceptor):
    """Measures each activity as a stage of a turn: ``june_stage_seconds`` and ``june_stage_failures``."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Wrap the activity's call."""
        return _StageTimer(next)


class _StageTimer(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - the SDK's signature
        meter, stage, started = activity.metric_meter(), activity.info().activity_type, time.perf_counter()
        counts = True
        try:
            return await super().execute_activity(input)
        except (Exception, asyncio.CancelledError) as error:
            counts = not is_ordinary(error)
            if counts:
                failures = meter.create_counter(STAGE_FAILURES, "Failed attempts of a stage, by code")
                failures.add(1, {"stage": stage, "code": failure_code(error)})
            raise
        finally:
            if counts:
                seconds = meter.create_histogram_float(STAGE_SECONDS, "Seconds in a stage's activity")
                seconds.record(time.perf_counter() - started, {"stage": stage})


def is_ordinary(error: BaseException) -> bool:
    """Tell whether an attempt ended in a way that is no failure, as background work does that gives way to a turn."""
    return isinstance(error, ApplicationError) and error.category is ApplicationErrorCategory.BENIGN


def failure_code(error: BaseException) -> str:
    """Return june's error code of a failure, or the error's class: few, stable labels."""
    if isinstance(error, ApplicationError) and error.type:
        return error.type
    return type(error).__name__
