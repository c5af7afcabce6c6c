"""The Temporal worker of a role."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import PollerBehaviorSimpleMaximum, Worker

from workers.roles.role import Role
from workers.roles.spec import WorkerSpec
from workers.settings import WorkerSettings
from workers.telemetry import StageMetrics

HEARTBEAT_THROTTLE = timedelta(seconds=0.2)
"""Cancellation reaches an activity with its heartbeats, so these must be sent as often as activities give them."""
STICKY_TIMEOUT = timedelta(seconds=2)
"""A workflow whose worker died waits so long before another takes it (the SDK's default is 10 s)."""
ACTIVITY_POLLERS = 2
WORKFLOW_POLLERS = 4


def build_worker(role: Role, client: Client, spec: WorkerSpec) -> Worker:
    """Build the Temporal worker: fixed slots, few pollers, time to finish what runs when told to stop."""
    settings = WorkerSettings()
    return Worker(
        client,
        task_queue=role.queue,
        workflows=spec.workflows,
        activities=spec.activities,
        interceptors=[StageMetrics(), *spec.interceptors],
        max_concurrent_activities=spec.slots,
        activity_task_poller_behavior=PollerBehaviorSimpleMaximum(ACTIVITY_POLLERS),
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(WORKFLOW_POLLERS),
        max_cached_workflows=settings.max_cached_workflows,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=timedelta(seconds=settings.shutdown_seconds),
    )
