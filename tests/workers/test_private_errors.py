"""Errors are told by class and code in logs and traces; their texts, which may quote people, stay in the history."""

import asyncio
import gc
import json
import logging
import subprocess
import sys
import uuid
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from tests.support.trace_collector import Collector
from tests.support.waiting import until
from workers.errors import JuneError
from workers.private_errors import PrivateErrors, named
from workers.settings import PROJECT, TelemetrySettings
from workers.telemetry import configure_logging
from workers.temporal import connect

WORD = "Heliotrope"


class Number(BaseModel):
    value: int


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """Raise an error, so that it has a traceback."""
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def invalid() -> ValidationError:
    try:
        Number.model_validate({"value": WORD})
    except ValidationError as error:
        return error
    raise AssertionError


class ServerError(Exception):
    status = 404
    code = 50_035


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError(WORD), "ValueError"),
        (invalid(), "ValidationError"),
        (JuneError("Set JUNE_HOME."), "Set JUNE_HOME."),
        (FileNotFoundError(2, "No such file", WORD), "FileNotFoundError ENOENT"),
        (RPCError("not found", RPCStatusCode.NOT_FOUND, b""), "RPCError NOT_FOUND: not found"),
        (BadInputError(ErrorCode.MODEL_REFUSED, WORD, status=400), "BadInputError model-refused"),
        (ApplicationError(WORD, type="ValueError"), "ApplicationError ValueError"),
        (ServerError(WORD), "ServerError 404 50035"),
        (raised(RuntimeError(WORD), ValueError(WORD)), "RuntimeError <- ValueError"),
    ],
)
def test_an_error_is_told_by_what_it_is(error: BaseException, told: str) -> None:
    assert named(error) == told


def logged(error: BaseException, *, level: int = logging.INFO) -> logging.LogRecord:
    """Make a record that tells of an error in every way, and filter it."""
    record = logging.LogRecord(
        "workers.x", logging.ERROR, __file__, 1, "%s: %s", ("code", error), (type(error), error, None)
    )
    root, before = logging.getLogger(), logging.getLogger().level
    root.setLevel(level)
    try:
        assert PrivateErrors().filter(record)
    finally:
        root.setLevel(before)
    return record


def test_records_keep_the_places_and_lose_the_texts() -> None:
    record = logged(raised(RuntimeError(WORD), invalid()))
    text = logging.Formatter().format(record)
    assert WORD not in text
    assert text.startswith("code: RuntimeError <- ValidationError")
    assert text.index("ValidationError\n") < text.index("which led to") < text.rindex("RuntimeError")
    assert "in raised\n    raise error from cause" in text


def test_errors_in_circles_come_to_an_end() -> None:
    one, other = RuntimeError(WORD), ValueError(WORD)
    one.__cause__, other.__cause__ = other, one
    assert WORD not in logging.Formatter().format(logged(one))


def test_debug_shows_all() -> None:
    record = logged(ValueError(WORD), level=logging.DEBUG)
    assert WORD in logging.Formatter().format(record)


def test_a_record_that_is_an_error() -> None:
    record = logging.LogRecord("workers.x", logging.ERROR, __file__, 1, ValueError(WORD), (), None)
    PrivateErrors().filter(record)
    assert record.getMessage() == "ValueError"


@pytest.mark.parametrize(
    ("logger", "arguments", "said"),
    [
        ("telegram.ext.ExtBot", (7, [WORD], None, ValueError(WORD)), "7 <list> None ValueError"),
        ("bots.telegram.polling", (7, "chat 5", 0.5, ValueError(WORD)), "7 chat 5 0.5 ValueError"),
        ("temporalio.worker", (7, "run", 0.5, ValueError(WORD)), "7 run 0.5 ValueError"),
    ],
)
def test_libraries_tell_figures_alone(logger: str, arguments: tuple[object, ...], said: str) -> None:
    record = logging.LogRecord(logger, logging.ERROR, __file__, 1, "%s %s %s %s", arguments, None)
    PrivateErrors().filter(record)
    assert record.getMessage() == said


def test_arguments_by_name() -> None:
    record = logging.LogRecord("library", logging.ERROR, __file__, 1, "%(a)s %(b)s", ({"a": WORD, "b": 1},), None)
    PrivateErrors().filter(record)
    assert record.getMessage() == "<str> 1"


async def test_what_asyncio_says_of_a_task_that_nobody_awaits(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError(WORD)

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    del task
    gc.collect()
    (record,) = [record for record in caplog.records if record.name == "asyncio"]
    assert WORD in record.getMessage()
    PrivateErrors().filter(record)
    assert record.getMessage() == "Task exception was never retrieved"
    assert WORD not in logging.Formatter().format(record)


@activity.defn(name="fails")
async def fails(word: str) -> None:
    """Fail with somebody's words."""
    raise ValueError(f"cannot read {word}")


@workflow.defn(name="Unlucky", sandboxed=False)
class Unlucky:
    """Fails as its activity does."""

    @workflow.run
    async def run(self, word: str) -> None:
        once = RetryPolicy(maximum_attempts=1)
        await workflow.execute_activity("fails", word, start_to_close_timeout=timedelta(seconds=9), retry_policy=once)

    @workflow.signal
    def number(self, number: Number) -> None:
        """Be given a number, or words, which are none."""


async def main(otlp_url: str) -> None:
    """Run it as a worker does, in a process of its own."""
    configure_logging(TelemetrySettings())
    client = await connect(TelemetrySettings(otlp_url=otlp_url), service="june-private")
    queue: str = str(uuid.uuid4())
    kinds: dict[str, Any] = {"workflows": [Unlucky], "activities": [fails]}
    async with Worker(client, task_queue=queue, workflow_runner=UnsandboxedWorkflowRunner(), **kinds):
        handle = await client.start_workflow(
            Unlucky.run, WORD, id=queue, task_queue=queue, start_signal="number", start_signal_args=[{"value": WORD}]
        )
        try:
            await handle.result()
        except WorkflowFailureError as error:
            sys.stdout.write(json.dumps(str(error.cause.__cause__)))
    from opentelemetry import trace

    trace.get_tracer_provider().force_flush()  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.usefixtures("address")
async def test_a_worker_whose_activity_quotes_somebody() -> None:
    collector = Collector()
    code = f"import asyncio, os, sys; from {__name__} import main; asyncio.run(main({collector.url!r}))"
    code += "; sys.stdout.flush(); sys.stderr.flush(); os._exit(0)"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, check=True, timeout=120
    )
    assert WORD in done.stdout.decode(), "whoever started it is told"
    log = done.stderr.decode()
    assert "ValueError" in log
    assert "ValidationError" in log
    assert WORD not in log

    async def exported() -> bool:
        return b"RunActivity:fails" in b"".join(collector.bodies)

    await until(exported)
    spans = b"".join(collector.bodies)
    assert b"exception.type" in spans
    assert WORD.encode() not in spans
    collector.close()
