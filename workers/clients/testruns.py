"""Start, find, query and list runs of the integration tests, for the command line and the metrics."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.testruns.results import TestResult
from workers.clients.pollers import living_pollers
from workers.errors import JuneError, UnavailableError
from workflows.names import (
    OUTCOME,
    SCHEDULED_BY,
    TEST_RUN,
    TEST_RUN_ID_PREFIX,
    TEST_RUN_MEMO,
    TESTS_QUEUE,
    WORKFLOW_QUEUE,
)
from workflows.one_line import shortened
from workflows.testruns.contracts import (
    LogsPage,
    ModuleLog,
    PageRequest,
    ResultsPage,
    RunOutcome,
    RunReport,
    RunRequest,
    RunStatus,
)

OF_RUNS = f"WorkflowType = '{TEST_RUN}'"
QUERY_TIMEOUT = timedelta(seconds=10)
RECENT = 200
"""Runs to read for the last one of each schedule."""

Handle = WorkflowHandle[Any, Any]
Answer = TypeVar("Answer", bound=BaseModel)
Page = TypeVar("Page", ResultsPage, LogsPage)


class ListedRun(BaseModel):
    """A run as the server lists it, without a query to any worker."""

    id: str
    run_id: str
    outcome: RunOutcome
    started_at: datetime
    ended_at: datetime | None = None
    schedule: str = ""
    """Which started it; empty for runs that a person started."""
    report: RunReport | None = None
    """Of a run that has ended."""


async def start_run(client: Client, request: RunRequest, run: str = "") -> str:
    """Start a run, and return its workflow id.

    Raises:
        JuneError: a run with this id is under way.

    """
    workflow_id = full_id(run or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")
    try:
        await client.start_workflow(
            TEST_RUN, request, id=workflow_id, task_queue=WORKFLOW_QUEUE, static_summary=summary_of(request)
        )
    except WorkflowAlreadyStartedError:
        raise JuneError(f"The run {workflow_id} is under way already.") from None
    return workflow_id


def full_id(run: str) -> str:
    """Return the workflow id of a run by its name, or by that id."""
    return run if "/" in run else f"{TEST_RUN_ID_PREFIX}{run}"


def summary_of(request: RunRequest) -> str:
    """Return in a line what is run."""
    selection = request.selection
    parts = [", ".join(selection.tests) or "all tests"]
    parts += [f"-k {selection.keyword}"] * bool(selection.keyword)
    parts += [f"-m {selection.markers}"] * bool(selection.markers)
    return shortened(" ".join(parts))


async def find_run(client: Client, run: str = "") -> Handle:
    """Return a run by its name or workflow id; without one, the last that was started.

    Raises:
        JuneError: there is none.

    """
    if run:
        handle = client.get_workflow_handle(full_id(run))
        try:
            if (await handle.describe()).workflow_type == TEST_RUN:
                return handle
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        raise JuneError(f"There is no run {run}: june tests list")
    latest = [listed async for listed in list_runs(client, limit=RECENT)]
    if not latest:
        raise JuneError("There was no run yet: june tests run")
    newest = max(latest, key=lambda listed: listed.started_at)
    return client.get_workflow_handle(newest.id, run_id=newest.run_id)


async def status_of(handle: Handle) -> RunStatus:
    """Query a run's status.

    Raises:
        UnavailableError: no worker answers the query.

    """
    return await _ask(handle, "status", RunStatus)


async def results_of(handle: Handle, *, bad_only: bool = False) -> list[TestResult]:
    """Query all results of a run, a page at a time."""
    pages = _pages(handle, "results", ResultsPage, PageRequest(bad_only=bad_only))
    return [result async for page in pages for result in page.results]


async def logs_of(handle: Handle, module: str = "") -> list[ModuleLog]:
    """Query the ends of a run's logs, and where the rest is stored."""
    pages = _pages(handle, "logs", LogsPage, PageRequest(module=module))
    return [log async for page in pages for log in page.logs]


async def ended(handle: Handle) -> None:
    """Wait until a run has ended, in whatever way."""
    while True:
        try:
            await handle.result(rpc_timeout=timedelta(minutes=5))
        except WorkflowFailureError:
            return
        except RPCError as error:  # a server that starts again
            if error.status is RPCStatusCode.NOT_FOUND:
                raise
            await asyncio.sleep(1)
        else:
            return


async def list_runs(client: Client, query: str = "", limit: int = RECENT) -> AsyncIterator[ListedRun]:
    """Yield runs in the server's order: those under way, then those that ended, the last first."""
    full = f"{OF_RUNS} AND ({query})" if query else OF_RUNS
    async for execution in client.list_workflows(full, limit=limit):
        yield await listed_run(execution)


async def running_runs(client: Client) -> int:
    """Count the runs under way."""
    return (await client.count_workflows(f"{OF_RUNS} AND ExecutionStatus = 'Running'")).count


async def latest_by_schedule(client: Client) -> dict[str, ListedRun]:
    """Return the last run of each schedule that ended, and (as ``""``) of those that people started."""
    latest: dict[str, ListedRun] = {}
    with_result = "ExecutionStatus IN ('Completed', 'Failed')"
    async for run in list_runs(client, with_result):
        latest.setdefault(run.schedule, run)
    return latest


async def listed_run(execution: WorkflowExecution) -> ListedRun:
    """Return what the server stores of a run."""
    attributes, memo = execution.typed_search_attributes, await execution.memo()
    outcome = attributes.get(OUTCOME) or RunOutcome.RUNNING.value
    if outcome == RunOutcome.RUNNING.value and execution.close_time:  # terminated
        outcome = RunOutcome.ERROR.value
    return ListedRun(
        id=execution.id,
        run_id=execution.run_id,
        outcome=RunOutcome(outcome),
        started_at=execution.start_time,
        ended_at=execution.close_time,
        schedule=attributes.get(SCHEDULED_BY) or "",
        report=RunReport.model_validate(memo[TEST_RUN_MEMO]) if TEST_RUN_MEMO in memo else None,
    )


async def _pages(handle: Handle, query: str, kind: type[Page], page: PageRequest) -> AsyncIterator[Page]:
    """Query one page after the other, to the last."""
    start: int | None = page.start
    while start is not None:
        answer = await _ask(handle, query, kind, page.model_copy(update={"start": start}))
        yield answer
        start = answer.next


async def _ask(handle: Handle, query: str, kind: type[Answer], *arguments: object) -> Answer:
    try:
        answer: Answer = await handle.query(query, *arguments, result_type=kind, rpc_timeout=QUERY_TIMEOUT)
    except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise UnavailableError(
            f"No worker answers for run {handle.id} ({error}): june runs no workflows, june doctor says more."
        ) from error
    return answer


class TestsHealth(BaseModel):
    """What ``june tests health --json`` prints."""

    __test__ = False  # pytest looks into classes that are named so

    ok: bool
    """Whether a tests worker lives."""
    workers: int
    last_seen_at: datetime | None
    """When a worker last polled."""
    running: int
    """Runs under way."""
    last: ListedRun | None
    """The last run that ended."""

    @property
    def sentence(self) -> str:
        """The same in words."""
        worker = f"{self.workers} tests workers live" if self.ok else "no tests worker lives: june worker tests"
        last = f"the last run {self.last.outcome.value} ({self.last.id})" if self.last else "there was no run yet"
        when = ""
        if self.last and self.last.ended_at:
            minutes = round((datetime.now(UTC) - self.last.ended_at).total_seconds() / 60)
            when = f" {minutes} min ago" if minutes < 120 else f" {minutes // 60} h ago"
        return f"{worker}; {self.running} runs under way; {last}{when}"


async def examine(client: Client) -> TestsHealth:
    """Ask the server for the pollers of the queue, and for the runs."""
    pollers = await living_pollers(client, TESTS_QUEUE)
    ended = (await latest_by_schedule(client)).values()
    return TestsHealth(
        ok=bool(pollers),
        workers=len(pollers),
        last_seen_at=max(pollers.values(), default=None),
        running=await running_runs(client),
        last=max(ended, key=lambda run: run.ended_at or run.started_at, default=None),
    )
