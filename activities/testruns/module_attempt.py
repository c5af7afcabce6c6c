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
"""Shortest timeout while no test is under way: programs and imports may be slow where tests must be quick."""
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
    """Of the whole run; the part that lies in the module is run."""
    seconds_a_test: float = 300
    """A test that takes longer is killed."""
    seconds: float = 1800
    """So is a module."""


class ModuleAttempt:
    """An attempt at a module: ``run`` it, then read the ``report``."""

    def __init__(self, workspace: Workspace, root: Path, request: RunModuleRequest, artefacts: Path) -> None:
        """Begin to count the module's time."""
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
        self.results: list[TestResult] = []
        """Of tests that have ended, in that order."""
        self.notes: list[str] = []
        self.log = BoundedLog()

    async def run(self) -> None:
        """Run all tests; one that hangs or kills its interpreter costs the others nothing."""
        while await self._run_process():  # another one, for the tests after one that ended or hung it
            self.current, self._current_since, self._finished = "", time.monotonic(), None
        stopped = self._finished.message if self._finished else ""
        self._leave(Outcome.NOT_RUN, self._out_of_time or stopped or "the module ended before it")

    def cancel(self) -> None:
        """Record the test under way, and those that have not begun, as cancelled."""
        if self.current:
            self._end(self.current, Outcome.CANCELLED, message="the run was cancelled")
        self._leave(Outcome.CANCELLED, "the run was cancelled before it")

    @property
    def found(self) -> int:
        """Number of tests."""
        return len(self._found)

    @property
    def seconds(self) -> float:
        """Time since the attempt began."""
        return time.monotonic() - self._began

    def report(self) -> ModuleReport:
        """Return what is known so far."""
        return ModuleReport(
            module=self._request.module,
            cases=listed(self.results),
            counts=count(self.results),
            seconds=round(self.seconds, 3),
            notes=tuple(self.notes),
            log_end=self.log.end(LOG_END_BYTES),
        )

    async def _run_process(self) -> bool:
        """Run what has no outcome yet; return whether another process would get further."""
        request, before, hung = self._request, len(self._ended), False
        arguments = request.selection.of_module(request.module).arguments(self._root)
        async with PytestProcess(
            self._workspace, self._root, arguments, self.log, self._ended, self._artefacts
        ) as process:
            try:
                while event := await process.event(self._seconds_left()):
                    self._apply(event)
            except TimeoutError:
                if self._finished is None:
                    hung = True
                    await process.abort()
                else:
                    limit = f"{CLOSING_SECONDS:.0f} s"
                    self.notes.append(f"pytest did not end within {limit} of its last test, and was killed")
        if self.current:
            self._end(self.current, *self._blame(process, hung=hung))
        elif self._finished is None:
            self.results.append(make_result(request.module, *self._blame(process, hung=hung)))
            return False
        elif self._finished.code in UNUSABLE and not self.results:
            message = f"pytest ended with {self._finished.code}"
            self.results.append(make_result(request.module, Outcome.ERROR, message=message))
        if self._out_of_time or (self._finished and self._finished.message):
            return False
        return len(self._ended) > before and bool(self._found.keys() - self._ended)

    def _seconds_left(self) -> float:
        """Return the timeout for the next event."""
        if self._finished:
            return CLOSING_SECONDS
        limit = self._request.seconds_a_test if self.current else max(START_SECONDS, self._request.seconds_a_test)
        return min(limit, self._request.seconds - self.seconds)

    def _apply(self, event: Event) -> None:
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
        """Return outcome, seconds and message of the test during which a process ended, or hung."""
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
            self.results.append(make_result(node, outcome, seconds, message))

    def _leave(self, outcome: Outcome, message: str) -> None:
        """Record tests that did not begin."""
        for node in self._found:
            if node not in self._ended:
                self._end(node, outcome, message=message)

    @property
    def _out_of_time(self) -> str:
        """A message, if the module's time is over."""
        return f"the module's {self._request.seconds:g} s were over" if self.seconds >= self._request.seconds else ""
