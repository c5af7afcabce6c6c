"""Results of tests, and the reports of modules."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from activities.values import BlobRef, Value

MAX_NODE_CHARS = 300
MAX_MESSAGE_CHARS = 500
MAX_RESULTS = 2000
"""Listed of one module; all are counted."""
MESSAGES_CHARS = 60_000
"""Of one module together; beyond that, messages are cut to a line."""
LINE_CHARS = 80
LISTED_BYTES = 1_000_000
"""Of one module together; Temporal takes 2 MB."""


class Outcome(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """Its set-up or tear-down failed, or its module cannot be imported."""
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    """Failed as expected."""
    XPASSED = "xpassed"
    """Passed although expected to fail."""
    TIMED_OUT = "timed-out"
    """Did not end within its time, and was killed."""
    CRASHED = "crashed"
    """Its interpreter ended with it."""
    CANCELLED = "cancelled"
    """Was under way when the run was cancelled."""
    NOT_RUN = "not-run"
    """Did not begin."""


BAD = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.NOT_RUN})
"""Outcomes that make a run fail."""


class TestResult(Value):
    """Result of one test, or of a module whose tests could not be run."""

    __test__ = False  # pytest looks into classes that are named so

    node: str
    """``test_turns.py::test_one[de]``"""
    outcome: Outcome
    seconds: float = 0
    message: str = ""
    """Why, in short; the log has the details."""


class Artefact(Value):
    """A file that a test wrote to be kept with the run."""

    name: str
    blob: BlobRef


class ModuleReport(Value):
    """Results of a module."""

    module: str
    cases: tuple[TestResult, ...] = ()
    """In their order; of very many, those that are bad before the others."""
    counts: dict[Outcome, int] = Field(default_factory=dict)
    """All tests by outcome, including those that are not listed."""
    seconds: float = 0
    attempts: int = 1
    notes: tuple[str, ...] = ()
    """What else happened, such as an attempt that ended with its worker."""
    log: BlobRef | None = None
    """What was printed, as far as it was kept."""
    log_end: str = ""
    """Its last lines."""
    artefacts: tuple[Artefact, ...] = ()


class ModuleProgress(Value):
    """Progress of a module: signalled to the run while it is under way."""

    module: str
    attempt: int
    found: int
    """Tests."""
    cases: tuple[TestResult, ...] = ()
    """Those that ended since the last signal."""
    current: str = ""
    """The test under way."""
    log_end: str = ""


def make_result(node: str, outcome: Outcome, seconds: float = 0, message: str = "") -> TestResult:
    """Return a result whose texts are cut to what fits into histories."""
    return TestResult(
        node=_cut(node, MAX_NODE_CHARS),
        outcome=outcome,
        seconds=round(seconds, 3),
        message=_cut(message, MAX_MESSAGE_CHARS),
    )


def count(results: Iterable[TestResult]) -> dict[Outcome, int]:
    """Count results by outcome."""
    return dict(Counter(result.outcome for result in results))


def listed(results: Iterable[TestResult]) -> tuple[TestResult, ...]:
    """Return the results to list of a module: bad ones first where not all fit, messages cut to a size that does."""
    every = list(results)
    if len(every) > MAX_RESULTS:
        every = sorted(every, key=lambda result: result.outcome not in BAD)[:MAX_RESULTS]
    written, size, fitting = 0, 0, list[TestResult]()
    for result in every:
        written += len(result.message)
        short = _cut(result.message, MAX_MESSAGE_CHARS if written <= MESSAGES_CHARS else LINE_CHARS)
        fitting.append(result.model_copy(update={"message": short}))
        size += len(fitting[-1].model_dump_json().encode())
        if size > LISTED_BYTES:
            return tuple(fitting[:-1])
    return tuple(fitting)


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"
