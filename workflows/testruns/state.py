"""State of a run of the integration tests, and its answers to queries. Pure: no clock, no commands."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.testruns.collect import Collected
    from activities.testruns.results import (
        BAD,
        Artefact,
        ModuleProgress,
        ModuleReport,
        Outcome,
        TestResult,
        make_result,
    )
    from activities.values import BlobRef
    from workflows.testruns.contracts import (
        MODULES_A_PAGE,
        Current,
        LogsPage,
        ModuleLog,
        PageRequest,
        ResultsPage,
        RunOutcome,
        RunReport,
        RunStatus,
    )

WORST = 20
"""Tests that a report names."""
MAX_NOTES = 50


@dataclass
class ModuleState:
    """A module: waiting, under way or ended."""

    path: str
    tests: int
    attempt: int = 0
    """0 while it waits."""
    ended: bool = False
    results: list[TestResult] = field(default_factory=list)
    counts: Counter[Outcome] = field(default_factory=Counter)
    current: str = ""
    seconds: float = 0
    log: BlobRef | None = None
    log_end: str = ""
    artefacts: tuple[Artefact, ...] = ()

    @property
    def bad(self) -> int:
        """Tests that did not pass."""
        return sum(number for outcome, number in self.counts.items() if outcome in BAD)


class RunState:
    """All modules of a run, with their results."""

    def __init__(self) -> None:
        self.outcome = RunOutcome.RUNNING
        self.error = ""
        self.notes: list[str] = []
        self._modules: dict[str, ModuleState] = {}

    @property
    def modules(self) -> Sequence[ModuleState]:
        """The modules in the order in which they are run."""
        return list(self._modules.values())

    def collected(self, collected: Collected) -> None:
        """Set the modules to run."""
        self._modules = {found.path: ModuleState(found.path, found.tests) for found in collected.modules}

    def begin(self, path: str) -> None:
        """Record that a module runs, or waits for a worker."""
        self._modules[path].attempt = 1

    def progress(self, progress: ModuleProgress) -> None:
        """Record progress of a module, unless it is late or of an attempt that was given up."""
        module = self._modules.get(progress.module)
        if module is None or module.ended or progress.attempt < module.attempt:
            return
        if progress.attempt > module.attempt:
            module.results, module.counts = [], Counter()
        module.attempt = progress.attempt
        module.tests = max(module.tests, progress.found)
        module.results += progress.cases
        module.counts.update(result.outcome for result in progress.cases)
        module.current, module.log_end = progress.current, progress.log_end

    def end(self, report: ModuleReport) -> None:
        """Record a module's report, which replaces all progress."""
        module = self._modules[report.module]
        module.ended, module.attempt, module.current = True, report.attempts, ""
        module.results, module.counts = list(report.cases), Counter(report.counts)
        module.tests = max(module.tests, module.counts.total())
        module.seconds, module.log, module.log_end = report.seconds, report.log, report.log_end
        module.artefacts = report.artefacts
        self.note(*(f"{report.module}: {note}" for note in report.notes))

    def lose(self, path: str, outcome: Outcome, reason: str) -> None:
        """End a module that gave no report: its activity failed, or was cancelled before it began."""
        module = self._modules[path]
        module.ended, module.current = True, ""
        module.results.append(make_result(path, outcome, message=reason))
        module.counts[outcome] += 1

    def note(self, *notes: str) -> None:
        """Record what else happened."""
        self.notes = [*self.notes, *notes][:MAX_NOTES]

    @property
    def counts(self) -> dict[Outcome, int]:
        """Number of tests by outcome."""
        total: Counter[Outcome] = Counter()
        for module in self._modules.values():
            total.update(module.counts)
        return {outcome: total[outcome] for outcome in Outcome if total[outcome]}

    @property
    def tests(self) -> int:
        """Number of tests."""
        return sum(module.tests for module in self._modules.values())

    @property
    def passed(self) -> bool:
        """Whether every test passed, was skipped, or failed as expected."""
        return not any(module.bad for module in self._modules.values())

    # Answers to queries

    def status(self, started_at: str, elapsed_seconds: float) -> RunStatus:
        """Return the status."""
        return RunStatus(
            outcome=self.outcome,
            started_at=started_at,
            elapsed_seconds=elapsed_seconds,
            modules=len(self._modules),
            modules_ended=sum(module.ended for module in self._modules.values()),
            tests=self.tests,
            tests_ended=sum(self.counts.values()),
            counts=self.counts,
            current=tuple(
                Current(module=module.path, test=module.current, attempt=module.attempt)
                for module in self._modules.values()
                if module.attempt and not module.ended
            ),
            notes=tuple(self.notes),
            error=self.error,
        )

    def results(self, page: PageRequest) -> ResultsPage:
        """Return a page of results."""
        wanted = [result for result in self._results(page.module) if result.outcome in BAD or not page.bad_only]
        end = page.start + page.size
        return ResultsPage(
            outcome=self.outcome,
            results=tuple(wanted[page.start : end]),
            next=end if end < len(wanted) else None,
        )

    def logs(self, page: PageRequest) -> LogsPage:
        """Return a page of the ends of logs, and where the rest is stored."""
        wanted = [module for module in self._chosen(page.module) if module.attempt]
        end = page.start + min(page.size, MODULES_A_PAGE)
        logs = tuple(
            ModuleLog(module=module.path, end=module.log_end, log=module.log, artefacts=module.artefacts)
            for module in wanted[page.start : end]
        )
        return LogsPage(logs=logs, next=end if end < len(wanted) else None)

    def report(self, seconds: float) -> RunReport:
        """Return the report."""
        worst = [result for result in self._results("") if result.outcome in BAD]
        return RunReport(
            outcome=self.outcome,
            tests=self.tests,
            counts=self.counts,
            modules=len(self._modules),
            seconds=seconds,
            worst=tuple(worst[:WORST]),
            notes=tuple(self.notes),
            error=self.error,
        )

    def _results(self, path: str) -> Iterator[TestResult]:
        for module in self._chosen(path):
            yield from module.results

    def _chosen(self, path: str) -> list[ModuleState]:
        return [module for module in self._modules.values() if path in ("", module.path)]
