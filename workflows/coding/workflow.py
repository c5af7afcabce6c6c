"""A coding task: prepare a workspace, think and act in turns, verify, and say what has changed."""

import asyncio
from datetime import timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.coding.act import ActRequest, SandboxActivities, VerifyRequest
    from activities.coding.compare import CompareActivity, CompareRequest
    from activities.coding.prepare import PrepareActivity, PrepareRequest
    from activities.coding.think import RemarkRequest, ThinkActivity, ThinkRequest, Thought
    from activities.error_codes import CodingCode
    from agent.limits import Stop, why_stop
    from workflows.activity_options import raise_if_cancelled, run_activity
    from workflows.coding import options, web_ui
    from workflows.coding.contracts import (
        MAX_REMARK_CHARS,
        MAX_REMARKS,
        CodingOutcome,
        CodingReport,
        CodingRequest,
        CodingStage,
        CodingStatus,
    )
    from workflows.coding.errors import code_of, sentence_of
    from workflows.coding.state import CodingState
    from workflows.coding.telling import tell_chat
    from workflows.names import (
        BACKGROUND,
        CODING_MEMO,
        CODING_TASK,
        CODING_TOLD_MEMO,
        GPU_QUEUE,
        OUTCOME,
        SANDBOX_QUEUE,
    )

MAX_INTERRUPTED = 5
"""Steps in a row that ended with their worker; then it is the step that ends workers."""
MAX_EVENTS = 4000
MAX_HISTORY_BYTES = 1_500_000
"""Then a run goes on in a new one: well before Temporal's limits, so that the Web UI stays quick."""
LAST_WORKER = timedelta(minutes=1)
"""How long a task that ends early waits for a worker to compare its workspaces."""
LEAST = timedelta(seconds=30)
"""A model call that begins just before the time is over gets so much."""


@workflow.defn(name=CODING_TASK, failure_exception_types=[ValidationError])
class CodingTask:
    """Works on a task by an agent in a sandbox. Started by ``june code``, ``/code``, or by hand."""

    @workflow.init
    def __init__(self, request: CodingRequest) -> None:
        """Take up the state of the run before, if there was one; queries may arrive before ``run`` has begun."""
        self._request = request
        self._state = CodingState(request, workflow.info().workflow_id, workflow.now())
        self._forgotten = False

    @workflow.run
    async def run(self, _request: CodingRequest) -> CodingReport:
        """Work until the agent is done, or a limit is reached; whatever happens, what was done is kept.

        Raises:
            ApplicationError: with a CodingCode as its type: something that the task needs was not there.

        """
        workflow.upsert_search_attributes([OUTCOME.value_set(CodingOutcome.RUNNING.value)])
        self._show(CodingStage.PREPARE)
        try:
            await self._prepare()
            stop = await self._work()
            await self._conclude(stop)
        except (ActivityError, asyncio.CancelledError) as error:
            if not isinstance(error, ActivityError) or is_cancelled_exception(error):
                if not self._forgotten:
                    await asyncio.shield(self._keep_what_was_done())
                await self._tell(self._end(CodingOutcome.CANCELLED, CodingCode.CANCELLED))
                raise
            await self._keep_what_was_done()
            report = await self._tell(self._end(CodingOutcome.FAILED, code_of(error), sentence_of(error)))
            raise _failure(report) from error
        return await self._tell(self._end(*self._state.conclusion(stop)))

    async def _work(self) -> Stop | None:
        """Think and act in turns; return why it stops, None where the agent is done."""
        while not (stop := why_stop(self._state.progress, self._request.limits)):
            await self._pause()
            self._go_on_in_a_new_run()
            try:
                thought = await self._think()
            except ActivityError as error:
                if code_of(error) is CodingCode.LIMIT_SECONDS:
                    return Stop.SECONDS
                raise
            if thought.tool and await self._act(thought):
                return None
        return stop

    async def _prepare(self) -> None:
        if self._state.prepared:
            return
        request = PrepareRequest(
            owner=self._state.owner,
            task=self._request.task,
            test_command=self._request.test_command,
            folder=self._request.folder,
            workspace=self._request.workspace,
        )
        summary = "prepare the workspace"
        prepared = await run_activity(
            PrepareActivity.prepare, request, options.PREPARE, queue=SANDBOX_QUEUE, summary=summary
        )
        self._state.begin(prepared)

    async def _think(self) -> Thought:
        """Ask the model for the next action."""
        step = self._state.step + 1
        self._show(CodingStage.THINK)
        request = ThinkRequest(
            owner=self._state.owner,
            step=step,
            transcript=self._state.transcript,
            remarks=self._state.take_remarks(),
            interrupted=self._state.is_interrupted,
            model=self._request.model,
            temperature=self._request.temperature,
            seed=self._request.seed + step,
            repeated=self._state.progress.same_actions,
        )
        left = timedelta(seconds=self._request.limits.seconds - self._state.stopwatch.seconds(workflow.now()))
        thought = await run_activity(
            ThinkActivity.think,
            request,
            options.THINK,
            queue=GPU_QUEUE,
            summary=f"step {step}: think",
            deadline=workflow.now() + max(LEAST, left),
            priority=Priority(priority_key=BACKGROUND, fairness_key=self._state.owner.chat[:64]),
        )
        self._state.thought(thought, workflow.now())
        return thought

    async def _act(self, thought: Thought) -> bool:
        """Carry out an action, and return whether the task is done.

        A step that was interrupted is told to the agent: nothing of it is left.
        """
        step = self._state.step
        self._show(CodingStage.ACT)
        request = ActRequest(
            owner=self._state.owner,
            step=step,
            transcript=self._state.transcript,
            workspace=self._state.workspace,
            superseded=self._state.superseded,
        )
        try:
            acted = await run_activity(
                SandboxActivities.act, request, options.ACT, queue=SANDBOX_QUEUE, summary=f"step {step}: {thought.line}"
            )
        except ActivityError as error:
            if is_cancelled_exception(error) or not self._state.may_go_on(error, MAX_INTERRUPTED):
                raise
            self._state.interrupted()
            return False
        self._state.acted(acted, thought)
        return acted.done

    async def _conclude(self, stop: Stop | None) -> None:
        """Run the tests, which a ``finish`` has just done, and compare the workspace with what it was."""
        if stop:
            self._show(CodingStage.VERIFY)
            verified = await run_activity(
                SandboxActivities.verify,
                VerifyRequest(transcript=self._state.transcript, workspace=self._state.workspace),
                options.VERIFY,
                queue=SANDBOX_QUEUE,
                summary="run the tests in a fresh sandbox",
            )
            self._state.tests_passed, self._state.tests = verified.passed, verified.line
        await self._compare()

    async def _compare(self, worker_within: timedelta | None = None) -> None:
        request = CompareRequest(owner=self._state.owner, before=self._state.baseline, after=self._state.workspace)
        summary = "compare the workspace with what it was"
        self._state.comparison = await run_activity(
            CompareActivity.compare,
            request,
            options.COMPARE,
            queue=SANDBOX_QUEUE,
            summary=summary,
            schedule_to_start=worker_within,
            although_cancelled=True,
        )

    async def _keep_what_was_done(self) -> None:
        """Compare the workspaces of a task that ends early; where that fails as well, they are kept all the same."""
        if self._state.prepared:
            try:
                await self._compare(LAST_WORKER)
            except ActivityError as error:
                workflow.logger.warning("what was done could not be compared: %s", error.cause)

    async def _pause(self) -> None:
        if self._state.paused:
            self._show(CodingStage.PAUSED)
            self._state.stopwatch.pause(workflow.now())
            await workflow.wait_condition(lambda: not self._state.paused)
            self._state.stopwatch.resume(workflow.now())
        raise_if_cancelled()

    def _go_on_in_a_new_run(self) -> None:
        info = workflow.info()
        if (
            info.get_current_history_length() > MAX_EVENTS
            or info.get_current_history_size() > MAX_HISTORY_BYTES
            or info.is_continue_as_new_suggested()
        ):
            carried = self._state.carry(workflow.now())
            workflow.continue_as_new(self._request.model_copy(update={"carried": carried}))

    def _show(self, stage: CodingStage) -> None:
        self._state.stage = stage
        workflow.set_current_details(web_ui.of_task(self._state, workflow.now()))

    def _end(self, outcome: CodingOutcome, code: CodingCode | None = None, reason: str = "") -> CodingReport:
        """Record the end where lists and clients see it without any worker."""
        report = self._state.end(outcome, code, reason, workflow.now())
        workflow.upsert_memo({CODING_MEMO: report})
        workflow.upsert_search_attributes([OUTCOME.value_set(outcome.value)])
        self._show(CodingStage.DONE)
        return report

    async def _tell(self, report: CodingReport) -> CodingReport:
        """Tell the chat that asked, if one has, of the end; return the report as it is."""
        to = self._request.report_to
        if to and not self._forgotten:
            told = await tell_chat(self._request, to, self._state.owner, report)
            if told:
                workflow.upsert_memo({CODING_TOLD_MEMO: told})
        return report

    @workflow.signal
    def forget(self) -> None:
        """The chat that asked is forgotten: when the task is cancelled, nothing is compared, and nobody is told."""
        self._forgotten = True

    @workflow.signal
    def say(self, text: str) -> None:
        """Tell the agent something; it reads that with its next step. At most 2,000 characters, and 20 that wait."""
        if text.strip() and len(self._state.remarks) < MAX_REMARKS:
            self._state.remarks.append(RemarkRequest(text=text.strip()[:MAX_REMARK_CHARS]))

    @workflow.signal
    def pause(self) -> None:
        """Stop after the step under way, until ``resume``."""
        self._state.paused = True

    @workflow.signal
    def resume(self) -> None:
        """Go on."""
        self._state.paused = False

    @workflow.query
    def status(self, after: int = -1) -> CodingStatus:
        """Return what the task is doing, and its steps after this one."""
        return self._state.status(after, workflow.now())


def _failure(report: CodingReport) -> ApplicationError:
    return ApplicationError(
        report.reason or report.code,
        report,
        type=report.code,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
