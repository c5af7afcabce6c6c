"""Runs of the integration tests: requests, results, what queries answer. Imports nothing heavy."""

from enum import StrEnum

from pydantic import Field
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.testruns.results import Artefact, Outcome, TestResult
    from activities.testruns.selection import Selection
    from activities.values import Address, BlobRef, Value

PAGE = 500
MODULES_A_PAGE = 50


class RunOutcome(StrEnum):
    """Outcome of a run, or that it is running; value of the search attribute ``Outcome``."""

    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    """At least one test did not pass."""
    ERROR = "error"
    """It could not be run: nothing selected, no worker."""
    CANCELLED = "cancelled"


class RunRequest(Value):
    """What to run, and how. Everything has a default: without any input, all tests are run."""

    selection: Selection = Selection()
    parallel: int = Field(default=1, ge=1, le=16)
    """Modules at the same time."""
    seconds_a_test: float = Field(default=300, gt=0, le=7200)
    """A test that takes longer is killed."""
    seconds_a_module: float = Field(default=1800, gt=0, le=21600)
    """So is a module."""
    alerts: tuple[Address, ...] = Field(default=(), max_length=10)
    """Chats that are notified when the run fails."""


class Current(Value):
    """What runs at the moment."""

    module: str
    test: str
    """Empty while none is under way."""
    attempt: int = 1
    """Above 1 when an attempt before it was lost with its worker."""


class RunStatus(Value):
    """Answer of the query ``status``."""

    outcome: RunOutcome
    started_at: str
    """ISO 8601, UTC."""
    elapsed_seconds: float
    """Until the last progress, or the end."""
    modules: int
    modules_ended: int
    tests: int
    """As collected."""
    tests_ended: int
    counts: dict[Outcome, int]
    """Tests by outcome, those of modules under way included."""
    current: tuple[Current, ...] = ()
    notes: tuple[str, ...] = ()
    """What else happened: attempts lost with their worker, alerts."""
    error: str = ""
    """Why it could not be run."""


class PageRequest(Value):
    """Which part of a long answer."""

    start: int = Field(default=0, ge=0)
    size: int = Field(default=PAGE, ge=1, le=PAGE)
    module: str = ""
    """Only of this module; empty is all."""
    bad_only: bool = False
    """Only tests that did not pass."""


class ResultsPage(Value):
    """Tests with their outcomes: answer of the query ``results``."""

    outcome: RunOutcome
    results: tuple[TestResult, ...]
    next: int | None = None
    """Start of the next page, if there is one."""


class ModuleLog(Value):
    """What a module printed."""

    module: str
    end: str
    """Its last lines; while it runs, its last thousand bytes."""
    log: BlobRef | None = None
    """All that was kept, in the blob store."""
    artefacts: tuple[Artefact, ...] = ()


class LogsPage(Value):
    """Logs by module: answer of the query ``logs``."""

    logs: tuple[ModuleLog, ...]
    next: int | None = None
    """Start of the next page, counted in modules."""


class RunReport(Value):
    """How a run ended: its result; of a run that failed, the details of the failure."""

    outcome: RunOutcome
    tests: int
    counts: dict[Outcome, int] = Field(default_factory=dict)
    modules: int = 0
    seconds: float = 0
    worst: tuple[TestResult, ...] = ()
    """The first tests that did not pass."""
    notes: tuple[str, ...] = ()
    error: str = ""
