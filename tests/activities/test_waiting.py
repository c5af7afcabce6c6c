"""Waiting in vain is bounded over all attempts, on a real Temporal server; what fails at once is tried as before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.heartbeats import heartbeats
from activities.waiting import Waiting

LIMIT_SECONDS = 0.6
ATTEMPTS = 6
SHORT = timedelta(seconds=0.02)


class Asks:
    """An activity that asks a server, which does as the test says."""

    def __init__(self) -> None:
        self.attempts = 0
        self.ask: Callable[[Waiting], Awaitable[None]]

    @activity.defn
    async def asks(self, limit_seconds: float) -> None:
        self.attempts += 1
        waiting = Waiting(limit_seconds, ErrorCode.MODEL_UNAVAILABLE)
        async with heartbeats(waiting.details, interval=0.05), waiting.bounded():
            await self.ask(waiting)


@workflow.defn(sandboxed=False)
class Waits:
    """Runs the activity."""

    @workflow.run
    async def run(self, limit_seconds: float) -> None:
        await workflow.execute_activity_method(
            Asks.asks,
            limit_seconds,
            schedule_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=ATTEMPTS, initial_interval=SHORT, backoff_coefficient=1),
        )


Ask = Callable[[Waiting], Awaitable[None]]
Run = Callable[[Ask], Awaitable[tuple[ApplicationError, int]]]
"""Ask until the activity fails; return why, and after how many attempts."""


@pytest.fixture
async def run(dev_server: WorkflowEnvironment) -> AsyncIterator[Run]:
    asks, queue = Asks(), str(uuid4())

    async def failed(ask: Ask) -> tuple[ApplicationError, int]:
        asks.ask = ask
        with pytest.raises(WorkflowFailureError) as failure:
            await dev_server.client.execute_workflow(Waits.run, LIMIT_SECONDS, id=str(uuid4()), task_queue=queue)
        assert isinstance(failure.value.cause, ActivityError)
        assert isinstance(failure.value.cause.cause, ApplicationError)
        return failure.value.cause.cause, asks.attempts

    async with Worker(dev_server.client, task_queue=queue, workflows=[Waits], activities=[asks.asks]):
        yield failed


async def test_a_server_that_is_silent_twice_is_not_asked_a_third_time(run: Run) -> None:
    async def silent(_waiting: Waiting) -> None:
        await asyncio.sleep(0.6 * LIMIT_SECONDS)  # the second is cut short
        raise ConnectionError("silent")

    error, attempts = await run(silent)
    assert (error.type, error.non_retryable, attempts) == (ErrorCode.MODEL_UNAVAILABLE, True, 2)
    assert "nothing has come for" in error.message


async def test_one_that_hangs_for_ever_is_given_up_at_the_limit(run: Run) -> None:
    async def hangs(_waiting: Waiting) -> None:
        await asyncio.Event().wait()

    error, attempts = await run(hangs)
    assert (error.type, error.non_retryable, attempts) == (ErrorCode.MODEL_UNAVAILABLE, True, 1)


async def test_one_that_refuses_at_once_is_asked_as_often_as_the_policy_says(run: Run) -> None:
    async def refuses(_waiting: Waiting) -> None:
        raise ConnectionError("refused")

    error, attempts = await run(refuses)
    assert (error.type, attempts) == ("ConnectionError", ATTEMPTS)


async def test_pauses_that_it_asks_for_count(run: Run) -> None:
    async def busy(_waiting: Waiting) -> None:
        raise ApplicationError("busy", next_retry_delay=timedelta(seconds=LIMIT_SECONDS / 2))

    error, attempts = await run(busy)
    assert (error.type, attempts) == (ErrorCode.MODEL_UNAVAILABLE, 2)


async def test_what_is_alive_may_take_any_time(run: Run) -> None:
    async def writes(waiting: Waiting) -> None:
        for _ in range(10):
            await asyncio.sleep(LIMIT_SECONDS / 4)
            waiting.renew()
        raise BadInputError(ErrorCode.MODEL_REFUSED, "the end")

    error, attempts = await run(writes)
    assert (error.type, attempts) == (ErrorCode.MODEL_REFUSED, 1)
