"""Collect: which tests there are, by module, without running any."""

from pathlib import Path

from temporalio import activity

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.heartbeats import heartbeats
from activities.processes.bounded_log import BoundedLog
from activities.processes.workspace import Workspace
from activities.testruns.pytest_process import Event, PytestProcess
from activities.testruns.selection import Selection
from activities.values import Value

MAX_MODULES = 500
MAX_FOUND = 10_000
"""Tests of a run; the results of more would not fit into what a query may answer, a page at a time or not."""
UNUSABLE = {3, 4}
"""Exit codes of pytest for a fault of its own or of a plugin, and for wrong usage, such as a test that is not there."""
TOLD_BYTES = 1500
"""Of the log, when nothing could be collected."""


class CollectRequest(Value):
    """What to collect."""

    selection: Selection = Selection()
    seconds: float = 300
    """Longest silence, in seconds: a module that takes longer to import counts as broken."""


class FoundModule(Value):
    """A module with selected tests, or one whose tests cannot be listed."""

    path: str
    """Relative to the tests' root, as the names of its tests begin."""
    tests: int
    """0 when they cannot be listed; running it tells why."""


class Collected(Value):
    """What there is to run, in the order of pytest."""

    modules: tuple[FoundModule, ...] = ()


class CollectActivity:
    """The activity ``collect``."""

    def __init__(self, workspace: Workspace, root: Path) -> None:
        """Take the place to work in, and the tests' folder."""
        self._workspace = workspace
        self._root = root.resolve()

    @activity.defn
    async def collect(self, request: CollectRequest) -> Collected:
        """List the modules; one that hangs or kills the interpreter does not hide the others.

        Raises:
            BadInputError: ``request-invalid``, nothing is selected, or far too much, or pytest cannot begin at all.

        """
        if not self._root.is_dir():
            raise _invalid(f"There is no folder {self._root} (JUNE_TESTS_ROOT).")
        async with heartbeats():
            listing = _Listing(self._workspace, self._root, request)
            while not await listing.attempt():
                activity.logger.warning("collecting goes on without %s", listing.broken[-1])
        modules = tuple(FoundModule(path=path, tests=count) for path, count in listing.found.items())
        if not modules:
            raise _invalid("Nothing is selected.")
        if len(modules) > MAX_MODULES or sum(listing.found.values()) > MAX_FOUND:
            raise _invalid(f"More than {MAX_FOUND} tests or {MAX_MODULES} modules are selected: select fewer.")
        return Collected(modules=modules)


class _Listing:
    """What attempts to collect have found."""

    def __init__(self, workspace: Workspace, root: Path, request: CollectRequest) -> None:
        self._workspace = workspace
        self._root = root
        self._request = request
        self.broken: list[str] = []
        """Modules that kept pytest from coming to an end."""
        self.found: dict[str, int] = {}
        """Tests by module."""
        self._importing = ""
        """The last module that pytest was about to import."""
        self._code: int | None = None
        """How pytest ended; None when something ended it."""

    async def attempt(self) -> bool:
        """Collect without the broken modules; False when another of them turned up."""
        self.found = dict.fromkeys(self.broken, 0)
        selection = self._request.selection.without_modules(self.broken)
        if selection is None:
            return True
        ignored = [f"--ignore={self._root / path}" for path in self.broken]
        arguments = ["--collect-only", "--quiet", *ignored, *selection.arguments(self._root)]
        log = BoundedLog()
        async with PytestProcess(self._workspace, self._root, arguments, log) as process:
            await self._listen(process)
        if self._code in UNUSABLE or (self._code is None and self._importing in {"", *self.broken}):
            raise _invalid(f"pytest could not list the tests: {_complaint(log)}")
        if self._code is None:
            self.broken.append(self._importing)
        return self._code is not None

    async def _listen(self, process: PytestProcess) -> None:
        self._importing, self._code = "", None
        try:
            while event := await process.event(self._request.seconds):
                if event.event == "finished":
                    self._code = event.code
                elif event.event == "collecting":
                    self._importing = event.node
                self._note(event)
        except TimeoutError:
            await process.abort()

    def _note(self, event: Event) -> None:
        path = event.node.partition("::")[0]
        if path and event.event in {"found", "uncollected"}:
            self.found[path] = self.found.get(path, 0) + (event.event == "found")


def _complaint(log: BoundedLog) -> str:
    """Find what pytest says is wrong; without such a line, the end of all that was printed."""
    end = log.end(TOLD_BYTES)
    return " ".join(line for line in end.splitlines() if line.startswith("ERROR")) or end


def _invalid(message: str) -> BadInputError:
    return BadInputError(ErrorCode.REQUEST_INVALID, message)
