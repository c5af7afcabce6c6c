"""Runs of the integration tests, against activities replaced by name."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.testruns.module_attempt import RunModuleRequest
from activities.testruns.results import (
    ModuleProgress,
    ModuleReport,
    Outcome,
    make_result,
)
from activities.values import Address
from tests.support.testrun_world import Suite, as_told, forever, report
from tests.support.waiting import until
from tests.support.world import HEARTBEAT_TIMEOUT, POLLERS
from workflows.names import OUTCOME, TEST_RUN_MEMO, TESTS_QUEUE, WORKFLOW_QUEUE, platform_queue
from workflows.testruns.contracts import PageRequest, RunReport, RunRequest
from workflows.testruns.workflow import IntegrationRun, reason_of

OWNER = Address(platform="discord", chat="1", message="0")


@pytest.fixture
async def suite(time_skipping: WorkflowEnvironment) -> AsyncIterator[Suite]:
    """Workers of all queues that a run needs."""
    played, client = Suite(), time_skipping.client
    queues: dict[str, dict[str, Any]] = {
        WORKFLOW_QUEUE: {"workflows": [IntegrationRun]},
        TESTS_QUEUE: {"activities": [played.collect, played.run_module]},
        platform_queue("discord"): {"activities": [played.reply]},
    }
    workers = [
        Worker(client, task_queue=q, max_heartbeat_throttle_interval=HEARTBEAT_TIMEOUT, **POLLERS, **holds)
        for q, holds in queues.items()
    ]
    async with workers[0], workers[1], workers[2]:
        yield played


@pytest.fixture
def client(time_skipping: WorkflowEnvironment) -> Client:
    return time_skipping.client


async def start(client: Client, **fields: object) -> WorkflowHandle[IntegrationRun, RunReport]:
    request = RunRequest.model_validate(fields)
    return await client.start_workflow(
        IntegrationRun.run, request, id=f"tests/{uuid4().hex}", task_queue=WORKFLOW_QUEUE
    )


async def failure(handle: WorkflowHandle[IntegrationRun, RunReport]) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


async def test_a_run_without_input_runs_everything(suite: Suite, client: Client) -> None:
    handle = await client.start_workflow("TestRun", id=f"tests/{uuid4().hex}", task_queue=WORKFLOW_QUEUE)
    result = RunReport.model_validate(await handle.result())
    assert (result.outcome, result.tests, result.modules) == ("passed", 6, 3)
    assert result.counts == {Outcome.PASSED: 3, Outcome.SKIPPED: 3}
    assert sorted(suite.ran) == sorted(suite.modules)
    description = await handle.describe()
    assert description.typed_search_attributes.get(OUTCOME) == "passed"
    assert (await description.memo())[TEST_RUN_MEMO]["counts"] == {"passed": 3, "skipped": 3}


async def test_modules_are_run_so_many_at_once(suite: Suite, client: Client) -> None:
    await (await start(client)).result()
    assert suite.most_at_once == 1
    await (await start(client, parallel=2)).result()
    assert suite.most_at_once == 2


async def test_a_run_that_did_not_pass_fails_and_tells_once(suite: Suite, client: Client) -> None:
    suite.plays["test_b.py"] = as_told(
        report("test_b.py", Outcome.FAILED, Outcome.PASSED, notes=("attempt 1 was lost",))
    )
    handle = await start(client, alerts=[OWNER.model_dump()])
    cause = await failure(handle)
    assert (cause.type, cause.non_retryable) == ("tests-failed", True)
    assert cause.message == "1 of 6 tests did not pass: test_b.py::test_0"
    details = RunReport.model_validate(cause.details[0])
    assert details.counts[Outcome.FAILED] == 1
    assert len(suite.ran) == 3, "the others were run all the same"
    (told,) = suite.told
    assert told.notice
    assert told.notice.key == "tests-failed"
    assert told.notice.params == {"run": handle.id, "failed": 1, "total": 6, "names": "test_b.py::test_0"}
    assert int(told.to.message) > 1 << 60, "a snowflake of its own"
    status = await handle.query(IntegrationRun.status)
    assert status.notes == ("test_b.py: attempt 1 was lost", "alert to discord:1: sent")
    description = await handle.describe()
    assert description.typed_search_attributes.get(OUTCOME) == "failed"


async def test_what_cannot_be_run_is_an_error_and_told(suite: Suite, client: Client) -> None:
    handle = await start(client, selection={"keyword": "nothing"}, alerts=[OWNER.model_dump()])
    cause = await failure(handle)
    assert cause.type == "tests-error"
    assert "Nothing is selected" in cause.message
    assert [told.notice.key for told in suite.told if told.notice] == ["tests-not-run"]
    assert (await handle.describe()).typed_search_attributes.get(OUTCOME) == "error"


async def test_a_module_that_kills_every_worker_is_an_error_and_the_run_goes_on(suite: Suite, client: Client) -> None:
    async def die(_request: RunModuleRequest) -> ModuleReport:
        raise RuntimeError("scripted")

    suite.plays["test_a.py"] = die
    handle = await start(client)
    cause = await failure(handle)
    assert suite.ran.count("test_a.py") == 5
    assert {"test_b.py", "test_c.py"} < set(suite.ran)
    details = RunReport.model_validate(cause.details[0])
    assert [(one.node, one.outcome, one.message) for one in details.worst] == [("test_a.py", "error", "scripted")]


@pytest.mark.parametrize(
    ("kind", "says"),
    [(TimeoutType.SCHEDULE_TO_CLOSE, "june tests health"), (TimeoutType.HEARTBEAT, "its worker died")],
)
def test_time_outs_are_explained(kind: TimeoutType, says: str) -> None:
    """By hand, as time is not skipped while an activity waits for a worker."""
    error = ActivityError(
        "failed",
        scheduled_event_id=1,
        started_event_id=1,
        identity="",
        activity_type="run_module",
        activity_id="1",
        retry_state=None,
    )
    error.__cause__ = TemporalTimeoutError("late", type=kind, last_heartbeat_details=[])
    assert says in reason_of(error)


async def test_a_run_is_watched_while_it_runs(time_skipping: WorkflowEnvironment, suite: Suite, client: Client) -> None:
    go_on = asyncio.Event()

    async def slow(request: RunModuleRequest) -> ModuleReport:
        info = activity.info()
        run = activity.client().get_workflow_handle(info.workflow_id or "")
        first = make_result("test_a.py::test_0", Outcome.PASSED)
        news = ModuleProgress(module="test_a.py", attempt=1, found=3, cases=(first,), current="test_a.py::test_1")
        await run.signal("progress", news.model_copy(update={"log_end": "so far"}))
        while not go_on.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.05)
        await run.signal("progress", news.model_copy(update={"attempt": 0}))  # of an attempt that was given up
        return report(request.module, Outcome.PASSED, Outcome.PASSED, Outcome.PASSED)

    suite.plays["test_a.py"] = slow
    with time_skipping.with_time_skipping_disabled():
        handle = await start(client)

    async def under_way() -> bool:
        status = await handle.query(IntegrationRun.status)
        return bool(status.current and status.current[0].test)

    await until(under_way)
    status = await handle.query(IntegrationRun.status)
    assert (status.outcome, status.modules, status.tests, status.tests_ended) == ("running", 3, 7, 1)
    assert [(now.module, now.test) for now in status.current] == [("test_a.py", "test_a.py::test_1")]
    results = await handle.query(IntegrationRun.results)
    assert [one.node for one in results.results] == ["test_a.py::test_0"]
    logs = await handle.query(IntegrationRun.logs)
    assert [(log.module, log.end) for log in logs.logs] == [("test_a.py", "so far")]
    go_on.set()
    assert (await handle.result()).tests == 7


async def test_answers_come_in_pages(suite: Suite, client: Client) -> None:
    suite.plays["test_c.py"] = as_told(report("test_c.py", Outcome.PASSED, Outcome.CRASHED))
    handle = await start(client)
    await failure(handle)
    first = await handle.query(IntegrationRun.results, PageRequest(size=4))
    assert (len(first.results), first.next) == (4, 4)
    rest = await handle.query(IntegrationRun.results, PageRequest(start=4, size=4))
    assert (len(rest.results), rest.next) == (2, None)
    bad = await handle.query(IntegrationRun.results, PageRequest(bad_only=True))
    assert [one.node for one in bad.results] == ["test_c.py::test_1"]
    logs = await handle.query(IntegrationRun.logs, PageRequest(size=2))
    assert ([log.end for log in logs.logs], logs.next) == (["log of test_a.py\n", "log of test_b.py\n"], 2)
    one = await handle.query(IntegrationRun.logs, PageRequest(module="test_c.py"))
    assert [log.module for log in one.logs] == ["test_c.py"]


async def test_cancel_gives_what_there_is(time_skipping: WorkflowEnvironment, suite: Suite, client: Client) -> None:
    began = asyncio.Event()
    suite.plays["test_b.py"] = forever(began)
    with time_skipping.with_time_skipping_disabled():
        handle = await start(client, alerts=[OWNER.model_dump()])
    await asyncio.wait_for(began.wait(), 10)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, CancelledError)
    assert suite.ran == ["test_a.py", "test_b.py"], "no further module begins"
    results = await handle.query(IntegrationRun.results)
    assert [one.outcome.value for one in results.results] == ["passed", "skipped", "passed", "cancelled"]
    description = await handle.describe()
    assert description.typed_search_attributes.get(OUTCOME) == "cancelled"
    assert (await description.memo())[TEST_RUN_MEMO]["outcome"] == "cancelled"
    assert suite.told == []
