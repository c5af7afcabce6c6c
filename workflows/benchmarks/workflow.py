"""A benchmark: pin all that decides it, try each task, and report."""

import asyncio
from datetime import timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.benchmarks.artefacts import identifier
    from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode
    from activities.benchmarks.pin_model import PinModelActivity, PinModelRequest
    from activities.benchmarks.plan import PlanActivity, PlanRequest
    from activities.benchmarks.record import RecordActivity, RecordRequest
    from activities.benchmarks.report import ReportActivity, Reported, ReportRequest
    from activities.speech.plan import PlanSpeechActivity
    from activities.values import BlobRef
    from workflows.activity_options import raise_if_cancelled, run_activity
    from workflows.benchmarks import options, web_ui
    from workflows.benchmarks.attempt import found_by, priority_of
    from workflows.benchmarks.contracts import (
        MAX_ATTEMPTS,
        AttemptRequest,
        BenchmarkReport,
        BenchmarkRequest,
        BenchmarkStatus,
        RunOutcome,
    )
    from workflows.benchmarks.outcomes import code_and_sentence
    from workflows.benchmarks.state import BenchmarkState
    from workflows.names import (
        ATTEMPT,
        BENCHMARK,
        BENCHMARK_ID_PREFIX,
        BENCHMARK_MEMO,
        DATA_SET,
        GPU_QUEUE,
        MODEL,
        OUTCOME,
        SANDBOX_QUEUE,
        WORKFLOW_QUEUE,
    )
    from workflows.one_line import shortened

ATTEMPTS_A_RUN = 200
MAX_EVENTS = 4000
MAX_HISTORY_BYTES = 1_500_000
"""Then a run goes on in a new one: well before Temporal's limits, so that the Web UI stays quick."""
LAST_WORKER = timedelta(minutes=1)
"""How long a run that was cancelled waits for a worker to report what was done."""
REASON_CHARS = 400


@workflow.defn(name=BENCHMARK, failure_exception_types=[ValidationError])
class Benchmark:
    """Runs a data set. Started by ``june bench run``, or by hand under any id."""

    @workflow.init
    def __init__(self, request: BenchmarkRequest) -> None:
        """Take up the state of the run before, if there was one; queries may arrive before ``run`` has begun."""
        name = workflow.info().workflow_id.removeprefix(BENCHMARK_ID_PREFIX)
        self._state = BenchmarkState(request, identifier(name), workflow.now())
        self._attempts: dict[int, asyncio.Task[None]] = {}

    @workflow.run
    async def run(self, request: BenchmarkRequest) -> BenchmarkReport:
        """Try each task as often as is asked for; whatever happens, what was done is reported.

        Raises:
            ApplicationError: it could not be run: ``task-unknown``, ``data-set-...``, ``model-...`` and the like.

        """
        workflow.upsert_search_attributes(
            [OUTCOME.value_set(RunOutcome.RUNNING.value), DATA_SET.value_set(request.data_set)]
        )
        self._show()
        try:
            if self._state.pinned is None:
                await self._plan()
            await self._try_all()
        except (ActivityError, asyncio.CancelledError) as error:
            if not isinstance(error, ActivityError) or is_cancelled_exception(error):
                await asyncio.shield(self._end(RunOutcome.CANCELLED, "cancelled", "It was cancelled."))
                raise
            raise await self._fail(*code_and_sentence(error)) from error
        except ApplicationError as error:
            raise await self._fail(error.type or "", error.message) from None
        return await self._end(RunOutcome.FINISHED)

    async def _plan(self) -> None:
        """Pin everything that decides a result."""
        request, state = self._state.request, self._state
        planning = PlanRequest(
            run=state.run,
            data_set=request.data_set,
            mode=request.mode,
            model=request.model,
            tasks=request.tasks,
            first=request.first,
            options=request.options,
        )
        summary = "pin the data, and choose tasks"
        if request.mode in {Mode.COMPLETION, Mode.AGENT}:
            planned = await run_activity(
                PlanActivity.plan, planning, options.PLAN, queue=SANDBOX_QUEUE, summary=summary
            )
            model = await run_activity(
                PinModelActivity.pin_model,
                PinModelRequest(model=request.model),
                options.PIN_MODEL,
                queue=GPU_QUEUE,
                summary="pin the model",
                priority=self._priority,
            )
        else:
            planned = await run_activity(
                PlanSpeechActivity.plan_speech,
                planning,
                options.PLAN_SPEECH,
                queue=GPU_QUEUE,
                summary=summary,
                priority=self._priority,
            )
            model = None
        attempts = len(planned.tasks) * request.samples
        if attempts > MAX_ATTEMPTS:
            message = f"{attempts:,} attempts are more than the {MAX_ATTEMPTS:,} of one run."
            raise ApplicationError(message, type="too-many-attempts")
        if not attempts:
            raise ApplicationError("There is no task to try.", type="task-unknown")
        state.pin(planned, model, workflow.now())
        workflow.upsert_search_attributes([MODEL.value_set(state.there.model)])
        self._show()

    async def _try_all(self) -> None:
        """Keep so many attempts under way as are asked for, until all have ended; go on in a new run in between."""
        state = self._state
        try:
            while state.next < state.planned:
                if self._is_long:
                    await workflow.wait_condition(lambda: not state.running)
                    await self._go_on_in_a_new_run()
                await self._pause()
                await workflow.wait_condition(lambda: state.may_begin or (state.paused and not state.running))
                if state.may_begin and not self._is_long:
                    number, request = state.begin()
                    self._attempts[number] = asyncio.create_task(self._attempt(number, request))
                    self._show()
            await workflow.wait_condition(lambda: not state.running)
        except asyncio.CancelledError:
            under_way = list(self._attempts.values())
            for attempt in under_way:
                attempt.cancel()
            await asyncio.shield(asyncio.gather(*under_way, return_exceptions=True))
            raise

    async def _attempt(self, number: int, request: AttemptRequest) -> None:
        """Have a child try a task; whatever becomes of it is counted once."""
        try:
            attempt: Attempt = await workflow.execute_child_workflow(
                ATTEMPT,
                request,
                id=f"{workflow.info().workflow_id}/{request.task}/{request.sample}",
                task_queue=WORKFLOW_QUEUE,
                result_type=Attempt,
                search_attributes=found_by(request.pinned),
                static_summary=shortened(f"{request.task} #{request.sample}"),
                priority=self._priority,
            )
        except asyncio.CancelledError:
            self._state.drop(number)
            raise
        except (ChildWorkflowError, WorkflowAlreadyStartedError) as error:
            if _is_cancelled():
                self._state.drop(number)
                raise
            attempt = _lost(request, error)
        finally:
            self._attempts.pop(number, None)
        self._state.end_attempt(number, attempt)
        self._show()

    async def _pause(self) -> None:
        """Wait while the run is paused; what is under way comes to its end first."""
        state = self._state
        if state.paused and not state.running:
            self._show()
            state.stopwatch.pause(workflow.now())
            await workflow.wait_condition(lambda: not state.paused)
            state.stopwatch.resume(workflow.now())
            self._show()

    @property
    def _is_long(self) -> bool:
        info = workflow.info()
        return bool(self._state.ended) and (
            len(self._state.ended) + len(self._state.running) >= ATTEMPTS_A_RUN
            or info.get_current_history_length() > MAX_EVENTS
            or info.get_current_history_size() > MAX_HISTORY_BYTES
            or info.is_continue_as_new_suggested()
        )

    async def _go_on_in_a_new_run(self) -> None:
        """Store what has ended, and go on without it.

        No attempt is under way: what becomes of a child is told to that run alone which has started it.
        """
        results = await self._record(None)
        raise_if_cancelled()
        carried = self._state.carry(results, workflow.now())
        workflow.continue_as_new(self._state.request.model_copy(update={"carried": carried}))

    async def _record(self, worker_within: timedelta | None) -> tuple[BlobRef, ...]:
        """Store the attempts that have ended in this run; return where all of them are."""
        if not self._state.ended:
            return self._state.results
        ref = await run_activity(
            RecordActivity.record,
            RecordRequest(run=self._state.run, attempts=tuple(self._state.ended)),
            options.RECORD,
            queue=SANDBOX_QUEUE,
            summary=f"store {len(self._state.ended)} attempts",
            schedule_to_start=worker_within,
            although_cancelled=True,
            priority=self._priority,
        )
        return (*self._state.results, ref)

    async def _fail(self, code: str, reason: str) -> ApplicationError:
        """End as failed; return the failure that says why."""
        report = await self._end(RunOutcome.FAILED, code or "internal", reason[:REASON_CHARS])
        return ApplicationError(
            report.reason or report.code,
            report,
            type=report.code,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )

    async def _end(self, outcome: RunOutcome, code: str = "", reason: str = "") -> BenchmarkReport:
        """Report, and record the end where lists and clients see it without any worker."""
        reported, seconds = None, self._state.seconds(workflow.now())
        if self._state.pinned and self._state.done:
            try:
                reported = await self._report(outcome, seconds)
            except ActivityError as error:
                code = code or "report-failed"
                reason = f"{reason} The report could not be made: {code_and_sentence(error)[1]}".strip()[:REASON_CHARS]
        report = self._state.end(outcome, code, reason, reported, seconds)
        workflow.upsert_memo({BENCHMARK_MEMO: report})
        workflow.upsert_search_attributes([OUTCOME.value_set(outcome.value)])
        self._show()
        return report

    async def _report(self, outcome: RunOutcome, seconds: float) -> Reported:
        worker_within = None if outcome is RunOutcome.FINISHED else LAST_WORKER
        results = await self._record(worker_within)
        request = ReportRequest(pinned=self._state.there, results=results, seconds=seconds, outcome=outcome.value)
        return await run_activity(
            ReportActivity.report,
            request,
            options.REPORT,
            queue=SANDBOX_QUEUE,
            summary="score, tables and plots",
            schedule_to_start=worker_within,
            although_cancelled=True,
            priority=self._priority,
        )

    @property
    def _priority(self) -> Priority:
        return priority_of(self._state.run)

    def _show(self) -> None:
        workflow.set_current_details(web_ui.of_run(self._state, workflow.now()))

    @workflow.signal
    def pause(self) -> None:
        """Begin no more attempts, until ``resume``; those under way come to their end."""
        self._state.paused = True

    @workflow.signal
    def resume(self) -> None:
        """Go on."""
        self._state.paused = False

    @workflow.signal
    def set_parallel(self, parallel: int) -> None:
        """Have so many attempts under way at once, from 1 to 32."""
        self._state.set_parallel(parallel)
        self._show()

    @workflow.query
    def status(self) -> BenchmarkStatus:
        """Return how far the run is, what it does, and what has come of it."""
        return self._state.status(workflow.now())


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return bool(task and task.cancelling())


def _lost(request: AttemptRequest, error: ChildWorkflowError | WorkflowAlreadyStartedError) -> Attempt:
    """Return what stands for an attempt that somebody has ended by hand."""
    speech = request.pinned.mode not in {Mode.COMPLETION, Mode.AGENT}
    cause = error.cause if isinstance(error, ChildWorkflowError) else error
    return Attempt(
        task=request.task,
        sample=request.sample,
        outcome=AttemptOutcome.UNMEASURED if speech else AttemptOutcome.SANDBOX_ERROR,
        why=f"The attempt was ended, or could not begin: {cause}."[:REASON_CHARS],
    )
