"""Timeouts and retries of a coding task's activities."""

from datetime import timedelta

from workflows.activity_options import ActivityOptions, retries

WORKER_TIMEOUT = timedelta(hours=6)
"""How long an activity waits for a worker of its queue."""
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""Without a heartbeat for so long, a worker counts as dead."""
PREPARE = ActivityOptions(
    timedelta(minutes=5), WORKER_TIMEOUT, retries(5, timedelta(seconds=30)), heartbeat=HEARTBEAT_TIMEOUT
)
# What gives way to live turns is tried again every few seconds; all of it within the time that the task has left.
THINK = ActivityOptions(timedelta(minutes=30), WORKER_TIMEOUT, retries(1000, timedelta(seconds=30)))
# Commands are not idempotent.
ACT = ActivityOptions(timedelta(hours=1), WORKER_TIMEOUT, retries(1, timedelta(seconds=1)), heartbeat=HEARTBEAT_TIMEOUT)
VERIFY = ActivityOptions(
    timedelta(hours=1), WORKER_TIMEOUT, retries(5, timedelta(seconds=10)), heartbeat=HEARTBEAT_TIMEOUT
)
COMPARE = PREPARE
