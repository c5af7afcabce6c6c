"""Start, find, follow and list coding tasks, and talk to them, for the command line."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from workers.clients.pollers import living_pollers
from workers.clients.testruns import QUERY_TIMEOUT, Handle, ended
from workers.errors import JuneError, UnavailableError
from workflows.coding.contracts import (
    LINES_A_PAGE,
    CodingOutcome,
    CodingReport,
    CodingRequest,
    CodingStage,
    CodingStatus,
    StepLine,
)
from workflows.names import (
    CODING_ID_PREFIX,
    CODING_MEMO,
    CODING_TASK,
    OUTCOME,
    SANDBOX_QUEUE,
    WORKFLOW_QUEUE,
)
from workflows.one_line import shortened

# A run that goes on in a new one is the same task.
OF_TASKS = f"WorkflowType = '{CODING_TASK}' AND ExecutionStatus != 'ContinuedAsNew'"
LISTED = f"{OF_TASKS} AND DataSet IS NULL"
"""Those of benchmarks are listed there."""
TASK_MEMO = "task"
"""Memo of a task that a client has started: its first line, for lists."""
POLL_SECONDS = 0.5
CANCEL_SECONDS = 20.0
"""How long a client waits for a task to end that it has cancelled."""
BEFORE_THE_FIRST = -1


class ListedTask(BaseModel):
    """A task as the server lists it, without a query to any worker."""

    id: str
    run_id: str
    task: str
    """Its first line; empty where it was started by hand."""
    outcome: CodingOutcome
    started_at: datetime
    ended_at: datetime | None = None
    report: CodingReport | None = None
    """Of a task that has ended."""


class News(NamedTuple):
    """What has happened since a client last asked."""

    lines: tuple[StepLine, ...]
    """Steps that are done."""
    status: CodingStatus | None
    """None while no worker answers."""


def new_name() -> str:
    """Return a name that no other task has."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def full_id(task: str) -> str:
    """Return the workflow id of a task by its name, or by that id."""
    return task if task.startswith(CODING_ID_PREFIX) else f"{CODING_ID_PREFIX}{task}"


def name_of(workflow_id: str) -> str:
    """Return a task's name, as commands take it."""
    return workflow_id.removeprefix(CODING_ID_PREFIX)


async def start_task(client: Client, request: CodingRequest, name: str) -> Handle:
    """Start a task.

    Raises:
        JuneError: a task of this name is under way.

    """
    line = shortened(request.task.strip().partition("\n")[0])
    try:
        # By its id alone: a task may go on in another run.
        handle = await client.start_workflow(
            *(CODING_TASK, request),
            id=full_id(name),
            task_queue=WORKFLOW_QUEUE,
            memo={TASK_MEMO: line},
            static_summary=line,
        )
    except WorkflowAlreadyStartedError:
        raise JuneError(f"The task {name} is under way already.") from None
    return client.get_workflow_handle(handle.id)


async def require_sandbox_worker(client: Client) -> None:
    """Check that somebody will take the task.

    Raises:
        UnavailableError: no sandbox worker lives.

    """
    # A worker that has been busy for more than a minute does not poll.
    if not await living_pollers(client, SANDBOX_QUEUE) and not await running_tasks(client):
        raise UnavailableError(
            f"No sandbox worker lives (queue {SANDBOX_QUEUE}): start `june worker sandbox`, "
            "or see in `june doctor` what keeps `june up` from having one."
        )


async def running_tasks(client: Client) -> int:
    """Count the tasks under way."""
    return (await client.count_workflows(f"{OF_TASKS} AND ExecutionStatus = 'Running'")).count


async def find_task(client: Client, task: str = "") -> Handle:
    """Return a task by its name or workflow id; without one, the last that was started.

    Raises:
        JuneError: there is none.

    """
    if task:
        handle = client.get_workflow_handle(full_id(task))
        try:
            if (await handle.describe()).workflow_type == CODING_TASK:
                return handle
        except RPCError as error:
            if error.status not in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
                raise
        raise JuneError(f"There is no task {task}: june code list")
    latest = [listed async for listed in list_tasks(client)]
    if not latest:
        raise JuneError('There was no task yet: june code "TASK" --workspace DIR')
    return client.get_workflow_handle(max(latest, key=lambda listed: listed.started_at).id)


async def list_tasks(client: Client, limit: int = 100) -> AsyncIterator[ListedTask]:
    """Yield tasks in the server's order: those under way, then those that ended, the last first."""
    async for execution in client.list_workflows(LISTED, limit=limit):
        yield await listed_task(execution)


async def listed_task(execution: WorkflowExecution) -> ListedTask:
    """Return what the server stores of a task."""
    attributes, memo = execution.typed_search_attributes, await execution.memo()
    report = CodingReport.model_validate(memo[CODING_MEMO]) if CODING_MEMO in memo else None
    outcome = CodingOutcome(attributes.get(OUTCOME) or CodingOutcome.RUNNING)
    if report:
        outcome = report.outcome
    elif execution.close_time:  # terminated, or refused before it began
        outcome = CodingOutcome.FAILED
    return ListedTask(
        id=execution.id,
        run_id=execution.run_id,
        task=str(memo.get(TASK_MEMO, "")),
        outcome=outcome,
        started_at=execution.start_time,
        ended_at=execution.close_time,
        report=report,
    )


async def report_of(handle: Handle) -> CodingReport | None:
    """Return a task's report, which needs no worker; None while it is under way."""
    description = await handle.describe()
    if description.status is WorkflowExecutionStatus.RUNNING:
        return None
    listed = await listed_task(description)
    if listed.report:
        return listed.report
    try:
        return CodingReport.model_validate(await handle.result())
    except WorkflowFailureError as error:  # terminated, or its input is wrong
        return CodingReport(outcome=CodingOutcome.FAILED, reason=f"It ended without a report: {error.cause}.")


async def status_of(handle: Handle, after: int = BEFORE_THE_FIRST) -> CodingStatus:
    """Query a task's status, with its steps after this one.

    Raises:
        UnavailableError: no worker answers the query.

    """
    try:
        status: CodingStatus = await handle.query("status", after, result_type=CodingStatus, rpc_timeout=QUERY_TIMEOUT)
    except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise UnavailableError(
            f"No worker answers for task {name_of(handle.id)} ({error}): june runs no workflows, june doctor says more."
        ) from error
    return status


async def last_status_of(handle: Handle) -> CodingStatus:
    """Return where a task stands; of one that has ended, without a worker as well, and then without its steps.

    Raises:
        UnavailableError: it is under way, and no worker answers the query.

    """
    listed = await listed_task(await handle.describe())
    report = listed.report or (await report_of(handle) if listed.ended_at else None)
    try:
        status = await status_of(handle)
    except UnavailableError:
        if report is None:
            raise
        status = CodingStatus(
            task=listed.task,
            outcome=report.outcome,
            stage=CodingStage.DONE,
            step=report.steps,
            max_steps=report.steps,
            elapsed_seconds=report.seconds,
            tokens=report.prompt_tokens + report.completion_tokens,
        )
    # One that was terminated knows nothing of its end.
    return status.model_copy(update={"outcome": report.outcome, "report": report}) if report else status


async def follow(handle: Handle) -> AsyncGenerator[News, None]:
    """Yield what happens, each step once when it is done, until the task has ended, in whatever way."""
    end = asyncio.create_task(ended(handle))
    after = BEFORE_THE_FIRST
    try:
        while True:
            over = end.done()
            try:
                status = await status_of(handle, after)
            except UnavailableError:  # its worker starts again, perhaps
                yield News((), None)
                more = False
            else:
                lines = finished_lines(status)
                after = lines[-1].step if lines else after
                yield News(lines, status)
                more = len(lines) == LINES_A_PAGE
            if more:
                continue
            if over:
                end.result()
                return
            await asyncio.wait([end], timeout=POLL_SECONDS)
    finally:
        end.cancel()


def finished_lines(status: CodingStatus) -> tuple[StepLine, ...]:
    """Return the steps that are done: what comes of an action is told when it has."""
    if status.stage in {CodingStage.ACT, CodingStage.VERIFY}:
        return tuple(line for line in status.lines if line.step < status.step)
    return status.lines


async def tell(handle: Handle, signal: Literal["say", "pause", "resume"], *arguments: str) -> None:
    """Tell the agent something, which it reads with its next step; or stop after the step under way, or go on.

    Raises:
        JuneError: the task has ended.

    """
    await _require_running(handle)
    await handle.signal(signal, *arguments)


async def cancel(handle: Handle) -> CodingReport | None:
    """Cancel a task, and return its report; None where it has not ended yet after some seconds.

    Raises:
        JuneError: it has ended already.

    """
    await _require_running(handle)
    await handle.cancel()
    try:
        await asyncio.wait_for(ended(handle), CANCEL_SECONDS)
    except TimeoutError:
        return None
    return await report_of(handle)


async def _require_running(handle: Handle) -> None:
    """Raise where a task has ended: its server would refuse in words of its own, or say nothing."""
    if (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING:
        raise JuneError(f"The task {name_of(handle.id)} has ended: june code attach {name_of(handle.id)}")
