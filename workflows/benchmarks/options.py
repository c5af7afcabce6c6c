"""Timeouts and retries of a benchmark's activities."""

from datetime import timedelta

from workflows.activity_options import ActivityOptions, retries

WORKER_TIMEOUT = timedelta(hours=24)
"""How long an activity waits for a worker of its queue: a run may go on the next day."""
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""Without a heartbeat for so long, a worker counts as dead."""
PLAN = ActivityOptions(
    timedelta(minutes=15), WORKER_TIMEOUT, retries(5, timedelta(seconds=30)), heartbeat=HEARTBEAT_TIMEOUT
)
# What gives way to live turns is tried again every few seconds.
PIN_MODEL = ActivityOptions(timedelta(minutes=5), WORKER_TIMEOUT, retries(1000, timedelta(seconds=30)))
COMPLETE = ActivityOptions(timedelta(minutes=30), WORKER_TIMEOUT, retries(2000, timedelta(seconds=30)))
PLAN_SPEECH = ActivityOptions(
    timedelta(minutes=15), WORKER_TIMEOUT, retries(1000, timedelta(seconds=30)), heartbeat=HEARTBEAT_TIMEOUT
)
MEASURE = ActivityOptions(
    timedelta(hours=1), WORKER_TIMEOUT, retries(2000, timedelta(seconds=30)), heartbeat=HEARTBEAT_TIMEOUT
)
SAY = ActivityOptions(
    timedelta(minutes=15), WORKER_TIMEOUT, retries(5, timedelta(seconds=30)), heartbeat=HEARTBEAT_TIMEOUT
)
# Each try speaks to june anew.
TURNS = ActivityOptions(
    timedelta(hours=12), WORKER_TIMEOUT, retries(3, timedelta(seconds=30)), heartbeat=HEARTBEAT_TIMEOUT
)
SET_UP = PLAN
# A submission may be what ends a worker.
SCORE = ActivityOptions(
    timedelta(hours=1), WORKER_TIMEOUT, retries(3, timedelta(seconds=10)), heartbeat=HEARTBEAT_TIMEOUT
)
RECORD = ActivityOptions(
    timedelta(minutes=5), WORKER_TIMEOUT, retries(100, timedelta(minutes=1)), heartbeat=HEARTBEAT_TIMEOUT
)
REPORT = ActivityOptions(
    timedelta(minutes=30), WORKER_TIMEOUT, retries(5, timedelta(minutes=1)), heartbeat=HEARTBEAT_TIMEOUT
)
