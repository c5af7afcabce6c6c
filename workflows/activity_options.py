"""How activities of conversations are run: timeouts, retries, and what a cancellation means for them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityCancellationType

Request = TypeVar("Request")
Result = TypeVar("Result")

TURN_DEADLINE = timedelta(minutes=15)
"""For everything but waiting for earlier turns and the reply, which has a timeout of its own."""
MEMORY_TIMEOUT = timedelta(hours=6)
"""How long a turn waits for those before it."""
GPU_TIMEOUT = timedelta(seconds=30)
"""How long a transcription waits for a GPU worker before the CPU's may take it."""
HEARTBEAT_TIMEOUT = timedelta(seconds=5)
"""A worker that has not been heard of for so long is dead, and its task goes to another."""
WAIT = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
"""An engine must be free, and a send decided, before a cancelled turn goes on."""
AT_ONCE = ActivityCancellationType.TRY_CANCEL


RAN_OUT_OF_TIME = "TemporalTimeout:StartToClose"
"""The server's name, in retry policies, for an attempt that has taken too long; one whose worker died has another."""


def retries(attempts: int, longest_wait: timedelta, *, hangs: bool = True) -> RetryPolicy:
    """Retry with doubling waits from half a second; results too large for Temporal never get smaller.

    Args:
        attempts: at most.
        longest_wait: between two.
        hangs: try again what has run out of time as well; an engine that hangs does so again.

    """
    return RetryPolicy(
        initial_interval=timedelta(seconds=0.5),
        maximum_interval=longest_wait,
        maximum_attempts=attempts,
        non_retryable_error_types=["PayloadsTooLarge"] if hangs else ["PayloadsTooLarge", RAN_OUT_OF_TIME],
    )


@dataclass(frozen=True)
class ActivityOptions:
    """How long an activity may take, and how it is tried again."""

    attempt: timedelta
    """Start-to-close timeout, of one attempt."""
    total: timedelta
    """Schedule-to-close timeout, of all attempts and the waits between them."""
    retry_policy: RetryPolicy
    heartbeat: timedelta = HEARTBEAT_TIMEOUT
    cancellation: ActivityCancellationType = WAIT


FETCH = ActivityOptions(timedelta(minutes=2), timedelta(minutes=5), retries(8, timedelta(seconds=30), hangs=False))
TRANSCRIBE = ActivityOptions(
    timedelta(seconds=100), timedelta(minutes=8), retries(5, timedelta(seconds=10), hangs=False)
)
# A model that writes may go on until the turn ends; one that hangs is given up by activities.infer.
INFER = ActivityOptions(TURN_DEADLINE, TURN_DEADLINE, retries(8, timedelta(seconds=10)))
SYNTHESIZE = ActivityOptions(
    timedelta(seconds=60), timedelta(minutes=3), retries(5, timedelta(seconds=10), hangs=False)
)
REPLY = ActivityOptions(timedelta(minutes=2), timedelta(hours=1), retries(20, timedelta(minutes=5)))
SHOW_PROGRESS = ActivityOptions(TURN_DEADLINE, TURN_DEADLINE, retries(3, timedelta(seconds=10)), cancellation=AT_ONCE)
AGAIN = ActivityOptions(timedelta(minutes=2), timedelta(minutes=5), retries(5, timedelta(seconds=30)))
NOTICE = ActivityOptions(
    timedelta(seconds=30), timedelta(minutes=5), RetryPolicy(maximum_attempts=5), cancellation=AT_ONCE
)
# Tried again whenever live turns have gone first.
SUMMARISE = ActivityOptions(
    timedelta(minutes=10),
    timedelta(hours=1),
    retries(100, timedelta(minutes=1)),
    cancellation=AT_ONCE,
)
FORGET = ActivityOptions(
    timedelta(minutes=5),
    timedelta(hours=24),
    RetryPolicy(maximum_interval=timedelta(minutes=5)),
    heartbeat=timedelta(seconds=30),
    cancellation=AT_ONCE,
)


def transcribing(seconds: float) -> ActivityOptions:
    """Return the options of a transcription, whose time grows with its sound.

    Args:
        seconds: of the sound.

    """
    attempt = min(TRANSCRIBE.attempt + timedelta(seconds=seconds / 2), TRANSCRIBE.total)
    return replace(TRANSCRIBE, attempt=attempt)


async def run_activity(
    activity: Callable[[Any, Request], Awaitable[Result]],
    request: Request,
    options: ActivityOptions,
    *,
    queue: str,
    summary: str,
    deadline: datetime | None = None,
    schedule_to_start: timedelta | None = None,
    although_cancelled: bool = False,
    priority: Priority = Priority.default,
) -> Result:
    """Run an activity, and raise if the workflow was cancelled while it came to its end all the same.

    Args:
        activity: method of an activity's class.
        request: its one argument.
        options: timeouts, retries, cancellation.
        queue: task queue.
        summary: one line for the Web UI.
        deadline: the activity gets no more time than is left until then.
        schedule_to_start: how long it waits for a worker.
        although_cancelled: return the result of a cancelled workflow's activity as well: what was sent is sent.
        priority: of its task; the workflow's own by default.

    Raises:
        ActivityError: it failed for good, or was cancelled.
        asyncio.CancelledError: the workflow was cancelled, which the activity's end has hidden.

    """
    total = options.total
    if deadline is not None:
        total = max(timedelta(milliseconds=1), min(total, deadline - workflow.now()))
    result = await workflow.execute_activity_method(
        activity,
        request,
        task_queue=queue,
        schedule_to_start_timeout=schedule_to_start,
        start_to_close_timeout=options.attempt,
        schedule_to_close_timeout=total,
        heartbeat_timeout=options.heartbeat,
        retry_policy=options.retry_policy,
        cancellation_type=options.cancellation,
        summary=summary,
        priority=priority,
    )
    if not although_cancelled:
        raise_if_cancelled()
    return result


def raise_if_cancelled() -> None:
    """Raise in a task that was cancelled while what it waited for came to its end, which hides the cancellation.

    Raises:
        asyncio.CancelledError: it was.

    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
