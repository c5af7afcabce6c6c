"""An attempt: one task, tried once by the model or the agent, and scored."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ActivityError, ChildWorkflowError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.benchmarks.artefacts import owner_of
    from activities.benchmarks.attempts import FAULTS, Attempt, AttemptOutcome, Mode, Pinned, attempt_seed
    from activities.benchmarks.complete import CompleteActivity, Completed, CompleteRequest
    from activities.benchmarks.judge import ScoreActivity, Scored, ScoreRequest
    from activities.benchmarks.set_up import SetUp, SetUpActivity, SetUpRequest
    from activities.speech.measure import MeasureActivity
    from activities.speech.requests import MeasureRequest
    from activities.speech.say import SayActivity
    from activities.speech.turns import TurnsActivity
    from workflows.activity_options import run_activity
    from workflows.benchmarks import options
    from workflows.benchmarks.contracts import AttemptRequest
    from workflows.benchmarks.outcomes import Fault, fault_of, of_agent, of_answer
    from workflows.coding.contracts import CodingReport, CodingRequest
    from workflows.names import (
        ATTEMPT,
        BACKGROUND,
        CODING_TASK,
        CPU_QUEUE,
        DATA_SET,
        GPU_QUEUE,
        MODEL,
        OUTCOME,
        SANDBOX_QUEUE,
        WORKFLOW_QUEUE,
    )

TRIES = 3
"""At most, where the machinery fails: a submission may be what ends a sandbox or a worker."""
PAUSE = timedelta(seconds=15)
"""After the first fault; twice so long after the second."""
Result = TypeVar("Result")


@workflow.defn(name=ATTEMPT, failure_exception_types=[ValidationError])
class AttemptWorkflow:
    """Tries a task once. Started by a benchmark, one for each task and sample."""

    @workflow.init
    def __init__(self, request: AttemptRequest) -> None:
        """Begin with nothing done."""
        self._request = request
        self._faults: list[AttemptOutcome] = []
        self._completed: Completed | None = None
        self._report: CodingReport | None = None
        self._model_seconds = self._sandbox_seconds = 0.0
        self._tokens = [0, 0]

    @workflow.run
    async def run(self, request: AttemptRequest) -> Attempt:
        """Try, and try again where the machinery fails; whatever comes of it is an outcome, never a failure."""
        began = workflow.now()
        if request.pinned.mode in {Mode.COMPLETION, Mode.AGENT}:
            attempt = await self._try()
        else:
            attempt = await self._measure()
        seconds = (workflow.now() - began).total_seconds()
        waiting = max(0.0, round(seconds - attempt.model_seconds - attempt.sandbox_seconds, 2))
        attempt = attempt.model_copy(update={"waiting_seconds": waiting})
        workflow.upsert_search_attributes([OUTCOME.value_set(attempt.outcome.value)])
        workflow.set_current_details(f"**{attempt.outcome.value}** {attempt.why}")
        return attempt

    async def _try(self) -> Attempt:
        """Try as often as the machinery fails; what is done is not done again."""
        by_agent = self._request.pinned.mode is Mode.AGENT
        for number in range(1, TRIES + 1):
            try:
                return await (self._work(number) if by_agent else self._answer())
            except Fault as fault:
                if fault.final or number == TRIES:
                    return self._attempt(fault.outcome, fault.why, None)
                self._faults.append(fault.outcome)
                await workflow.sleep(number * PAUSE, summary="after a fault")
        raise AssertionError

    async def _answer(self) -> Attempt:
        """Have the model answer, and score that."""
        request = self._request
        if self._completed is None:
            asked = CompleteRequest(pinned=request.pinned, task=request.task, sample=request.sample)
            self._completed = await _or_fault(
                run_activity(
                    CompleteActivity.complete,
                    asked,
                    options.COMPLETE,
                    queue=GPU_QUEUE,
                    summary="ask the model",
                    priority=self._priority,
                )
            )
            self._tokens = [self._completed.prompt_tokens, self._completed.completion_tokens]
            self._model_seconds = self._completed.seconds
        completed = self._completed
        scored = await self._score(
            ScoreRequest(pinned=request.pinned, task=request.task, sample=request.sample, answer=completed.answer)
        )
        return self._attempt(*of_answer(completed, scored), scored)

    async def _work(self, number: int) -> Attempt:
        """Have the agent work on the task, and score the workspace that it leaves."""
        request = self._request
        if self._report is None:
            self._report = await self._agent(number)
        report = self._report
        if report.workspace is None:
            return self._attempt(AttemptOutcome.NO_SUBMISSION, "The agent has left nothing.", None)
        scored = await self._score(
            ScoreRequest(pinned=request.pinned, task=request.task, sample=request.sample, workspace=report.workspace)
        )
        return self._attempt(*of_agent(report, scored), scored)

    async def _agent(self, number: int) -> CodingReport:
        """Return how the agent's task ended.

        Raises:
            Fault: the model or the sandbox has failed.

        """
        request, pinned = self._request, self._request.pinned
        set_up: SetUp = await _or_fault(
            run_activity(
                SetUpActivity.set_up,
                SetUpRequest(pinned=pinned, task=request.task, sample=request.sample),
                options.SET_UP,
                queue=SANDBOX_QUEUE,
                summary="store the task's files",
                priority=self._priority,
            )
        )
        task = CodingRequest(
            task=set_up.text,
            workspace=set_up.workspace,
            model=pinned.model,
            temperature=pinned.temperature,
            seed=attempt_seed(pinned.seed, request.task, request.sample),
            limits=request.limits,
            owner=owner_of(pinned.run, request.task, request.sample),
        )
        try:
            report: CodingReport = await workflow.execute_child_workflow(
                CODING_TASK,
                task,
                id=f"{workflow.info().workflow_id}/agent{f'-{number}' if number > 1 else ''}",
                task_queue=WORKFLOW_QUEUE,
                result_type=CodingReport,
                search_attributes=found_by(pinned),
                static_summary="the agent's work",
                priority=self._priority,
            )
        except ChildWorkflowError as error:
            if is_cancelled_exception(error):
                raise
            self._count(_report_in(error))
            raise fault_of(error) from error
        self._count(report)
        return report

    def _count(self, report: CodingReport | None) -> None:
        """Add what the agent has used, in this try."""
        if report:
            self._tokens[0] += report.prompt_tokens
            self._tokens[1] += report.completion_tokens
            self._model_seconds += report.model_seconds
            self._sandbox_seconds += report.sandbox_seconds

    async def _score(self, request: ScoreRequest) -> Scored:
        scored: Scored = await _or_fault(
            run_activity(
                ScoreActivity.score,
                request,
                options.SCORE,
                queue=SANDBOX_QUEUE,
                summary="score in a fresh sandbox",
                priority=self._priority,
            )
        )
        self._sandbox_seconds += scored.seconds
        if scored.outcome in FAULTS:
            raise Fault(scored.outcome, scored.why or "The sandbox has failed.", final=scored.reference_failed)
        return scored

    async def _measure(self) -> Attempt:
        """Measure speech, or turns; what is to be heard is said first, by the worker that has the voices."""
        request, mode = self._request, self._request.pinned.mode
        asked = MeasureRequest(pinned=request.pinned, task=request.task, sample=request.sample)
        try:
            if mode is Mode.TURNS:
                return await run_activity(
                    TurnsActivity.measure_turns,
                    asked,
                    options.TURNS,
                    queue=WORKFLOW_QUEUE,
                    summary="let chats speak",
                    priority=self._priority,
                )
            if mode is Mode.TTS:
                said = await run_activity(
                    SayActivity.say,
                    asked,
                    options.SAY,
                    queue=CPU_QUEUE,
                    summary="say the text",
                    priority=self._priority,
                )
                asked = asked.model_copy(update={"said": said})
            return await run_activity(
                MeasureActivity.measure,
                asked,
                options.MEASURE,
                queue=GPU_QUEUE,
                summary="hear and compare",
                priority=self._priority,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return self._attempt(AttemptOutcome.UNMEASURED, fault_of(error).why, None)

    @property
    def _priority(self) -> Priority:
        return priority_of(self._request.pinned.run)

    def _attempt(self, outcome: AttemptOutcome, why: str, scored: Scored | None) -> Attempt:
        report, completed = self._report, self._completed
        comparison = report.comparison if report else None
        return Attempt(
            task=self._request.task,
            sample=self._request.sample,
            outcome=outcome,
            why=why,
            passed=scored.passed if scored else 0,
            total=scored.total if scored else 0,
            steps=report.steps if report else 0,
            prompt_tokens=self._tokens[0],
            completion_tokens=self._tokens[1],
            model_seconds=round(self._model_seconds, 2),
            sandbox_seconds=round(self._sandbox_seconds, 2),
            faults=tuple(fault.value for fault in self._faults),
            answer=completed.answer if completed else None,
            patch=comparison.patch if comparison else scored.patch if scored else None,
            transcript=report.transcript if report else None,
            checks=scored.checks if scored else None,
        )


def priority_of(run: str) -> Priority:
    """Return the priority of all that a run does: voice goes first, and runs share workers fairly."""
    return Priority(priority_key=BACKGROUND, fairness_key=f"bench/{run}"[:64])


def found_by(pinned: Pinned) -> TypedSearchAttributes:
    """Return by what all that a run starts is found."""
    return TypedSearchAttributes(
        [SearchAttributePair(DATA_SET, pinned.data_set), SearchAttributePair(MODEL, pinned.model)]
    )


async def _or_fault(running: Awaitable[Result]) -> Result:
    """Wait for an activity.

    Raises:
        Fault: it has failed for good.

    """
    try:
        return await running
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        raise fault_of(error) from error


def _report_in(error: ChildWorkflowError) -> CodingReport | None:
    """Return the report of a coding task that has failed, if it made one."""
    details = getattr(error.cause, "details", ())
    try:
        return CodingReport.model_validate(details[0]) if details else None
    except ValidationError:
        return None
