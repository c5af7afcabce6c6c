"""Start, find, follow, list and delete benchmark runs, and talk to them, for the command line."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel
from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import Attempt, Mode, Pinned
from activities.blobs import BlobStore
from activities.values import BlobRef
from workers.clients.pollers import living_pollers
from workers.clients.testruns import QUERY_TIMEOUT, Handle, ended
from workers.errors import JuneError, UnavailableError
from workflows.benchmarks.contracts import BenchmarkReport, BenchmarkRequest, BenchmarkStatus, RunOutcome
from workflows.names import (
    BENCHMARK,
    BENCHMARK_ID_PREFIX,
    BENCHMARK_MEMO,
    CPU_QUEUE,
    DATA_SET,
    GPU_QUEUE,
    MODEL,
    OUTCOME,
    SANDBOX_QUEUE,
    WORKFLOW_QUEUE,
    platform_queue,
)
from workflows.one_line import shortened

# A run that goes on in a new one is the same.
OF_RUNS = f"WorkflowType = '{BENCHMARK}' AND ExecutionStatus != 'ContinuedAsNew'"
FILE_QUEUE = platform_queue("file")
ROLES = {CPU_QUEUE: "cpu", FILE_QUEUE: "file", GPU_QUEUE: "gpu", SANDBOX_QUEUE: "sandbox"}
NEEDED = {Mode.TTS: (CPU_QUEUE,), Mode.TURNS: (CPU_QUEUE, FILE_QUEUE)}
"""Beside the worker of the models, and that which makes all reports."""
POLL_SECONDS = 1.0
CANCEL_SECONDS = 30.0
"""How long a client waits for a run to end that it has cancelled."""
MAX_FILE_BYTES = 500_000_000
Signal = Literal["pause", "resume", "set_parallel"]


class ListedRun(BaseModel):
    """A run as the server lists it, without a query to any worker."""

    id: str
    data_set: str
    model: str
    outcome: RunOutcome
    started_at: datetime
    ended_at: datetime | None = None
    report: BenchmarkReport | None = None
    """Of a run that has ended."""


class StoredFiles(BaseModel):
    """What a run's report consists of, as bytes."""

    report_json: bytes
    results_jsonl: bytes
    report_html: bytes


class Judged(NamedTuple):
    """A run, and what came of each attempt."""

    name: str
    pinned: Pinned
    attempts: tuple[Attempt, ...]


def new_name(data_set: str, mode: Mode) -> str:
    """Return a name that no other run has."""
    return f"{data_set}-{mode.value}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def name_of(workflow_id: str) -> str:
    """Return a run's name, as commands take it."""
    return workflow_id.removeprefix(BENCHMARK_ID_PREFIX)


async def start_run(client: Client, request: BenchmarkRequest, name: str) -> Handle:
    """Start a run.

    Raises:
        JuneError: a run of this name is under way.

    """
    line = shortened(f"{request.data_set}, {request.mode.value}{f', {request.model}' if request.model else ''}")
    try:
        # By its id alone: a run may go on in another one of Temporal's.
        handle = await client.start_workflow(
            *(BENCHMARK, request), id=f"{BENCHMARK_ID_PREFIX}{name}", task_queue=WORKFLOW_QUEUE, static_summary=line
        )
    except WorkflowAlreadyStartedError:
        raise JuneError(f"The run {name} is under way already.") from None
    return client.get_workflow_handle(handle.id)


async def require_workers(client: Client, mode: Mode) -> None:
    """Check that somebody will do the run.

    Raises:
        UnavailableError: a worker does not live that the mode needs.

    """
    needed = (GPU_QUEUE, *NEEDED.get(mode, ()), SANDBOX_QUEUE)
    # A worker that has been busy for more than a minute does not poll.
    if (await client.count_workflows(f"{OF_RUNS} AND ExecutionStatus = 'Running'")).count:
        return
    for queue in needed:
        if not await living_pollers(client, queue):
            raise UnavailableError(
                f"No {ROLES[queue]} worker lives (queue {queue}): start `june worker {ROLES[queue]}`, "
                "or see in `june doctor` what keeps `june up` from having one."
            )


async def find_run(client: Client, run: str = "") -> Handle:
    """Return a run by its name or workflow id; without one, the last that was started.

    Raises:
        JuneError: there is none.

    """
    if not run:
        latest = [listed async for listed in list_runs(client)]
        if not latest:
            raise JuneError("There was no run yet: june bench run SET")
        return client.get_workflow_handle(max(latest, key=lambda listed: listed.started_at).id)
    for workflow_id in (run, f"{BENCHMARK_ID_PREFIX}{run}"):
        handle = client.get_workflow_handle(workflow_id)
        try:
            if (await handle.describe()).workflow_type == BENCHMARK:
                return handle
        except RPCError as error:
            if error.status not in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
                raise
    raise JuneError(f"There is no run {run}: june bench list")


async def list_runs(client: Client, limit: int = 100) -> AsyncIterator[ListedRun]:
    """Yield runs in the server's order: those under way, then those that ended, the last first."""
    async for execution in client.list_workflows(OF_RUNS, limit=limit):
        yield await listed_run(execution)


async def listed_run(execution: WorkflowExecution) -> ListedRun:
    """Return what the server stores of a run."""
    attributes, memo = execution.typed_search_attributes, await execution.memo()
    report = BenchmarkReport.model_validate(memo[BENCHMARK_MEMO]) if BENCHMARK_MEMO in memo else None
    outcome = RunOutcome(attributes.get(OUTCOME) or RunOutcome.RUNNING)
    if report:
        outcome = report.outcome
    elif execution.close_time:  # terminated, or refused before it began
        outcome = RunOutcome.FAILED
    return ListedRun(
        id=execution.id,
        data_set=attributes.get(DATA_SET) or "",
        model=attributes.get(MODEL) or "",
        outcome=outcome,
        started_at=execution.start_time,
        ended_at=execution.close_time,
        report=report,
    )


async def report_of(handle: Handle) -> BenchmarkReport | None:
    """Return a run's report, which needs no worker; None while it is under way."""
    description = await handle.describe()
    if description.status is WorkflowExecutionStatus.RUNNING:
        return None
    listed = await listed_run(description)
    if listed.report:
        return listed.report
    try:
        return BenchmarkReport.model_validate(await handle.result())
    except WorkflowFailureError as error:  # terminated, or its input is wrong
        return BenchmarkReport(outcome=RunOutcome.FAILED, reason=f"It ended without a report: {error.cause}.")


async def status_of(handle: Handle) -> BenchmarkStatus:
    """Query a run's status.

    Raises:
        UnavailableError: no worker answers the query.

    """
    try:
        status: BenchmarkStatus = await handle.query("status", result_type=BenchmarkStatus, rpc_timeout=QUERY_TIMEOUT)
    except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise UnavailableError(
            f"No worker answers for run {name_of(handle.id)} ({error}): june runs no workflows, june doctor says more."
        ) from error
    return status


async def last_status_of(handle: Handle) -> BenchmarkStatus:
    """Return where a run stands; of one that has ended, without a worker as well, and then without its attempts.

    Raises:
        UnavailableError: it is under way, and no worker answers the query.

    """
    listed = await listed_run(await handle.describe())
    report = listed.report or (await report_of(handle) if listed.ended_at else None)
    try:
        status = await status_of(handle)
    except UnavailableError:
        if report is None:
            raise
        status = BenchmarkStatus(
            run=name_of(handle.id),
            mode=report.pinned.mode if report.pinned else Mode.COMPLETION,
            data_set=listed.data_set,
            model=listed.model,
            outcome=report.outcome,
            parallel=1,
            planned=report.planned,
            done=report.attempts,
            counts=report.counts,
            elapsed_seconds=report.seconds,
        )
    # One that was terminated knows nothing of its end.
    return status.model_copy(update={"outcome": report.outcome, "report": report}) if report else status


async def follow(handle: Handle) -> AsyncGenerator[BenchmarkStatus | None, None]:
    """Yield where a run stands, again and again until it has ended, in whatever way; None while no worker answers."""
    end = asyncio.create_task(ended(handle))
    try:
        while True:
            over = end.done()
            try:
                yield await status_of(handle)
            except UnavailableError:  # its worker starts again, perhaps
                yield None
            if over:
                end.result()
                return
            await asyncio.wait([end], timeout=POLL_SECONDS)
    finally:
        end.cancel()


async def tell(handle: Handle, signal: Signal, *arguments: int) -> None:
    """Begin no more attempts, or go on, or have another number of them under way.

    Raises:
        JuneError: the run has ended.

    """
    await _require_running(handle)
    await handle.signal(signal, args=arguments)


async def cancel(handle: Handle) -> BenchmarkReport | None:
    """Cancel a run, and return its report; None where it has not ended yet after some seconds.

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
    """Raise where a run has ended: its server would refuse in words of its own, or say nothing."""
    if (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING:
        raise JuneError(f"The run {name_of(handle.id)} has ended: june bench status {name_of(handle.id)}")


async def stored_files(handle: Handle, blobs: BlobStore) -> StoredFiles:
    """Read what a run that has ended has reported.

    Raises:
        JuneError: it is under way, or there is nothing.

    """
    name, report = name_of(handle.id), await report_of(handle)
    if report is None:
        raise JuneError(f"{name} is under way: june bench status {name}")
    refs = (report.report_json, report.results_jsonl, report.report_html)
    found = [await _read(blobs, ref, f"{name} has no report: {report.reason or 'nothing was tried'}") for ref in refs]
    return StoredFiles(report_json=found[0], results_jsonl=found[1], report_html=found[2])


async def judged(handle: Handle, blobs: BlobStore) -> Judged:
    """Read the attempts of a run that has ended.

    Raises:
        JuneError: it is under way, or there is nothing.

    """
    name, files, report = name_of(handle.id), await stored_files(handle, blobs), await report_of(handle)
    if report is None or report.pinned is None:
        raise JuneError(f"{name} has ended before anything was tried.")
    lines = [line for line in files.results_jsonl.splitlines() if line.strip()]
    return Judged(name, report.pinned, tuple(map(Attempt.model_validate_json, lines)))


async def _read(blobs: BlobStore, ref: BlobRef | None, otherwise: str) -> bytes:
    if ref is None:
        raise JuneError(otherwise)
    try:
        return await blobs.get(ref, MAX_FILE_BYTES)
    except ApplicationError as error:
        raise JuneError(f"The run's report cannot be read from the store: {error.message}") from error


async def delete_run(client: Client, handle: Handle, blobs: BlobStore) -> int:
    """Delete a run that has ended: its files, and it and its attempts from the server's lists; return the files.

    Raises:
        JuneError: it is under way.

    """
    name = name_of(handle.id)
    if (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
        raise JuneError(f"{name} is under way: june bench cancel {name}")
    owner = owner_of(name)
    deleted = await blobs.delete_chat(owner.platform, owner.chat)
    own = handle.id.replace("'", "''")
    query = f"WorkflowId = '{own}' OR WorkflowId STARTS_WITH '{own}/'"
    async for execution in client.list_workflows(query):
        request = DeleteWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=Execution(workflow_id=execution.id, run_id=execution.run_id),
        )
        await client.workflow_service.delete_workflow_execution(request)
    return deleted
