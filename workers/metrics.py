"""Metrics of one process for Prometheus, the SDK's and june's own, served to requests for expected hosts only.

The SDK's own end point answers under whatever name it is asked, also to a web page whose name was rebound to this
machine. So the SDK buffers what it measures, and here it is counted, under the names that the SDK's exporter gives.
"""

import asyncio
import logging
import socket
import threading
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from temporalio.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetric,
    BufferedMetricUpdate,
    MetricBuffer,
    MetricBufferDurationFormat,
)

from workers.http import ExpectedHosts, serving

BUFFERED = 20_000
"""Updates that wait to be counted; a workflow with one activity makes 60."""
COUNT_SECONDS = 1.0
CONTENT_TYPE = "text/plain; version=0.0.4"
TASK_BUCKETS = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
START_BUCKETS = (0.1, 0.5, 1.0, 5.0, 10.0, 100.0, 1000.0)
DEFAULT_BUCKETS = (0.05, 0.1, 0.5, 1.0, 2.5, 10.0)
SDK_BUCKETS: Mapping[str, Sequence[float]] = {
    "temporal_workflow_endtoend_latency": (
        *(0.1, 0.5, 1.0, 1.5, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 30600.0, 86400.0),
    ),
    "temporal_workflow_task_execution_latency": TASK_BUCKETS,
    "temporal_workflow_task_replay_latency": TASK_BUCKETS,
    "temporal_activity_execution_latency": (0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0),
    "temporal_workflow_task_schedule_to_start_latency": START_BUCKETS,
    "temporal_activity_schedule_to_start_latency": START_BUCKETS,
}
"""Seconds, as the SDK's own exporter has them; histograms that are not named have ``DEFAULT_BUCKETS``."""
_TYPES = {
    BUFFERED_METRIC_KIND_COUNTER: "counter",
    BUFFERED_METRIC_KIND_GAUGE: "gauge",
    BUFFERED_METRIC_KIND_HISTOGRAM: "histogram",
}  # sums that go up and down are gauges, too

_log = logging.getLogger(__name__)

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """All metrics of a process since its start."""

    def __init__(self, buckets: Mapping[str, Sequence[float]]) -> None:
        """Begin with none.

        Args:
            buckets: upper bounds of june's own histograms, by name.

        """
        self.buffer = MetricBuffer(BUFFERED, MetricBufferDurationFormat.SECONDS)
        self._buckets = {**SDK_BUCKETS, **buckets}
        self._families: dict[str, _Family] = {}

    def serve(self, listener: socket.socket, hosts: Collection[str]) -> None:
        """Serve ``/metrics`` in a thread of its own, until the process ends; the SDK's runtime exists by now.

        Args:
            listener: where.
            hosts: names that requests may be for, besides loopback's and the address that they came to.

        """
        threading.Thread(target=asyncio.run, args=[self._serve(listener, hosts)], name="metrics", daemon=True).start()

    async def _serve(self, listener: socket.socket, hosts: Collection[str]) -> None:
        async def scrape(_request: Request) -> Response:
            self.count()
            return Response(self.text(), headers={"Content-Type": CONTENT_TYPE})

        app = Starlette(routes=[Route("/metrics", scrape)])
        async with serving(ExpectedHosts(app, hosts), listener):
            while True:
                self.count()
                await asyncio.sleep(COUNT_SECONDS)

    def count(self) -> None:
        """Count what was measured since the last time."""
        try:
            for update in self.buffer.retrieve_updates():
                self._family(update.metric).add(update)
        except BaseException as error:  # the SDK panics at updates of what did not fit into its buffer
            if type(error).__name__ != "PanicException":
                raise
            _log.error("some metrics were lost: %s", error)

    def _family(self, metric: BufferedMetric) -> "_Family":
        family = self._families.get(metric.name)
        if family is None:
            family = _Family(metric, self._buckets.get(metric.name, DEFAULT_BUCKETS))
            self._families[metric.name] = family
        return family

    def text(self) -> str:
        """Return all of them in Prometheus' text format."""
        families = sorted(self._families.values(), key=lambda family: family.name)
        return "".join(f"{line}\n" for family in families for line in family.lines())


class _Family:
    """One metric, with all its series."""

    def __init__(self, metric: BufferedMetric, buckets: Sequence[float]) -> None:
        self._kind = metric.kind
        self._type = _TYPES.get(metric.kind, "gauge")
        self._buckets = buckets
        self.name = metric.name.replace("-", "_")
        if self._type == "counter":
            self.name += "_total"
        elif self._type == "histogram" and metric.unit:
            self.name += f"_{'seconds' if metric.unit == 's' else metric.unit}"
        self._description = metric.description or self.name
        self._values: dict[Labels, float] = {}
        """Of a histogram the sums."""
        self._counts: dict[Labels, list[int]] = {}
        """Of a histogram: values in each bucket, and beyond the last."""

    def add(self, update: BufferedMetricUpdate) -> None:
        labels = tuple(sorted((name, _shown(value)) for name, value in update.attributes.items()))
        if self._kind == BUFFERED_METRIC_KIND_GAUGE:
            self._values[labels] = update.value
            return
        self._values[labels] = self._values.get(labels, 0) + update.value
        if self._kind == BUFFERED_METRIC_KIND_HISTOGRAM:
            counts = self._counts.get(labels)
            if counts is None:
                counts = self._counts[labels] = [0] * (len(self._buckets) + 1)
            counts[bisect_left(self._buckets, update.value)] += 1

    def lines(self) -> Iterator[str]:
        description = self._description.replace("\\", r"\\").replace("\n", r"\n")
        yield f"# HELP {self.name} {description}"
        yield f"# TYPE {self.name} {self._type}"
        for labels in sorted(self._values, key=lambda labels: (len(labels), labels)):
            pairs = [f'{name.replace("-", "_")}="{_escaped(value)}"' for name, value in labels]
            if self._type != "histogram":
                yield _sample(self.name, pairs, self._values[labels])
                continue
            so_far = 0
            for bound, count in zip((*self._buckets, None), self._counts[labels], strict=True):
                so_far += count
                yield _sample(
                    f"{self.name}_bucket", [*pairs, f'le="{"+Inf" if bound is None else _number(bound)}"'], so_far
                )
            yield _sample(f"{self.name}_sum", pairs, self._values[labels])
            yield _sample(f"{self.name}_count", pairs, so_far)


def _sample(name: str, pairs: Sequence[str], value: float) -> str:
    return f"{name}{{{','.join(pairs)}}} {_number(value)}" if pairs else f"{name} {_number(value)}"


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else repr(float(value))


def _shown(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
