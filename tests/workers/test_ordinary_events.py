"""What is ordinary is no fault in the log; each real fault stays one. On a real server."""

import asyncio
import logging
import uuid
import warnings
from collections.abc import Iterator
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.activity import ActivityCancellationDetails
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.heartbeats import heartbeat_now
from tests.support.waiting import until
from workers.ordinary_events import (
    ACTIVITY_LOGGER,
    ATTEMPT_FAILED,
    CORE_LOGGER,
    GONE,
    OrdinaryEvents,
    ignore_late_cancellations,
)
from workers.settings import TelemetrySettings
from workers.temporal import connect

LIMIT = timedelta(milliseconds=300)
BEGUN: set[str] = set()
"""Workflows whose activity has begun."""
ENDED: set[str] = set()
"""Workflows whose activity has ended, however late."""
CANCELLED = (asyncio.CancelledError, asyncio.CancelledError(), None)


class Log(logging.Handler):
    """Keeps the records, as the SDK made them and as people read them."""

    def __init__(self) -> None:
        super().__init__()
        self.raw: list[str] = []
        self.said: list[logging.LogRecord] = []

    def handle(self, record: logging.LogRecord) -> bool:
        self.raw.append(record.getMessage())
        if OrdinaryEvents().filter(record):
            self.said.append(record)
        return True

    def has(self, text: str) -> bool:
        return any(text in message for message in self.raw)

    @property
    def faults(self) -> list[str]:
        """What a person would take for a fault."""
        return [record.getMessage() for record in self.said if record.levelno >= logging.WARNING or record.exc_info]


@pytest.fixture
def log() -> Iterator[Log]:
    root, log = logging.getLogger(), Log()
    level = root.level
    root.setLevel(logging.INFO)
    root.addHandler(log)
    yield log
    root.removeHandler(log)
    root.setLevel(level)


@activity.defn(name="lingers")
async def lingers(how: str) -> None:
    """Work in vain, or fail."""
    workflow_id = activity.info().workflow_id or ""
    BEGUN.add(workflow_id)
    try:
        await _linger(how)
    finally:
        ENDED.add(workflow_id)


async def _linger(how: str) -> None:
    match how:
        case "beating":
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.02)
        case "late":
            await asyncio.sleep(3 * LIMIT.total_seconds())
        case "gone":
            await asyncio.sleep(3 * LIMIT.total_seconds())
            await heartbeat_now("too late")
        case "stubborn":
            while not activity.is_cancelled():
                activity.heartbeat()
                await asyncio.sleep(0.02)
        case "refuses":
            raise BadInputError(ErrorCode.AUDIO_EMPTY, "The file is empty.")
        case "limited":
            raise ApplicationError(
                "Too many requests.", type="rate-limited", category=ApplicationErrorCategory.BENIGN, non_retryable=True
            )
        case "fails":
            raise ApplicationError("It is out of reach.", type="model-unavailable")
        case _:
            raise RuntimeError("a fault of june's own")


@workflow.defn(name="OrdinaryEvents", sandboxed=False)
class OneActivity:
    """Run it once."""

    @workflow.run
    async def run(self, how: str) -> None:
        await workflow.execute_activity(
            lingers,
            how,
            start_to_close_timeout=timedelta(minutes=1) if how in {"beating", "stubborn"} else LIMIT,
            heartbeat_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@pytest.fixture
async def client(address: str) -> Client:
    return await connect(TelemetrySettings())


def worker(client: Client, queue: str) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        workflows=[OneActivity],
        activities=[lingers],
        max_heartbeat_throttle_interval=timedelta(milliseconds=50),
    )


async def run(client: Client, how: str) -> None:
    """Run an activity to its bad end."""
    queue = uuid.uuid4().hex
    async with worker(client, queue):
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(OneActivity.run, how, id=queue, task_queue=queue)
        await until(lambda: queue in ENDED)


async def test_an_activity_whose_workflow_has_ended_is_no_fault(client: Client, log: Log) -> None:
    queue = uuid.uuid4().hex
    async with worker(client, queue):
        handle = await client.start_workflow(OneActivity.run, "beating", id=queue, task_queue=queue)
        await until(lambda: queue in BEGUN)
        await handle.terminate()
        await until(lambda: log.has(ATTEMPT_FAILED))
    assert log.faults == []


async def test_what_completes_too_late_is_no_fault(client: Client, log: Log) -> None:
    await run(client, "late")
    await until(lambda: log.has(GONE[0]))
    assert log.faults == []


async def test_a_heartbeat_that_nobody_waits_for_is_no_fault(client: Client, log: Log) -> None:
    await run(client, "gone")  # Temporal's core may answer the heartbeat before or after the activity has ended
    assert log.faults == []


async def test_shutdown_is_no_fault(client: Client, log: Log) -> None:
    queue = uuid.uuid4().hex
    async with worker(client, queue):
        handle = await client.start_workflow(OneActivity.run, "beating", id=queue, task_queue=queue)
        await until(lambda: queue in BEGUN)
    assert log.faults == []
    await handle.terminate()


async def test_a_cancelled_loser_is_no_fault(client: Client, log: Log) -> None:
    queue = uuid.uuid4().hex
    async with worker(client, queue):
        handle = await client.start_workflow(OneActivity.run, "stubborn", id=queue, task_queue=queue)
        await until(lambda: queue in BEGUN)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert log.faults == []


async def test_refused_input_is_one_line(client: Client, log: Log) -> None:
    await run(client, "refuses")
    (record,) = [record for record in log.said if "attempt failed" in record.getMessage()]
    assert (record.getMessage(), record.levelname) == ("attempt failed, audio-empty: The file is empty.", "INFO")
    assert log.faults == []


async def test_a_rate_limit_is_no_fault(client: Client, log: Log) -> None:
    await run(client, "limited")
    assert log.faults == []


async def test_what_june_itself_raises_is_a_warning_without_a_traceback(client: Client, log: Log) -> None:
    await run(client, "fails")
    (record,) = [record for record in log.said if record.levelno >= logging.WARNING]
    assert (record.getMessage(), record.exc_info) == ("attempt failed, model-unavailable: It is out of reach.", None)


async def test_a_fault_keeps_its_level_and_its_traceback(client: Client, log: Log) -> None:
    await run(client, "breaks")
    (record,) = [record for record in log.said if record.levelno >= logging.WARNING]
    assert record.exc_info
    assert isinstance(record.exc_info[1], RuntimeError)


def core_record(message: str) -> logging.LogRecord:
    name = f"{CORE_LOGGER}-sdk_core::temporalio_sdk_core::worker"
    return logging.LogRecord(name, logging.WARNING, "(sdk-core)", 0, message, (), None)


@pytest.mark.parametrize("event", GONE)
def test_what_the_server_no_longer_waits_for_is_left_to_debug(log: Log, event: str) -> None:
    message = f"[sdk_core::worker] {event} {{'error': 'Status {{ code: NotFound }}'}}"
    log.handle(core_record(message))
    assert log.said == []
    logging.getLogger().setLevel(logging.DEBUG)
    log.handle(core_record(message))
    assert [record.levelname for record in log.said] == ["WARNING"]


@pytest.mark.parametrize(
    "message",
    [
        "[sdk_core::worker] Network error while completing activity {'error': 'Unavailable'}",
        "[sdk_core::worker] Error while completing workflow activation",
        "[sdk_core::worker] Failing workflow task {'failure': 'nondeterminism'}",
        "[sdk_core::worker] Task polling has encountered errors continuously",
    ],
)
def test_what_an_operator_must_see_stays(log: Log, message: str) -> None:
    log.handle(core_record(message))
    assert log.faults == [message]


@pytest.mark.parametrize("name", ["temporalio.workflow", "bots.inbox", "temporalio.worker"])
def test_the_words_of_others_stay(log: Log, name: str) -> None:
    log.handle(logging.LogRecord(name, logging.WARNING, "f", 1, GONE[0], (), None))
    assert log.faults == [GONE[0]]


@pytest.mark.parametrize(
    ("details", "level"),
    [
        (ActivityCancellationDetails(timed_out=True), "WARNING"),
        (ActivityCancellationDetails(not_found=True), "DEBUG"),
        (ActivityCancellationDetails(worker_shutdown=True), "DEBUG"),
    ],
)
async def test_an_attempt_that_took_too_long_is_a_warning(details: ActivityCancellationDetails, level: str) -> None:
    begun = asyncio.Event()

    async def ended() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            record = logging.LogRecord(ACTIVITY_LOGGER, logging.WARNING, "f", 1, ATTEMPT_FAILED, (), CANCELLED)
        OrdinaryEvents().filter(record)
        assert record.exc_info is None
        return record.levelname

    environment = ActivityEnvironment()
    running = asyncio.create_task(environment.run(ended))
    await begun.wait()
    environment.cancel(cancellation_details=details)
    assert await running == level


def test_other_python_warnings_stay() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ignore_late_cancellations()
        warnings.warn("Cannot find activity to cancel for token b'1'", stacklevel=1)
        warnings.warn("something else", stacklevel=1)
    assert [str(one.message) for one in caught] == ["something else"]
