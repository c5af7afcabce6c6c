"""One attempt at a module's tests: processes of pytest, one after the other, until every test has an outcome."""

import time
from pathlib import Path

from activities.processes.bounded_log import BoundedLog
from activities.processes.workspace import Workspace
from activities.testruns.pytest_process import Event, PytestProcess
from activities.testruns.results import ModuleReport, Outcome, TestResult, count, listed, make_result
from activities.testruns.selection import Selection
from activities.values import Value

START_SECONDS = 120.0
"""Least patience while no test is under way: programs and imports may be slow where tests must be quick."""
CLOSING_SECONDS = 20.0
"""Timeout for pytest once it has said that all tests are over."""
LOG_END_BYTES = 6000
UNUSABLE = {3, 4, 5}
"""Exit codes of pytest for a fault of its own or of a plugin, for wrong usage, and for finding no test."""


class RunModuleRequest(Value):
    """What to run."""

    module: str
    """Relative to the tests' root."""
    selection: Selection = Selection()
    """Of the whole run; what of it lies in the module is run."""
    seconds_a_test: float = 300
    """A test that takes longer is killed."""
    seconds: float = 1800
    """So is a module."""


class ModuleRun:
    """What happened so far. ``play`` it, then read the ``report``."""

    def __init__(self, workspace: Workspace, root: Path, request: RunModuleRequest, artefacts: Path) -> None:
        """Prepare."""
        self._workspace = workspace
        self._root = root
        self._request = request
        self._artefacts = artefacts
        self._began = time.monotonic()
        self._current_since = self._began
        self._found: dict[str, None] = {}
        self._ended: set[str] = set()
        self._finished: Event | None = None
        self.current = ""
        """The test under way."""
        self.cases: list[TestResult] = []
        """Tests with an outcome, in the order in which they ended."""
        self.notes: list[str] = []
        self.log = BoundedLog()

    async def play(self) -> None:
        """Run all tests; one that hangs, or takes its interpreter with it, costs the others nothing."""
        more = True
        while more:
            more = await self._play_once()
        stopped = self._finished.message if self._finished else ""
        self._leave(Outcome.NOT_RUN, self._out_of_time or stopped or "the module ended before it")

    def cancel(self) -> None:
        """Record where the run was when it was cancelled."""
        if self.current:
            self._end(self.current, Outcome.CANCELLED, message="the run was cancelled")
        self._leave(Outcome.CANCELLED, "the run was cancelled before it")

    @property
    def found(self) -> int:
        """Tell how many tests there are."""
        return len(self._found)

    @property
    def seconds(self) -> float:
        """Tell how long it has taken so far."""
        return time.monotonic() - self._began

    def report(self) -> ModuleReport:
        """Sum up."""
        return ModuleReport(
            module=self._request.module,
            cases=listed(self.cases),
            counts=count(self.cases),
            seconds=round(self.seconds, 3),
            notes=tuple(self.notes),
            log_end=self.log.end(LOG_END_BYTES),
        )

    async def _play_once(self) -> bool:
        """Run what has no outcome yet; tell whether another process would get further."""
        before = len(self._ended)
        self._anew()
        arguments = self._request.selection.of_module(self._request.module).arguments(self._root)
        async with PytestProcess(
            self._workspace, self._root, arguments, self.log, self._ended, self._artefacts
        ) as process:
            hung = await self._listen(process)
        if self.current:
            self._end(self.current, *self._blame(process, hung=hung))
        elif self._finished is None:
            self.cases.append(make_result(self._request.module, *self._blame(process, hung=hung)))
            return False
        elif self._finished.code in UNUSABLE and not self.cases:
            self.cases.append(
                make_result(self._request.module, Outcome.ERROR, message=f"pytest ended with {self._finished.code}")
            )
        if self._out_of_time or (self._finished and self._finished.message):
            return False
        return len(self._ended) > before and bool(self._found.keys() - self._ended)

    async def _listen(self, process: PytestProcess) -> bool:
        """Take events to their end; tell whether the process hung, and so was made to show where."""
        try:
            while event := await process.event(self._timeout):
                self._take(event)
        except TimeoutError:
            if self._finished is None:
                await process.abort()
                return True
            self.notes.append(f"pytest did not end within {CLOSING_SECONDS:.0f} s of its last test, and was killed")
        return False

    def _anew(self) -> None:
        """Begin with another process."""
        self.current, self._current_since, self._finished = "", time.monotonic(), None

    def _take(self, event: Event) -> None:
        if event.event == "found":
            self._found[event.node] = None
        elif event.event == "began":
            self.current, self._current_since = event.node, time.monotonic()
        elif event.event == "ended":
            self._end(event.node, Outcome(event.outcome), event.seconds, event.message)
        elif event.event == "uncollected":
            self._end(event.node or self._request.module, Outcome(event.outcome), message=event.message)
        elif event.event == "finished":
            self._finished = event

    def _blame(self, process: PytestProcess, *, hung: bool) -> tuple[Outcome, float, str]:
        """Say how a process ended that did not come to its end, for the test that it was at."""
        seconds = time.monotonic() - self._current_since
        if hung:
            limit = f"no end within {seconds:.0f} s; the log shows where it was"
            return Outcome.TIMED_OUT, seconds, self._out_of_time or limit
        if self._finished:
            return Outcome.ERROR, seconds, self._finished.message or "it ended the whole run of its module"
        return Outcome.CRASHED, seconds, process.end

    def _end(self, node: str, outcome: Outcome, seconds: float = 0, message: str = "") -> None:
        self.current = ""
        if node not in self._ended:
            self._ended.add(node)
            self.cases.append(make_result(node, outcome, seconds, message))

    def _leave(self, outcome: Outcome, message: str) -> None:
        """Record tests that did not begin."""
        for node in self._found:
            if node not in self._ended:
                self._end(node, outcome, message=message)

    @property
    def _timeout(self) -> float:
        """Give the seconds until something has to happen."""
        if self._finished:
            return CLOSING_SECONDS
        limit = self._request.seconds_a_test if self.current else max(START_SECONDS, self._request.seconds_a_test)
        return min(limit, self._request.seconds - self.seconds)

    @property
    def _out_of_time(self) -> str:
        """Say that the module's time is over, if it is."""
        return f"the module's {self._request.seconds:g} s were over" if self.seconds >= self._request.seconds else ""
