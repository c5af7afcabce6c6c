"""Collect the tests by module, without running any."""

from pathlib import Path

from temporalio import activity

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.heartbeats import heartbeats
from activities.processes.bounded_log import BoundedLog
from activities.processes.workspace import Workspace
from activities.testruns.pytest_process import PytestProcess
from activities.testruns.selection import Selection
from activities.values import Value

MAX_MODULES = 500
MAX_FOUND = 10_000
"""Tests of a run; the results of more would not fit into what a query may answer, a page at a time or not."""
UNUSABLE = {3, 4}
"""Exit codes of pytest for a fault of its own or of a plugin, and for wrong usage, such as a test that is not there."""
ERROR_BYTES = 1500
"""Of the log's end, when nothing could be collected."""


class CollectRequest(Value):
    """What to collect."""

    selection: Selection = Selection()
    seconds: float = 300
    """Longest silence: a module that takes longer to import counts as broken."""


class FoundModule(Value):
    """A module with selected tests, or one whose tests cannot be listed."""

    path: str
    """Relative to the tests' root, as the names of its tests begin."""
    tests: int
    """0 when they cannot be listed; running the module reports why."""


class Collected(Value):
    """The modules, in pytest's order."""

    modules: tuple[FoundModule, ...] = ()


class CollectActivity:
    """The activity ``collect``."""

    def __init__(self, workspace: Workspace, root: Path) -> None:
        self._workspace = workspace
        self._root = root.resolve()

    @activity.defn
    async def collect(self, request: CollectRequest) -> Collected:
        """Return the modules with selected tests; one that hangs or kills the interpreter does not hide the others.

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
    """What has been collected, in one attempt or several."""

    def __init__(self, workspace: Workspace, root: Path, request: CollectRequest) -> None:
        self._workspace = workspace
        self._root = root
        self._request = request
        self.broken: list[str] = []
        """Modules that kept pytest from ending."""
        self.found: dict[str, int] = {}
        """Tests by module."""

    async def attempt(self) -> bool:
        """Collect without the broken modules; return False when another one was found."""
        self.found = dict.fromkeys(self.broken, 0)
        selection = self._request.selection.without_modules(self.broken)
        if selection is None:
            return True
        ignored = [f"--ignore={self._root / path}" for path in self.broken]
        arguments = ["--collect-only", "--quiet", *ignored, *selection.arguments(self._root)]
        log = BoundedLog()
        importing = ""  # the last module that pytest was about to import
        code = None  # pytest's exit code, unless something ended it
        async with PytestProcess(self._workspace, self._root, arguments, log) as process:
            try:
                while event := await process.event(self._request.seconds):
                    path = event.node.partition("::")[0]
                    if event.event == "finished":
                        code = event.code
                    elif event.event == "collecting":
                        importing = event.node
                    elif path and event.event in {"found", "uncollected"}:
                        self.found[path] = self.found.get(path, 0) + (event.event == "found")
            except TimeoutError:
                await process.abort()
        if code in UNUSABLE or (code is None and importing in {"", *self.broken}):
            end = log.end(ERROR_BYTES)
            errors = " ".join(line for line in end.splitlines() if line.startswith("ERROR"))
            raise _invalid(f"pytest could not list the tests: {errors or end}")
        if code is None:
            self.broken.append(importing)
        return code is not None


def _invalid(message: str) -> BadInputError:
    return BadInputError(ErrorCode.REQUEST_INVALID, message)
