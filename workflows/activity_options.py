"""How long a turn waits for what, and how it tries again."""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

TURN_DEADLINE = timedelta(minutes=15)
"""For everything but waiting for earlier turns and the reply, which has a patience of its own."""
GPU_TIMEOUT = timedelta(seconds=30)
"""How long a transcription waits for a GPU worker before the CPU's may take it."""
WAIT_TIMEOUT = timedelta(hours=6)
REPLY_TIMEOUT = timedelta(hours=1)
HEARTBEAT_TIMEOUT = timedelta(seconds=5)
"""A worker that has not been heard of for so long is dead, and its task goes to another."""
WAIT = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
"""An engine must be free, and a send decided, before the turn goes on."""


def retries(attempts: int, longest_wait: timedelta) -> RetryPolicy:
    """Retry with doubling waits from half a second; results too large for Temporal never get smaller."""
    return RetryPolicy(
        initial_interval=timedelta(seconds=0.5),
        maximum_interval=longest_wait,
        maximum_attempts=attempts,
        non_retryable_error_types=["PayloadsTooLarge"],
    )
