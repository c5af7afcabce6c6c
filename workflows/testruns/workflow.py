"""A run of the integration tests: collect them, run them module by module, alert chats when it fails."""

import asyncio
from datetime import timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    TimeoutType,
    is_cancelled_exception,
)
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

with workflow.unsafe.imports_passed_through():
    from activities.reply import ReplyActivity, ReplyRequest
    from activities.testruns.collect import CollectActivity, CollectRequest
    from activities.testruns.module_attempt import RunModuleRequest
    from activities.testruns.results import BAD, ModuleProgress, Outcome
    from activities.testruns.run_module import RunModuleActivity
    from activities.values import Notice
    from workflows.activity_options import WAIT, raise_if_cancelled, retries
    from workflows.names import OUTCOME, SCHEDULED_BY, TEST_RUN, TEST_RUN_MEMO, TESTS_QUEUE, platform_queue
    from workflows.one_line import shortened
    from workflows.testruns import web_ui
    from workflows.testruns.contracts import (
        LogsPage,
        PageRequest,
        ResultsPage,
        RunOutcome,
        RunReport,
        RunRequest,
        RunStatus,
    )
    from workflows.testruns.state import ModuleState, RunState

EVERYTHING = RunRequest()
FIRST_PAGE = PageRequest()
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""Without a heartbeat for so long, a worker counts as dead; longer than a server needs to restart."""
WORKER_TIMEOUT = timedelta(hours=6)
"""How long an activity waits for a worker of its queue."""
ALERT_TIMEOUT = timedelta(minutes=15)
"""A schedule's next run is skipped while this one tries to deliver its alerts."""
ATTEMPTS = 5
"""After so many attempts that ended with their workers, a module has failed, and the run goes on."""
DEADLINE = timedelta(hours=24)
"""Of a run."""
COLLECT_TIMEOUT = timedelta(minutes=30)
DISCORD_EPOCH_MS = 1_420_070_400_000
"""Discord sorts messages by ids that begin with the time since then, and tells sends apart by them."""
FINISHED = "june_test_run_finished"
SECONDS = "june_test_run_seconds"
SPARE = timedelta(minutes=2)
"""Beside the tests' own time: starting, killing, storing the log."""


@workflow.defn(name=TEST_RUN, failure_exception_types=[ValidationError])
class IntegrationRun:
    """Runs the integration tests. Started by ``june tests run``, by a schedule, or by hand."""

    @workflow.init
    def __init__(self, request: RunRequest = EVERYTHING) -> None:
        """Build the state; queries may arrive before ``run`` has begun."""
        self._request = request
        self._state = RunState()
        self._deadline = workflow.now() + DEADLINE
        self._updated_at = workflow.now()

    @workflow.run
    async def run(self, _request: RunRequest = EVERYTHING) -> RunReport:
        """Run the tests; a run that did not pass ends as failed, so that lists, schedules and scripts see it."""
        self._show(RunOutcome.RUNNING)
        try:
            await self._collect()
            raise_if_cancelled()
            free = asyncio.Semaphore(self._request.parallel)
            running = [self._run_module(module, free) for module in self._state.modules]
            for ended in await asyncio.gather(*running, return_exceptions=True):
                if isinstance(ended, BaseException):
                    raise ended
            raise_if_cancelled()
        except (ActivityError, asyncio.CancelledError) as error:
            if not isinstance(error, ActivityError) or is_cancelled_exception(error):
                self._end(RunOutcome.CANCELLED)
                raise
            self._state.error = reason_of(error)
        passed = RunOutcome.PASSED if self._state.passed else RunOutcome.FAILED
        report = self._end(RunOutcome.ERROR if self._state.error else passed)
        if report.outcome is RunOutcome.PASSED:
            return report
        await self._alert(report)
        raise ApplicationError(
            web_ui.in_a_line(report),
            report,
            type=f"tests-{report.outcome.value}",
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )

    @workflow.signal
    def progress(self, progress: ModuleProgress) -> None:
        """Record progress of a module under way."""
        self._state.progress(progress)
        self._describe()

    @workflow.query
    def status(self) -> RunStatus:
        """Return the status: counts, what runs now, how long it has taken."""
        return self._state.status(workflow.info().start_time.isoformat(), self._seconds)

    @workflow.query
    def results(self, page: PageRequest = FIRST_PAGE) -> ResultsPage:
        """Return tests with outcome, seconds and message, a page at a time."""
        return self._state.results(page)

    @workflow.query
    def logs(self, page: PageRequest = FIRST_PAGE) -> LogsPage:
        """Return the end of what each module printed, and where the rest is stored, a page at a time."""
        return self._state.logs(page)

    async def _collect(self) -> None:
        request = CollectRequest(selection=self._request.selection, seconds=self._request.seconds_a_test)
        collected = await workflow.execute_activity_method(
            CollectActivity.collect,
            request,
            task_queue=TESTS_QUEUE,
            start_to_close_timeout=COLLECT_TIMEOUT,
            schedule_to_close_timeout=WORKER_TIMEOUT,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=retries(ATTEMPTS, timedelta(seconds=10)),
            cancellation_type=WAIT,
            summary="which tests there are",
        )
        self._state.collected(collected)
        self._describe()

    async def _run_module(self, module: ModuleState, free: asyncio.Semaphore) -> None:
        """Run a module in its turn; if it fails, in whatever way, the other modules are run all the same."""
        request = self._request
        limit = timedelta(seconds=request.seconds_a_module) + SPARE
        async with free:
            self._state.begin(module.path)
            self._describe()
            remaining = max(timedelta(milliseconds=1), self._deadline - workflow.now())
            try:
                report = await workflow.execute_activity_method(
                    RunModuleActivity.run_module,
                    RunModuleRequest(
                        module=module.path,
                        selection=request.selection,
                        seconds_a_test=request.seconds_a_test,
                        seconds=request.seconds_a_module,
                    ),
                    task_queue=TESTS_QUEUE,
                    start_to_close_timeout=limit,
                    schedule_to_close_timeout=min(limit + WORKER_TIMEOUT, remaining),
                    heartbeat_timeout=HEARTBEAT_TIMEOUT,
                    retry_policy=retries(ATTEMPTS, timedelta(seconds=10)),
                    cancellation_type=WAIT,
                    summary=shortened(f"{module.path}: {module.tests} tests"),
                )
                self._state.end(report)
            except ActivityError as error:
                cancelled = is_cancelled_exception(error)
                outcome = Outcome.CANCELLED if cancelled else Outcome.ERROR
                self._state.lose(module.path, outcome, "the run was cancelled" if cancelled else reason_of(error))
            self._describe()

    def _end(self, outcome: RunOutcome) -> RunReport:
        """Record the outcome in memo, search attribute and metrics, where it is found without any worker."""
        self._show(outcome)
        report = self._state.report(self._seconds)
        small = report.model_copy(update={"worst": (), "notes": (), "error": shortened(report.error, 400)})
        workflow.upsert_memo({TEST_RUN_MEMO: small.model_dump(mode="json")})
        scheduled = workflow.info().typed_search_attributes.get(SCHEDULED_BY) or ""
        labels = {"outcome": outcome.value, "schedule": scheduled}
        meter = workflow.metric_meter()
        meter.create_counter(FINISHED, "Runs of the integration tests that ended, by outcome").add(1, labels)
        meter.create_histogram_float(SECONDS, "Seconds of a run of the integration tests").record(
            report.seconds, labels
        )
        return report

    async def _alert(self, report: RunReport) -> None:
        """Alert the chats of the request, each once; note what became of each alert."""
        for address in self._request.alerts:
            # There is no message to reply to, so its id is made up: a new one, so that no alert is taken for another's.
            now = round(workflow.time() * 1000)
            ids = {"telegram": "0", "discord": str((now - DISCORD_EPOCH_MS) << 22)}
            to = address.model_copy(update={"message": ids.get(address.platform, str(now))})
            name = f"alert to {address.platform}:{address.chat}"
            try:
                delivered = await workflow.execute_activity_method(
                    ReplyActivity.reply,
                    ReplyRequest(to=to, notice=notice_of(report, workflow.info().workflow_id)),
                    task_queue=platform_queue(address.platform),
                    start_to_close_timeout=timedelta(minutes=2),
                    schedule_to_close_timeout=ALERT_TIMEOUT,
                    heartbeat_timeout=HEARTBEAT_TIMEOUT,
                    retry_policy=retries(20, timedelta(minutes=1)),
                    cancellation_type=WAIT,
                    summary=name,
                )
                self._state.note(f"{name}: {delivered.text}")
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                self._state.note(f"{name}: not delivered, {reason_of(error)}")
        self._describe()

    def _show(self, outcome: RunOutcome) -> None:
        self._state.outcome = outcome
        workflow.upsert_search_attributes([OUTCOME.value_set(outcome.value)])
        self._describe()

    def _describe(self) -> None:
        self._updated_at = workflow.now()
        workflow.set_current_details(web_ui.of_run(self._state, self._seconds))

    @property
    def _seconds(self) -> float:
        return round((self._updated_at - workflow.info().start_time).total_seconds(), 1)


def reason_of(error: ActivityError) -> str:
    """Return why an activity failed, in a sentence for operators."""
    cause = error.cause
    if isinstance(cause, TemporalTimeoutError):
        if cause.type in {TimeoutType.SCHEDULE_TO_START, TimeoutType.SCHEDULE_TO_CLOSE}:
            return f"no worker of queue {TESTS_QUEUE} came to an end with it: june tests health"
        return "its worker died, or came to no end, again and again"
    return shortened(str(cause.message if isinstance(cause, ApplicationError) else cause), 1500)


def notice_of(report: RunReport, run: str) -> Notice:
    """Return the sentence of the alert."""
    if report.error:
        return Notice(key="tests-not-run", params={"run": run, "reason": shortened(report.error, 300)})
    bad = sum(number for outcome, number in report.counts.items() if outcome in BAD)
    names = ", ".join(shortened(result.node) for result in report.worst[:3])
    return Notice(key="tests-failed", params={"run": run, "failed": bad, "total": report.tests, "names": names})
