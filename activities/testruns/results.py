"""How tests went: what a run of them is made of."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from activities.values import BlobRef, Value

MAX_NODE_CHARS = 300
MAX_MESSAGE_CHARS = 500
MAX_CASES = 2000
"""Listed of one module; all are counted."""
MESSAGES_CHARS = 60_000
"""Of one module together; beyond, messages are cut to a line."""
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
    """Came to no end in its time, and was killed."""
    CRASHED = "crashed"
    """Its interpreter ended with it."""
    CANCELLED = "cancelled"
    """Was under way when the run was cancelled."""
    NOT_RUN = "not-run"
    """Its turn did not come."""


BAD = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.NOT_RUN})
"""Outcomes with which a run has failed."""


class TestResult(Value):
    """One test, or a module that could not be run as a whole."""

    __test__ = False  # pytest looks into classes that are named so

    node: str
    """``test_turns.py::test_one[de]``"""
    outcome: Outcome
    seconds: float = 0
    message: str = ""
    """Why, in few words; the log has the whole story."""


class Artefact(Value):
    """A file that tests left to be kept."""

    name: str
    blob: BlobRef


class ModuleReport(Value):
    """How a module went."""

    module: str
    cases: tuple[TestResult, ...] = ()
    """In their order; of very many, those that went wrong before the others."""
    counts: dict[Outcome, int] = Field(default_factory=dict)
    """All tests by outcome, those that are not listed as well."""
    seconds: float = 0
    attempts: int = 1
    notes: tuple[str, ...] = ()
    """What else happened, such as an attempt that ended with its worker."""
    log: BlobRef | None = None
    """What was printed, as much of it as was kept."""
    log_end: str = ""
    """Its last lines."""
    artefacts: tuple[Artefact, ...] = ()


class ModuleProgress(Value):
    """How far a module has come: signalled to the run while it is under way."""

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
    """Make a case that is small enough for histories."""
    return TestResult(
        node=_cut(node, MAX_NODE_CHARS),
        outcome=outcome,
        seconds=round(seconds, 3),
        message=_cut(message, MAX_MESSAGE_CHARS),
    )


def count(cases: Iterable[TestResult]) -> dict[Outcome, int]:
    """Count cases by outcome."""
    return dict(Counter(one.outcome for one in cases))


def listed(cases: Iterable[TestResult]) -> tuple[TestResult, ...]:
    """Choose what is listed of a module: what went wrong first, where that is not all, with messages that fit."""
    every = list(cases)
    if len(every) > MAX_CASES:
        every = sorted(every, key=lambda one: one.outcome not in BAD)[:MAX_CASES]
    written, size, fitting = 0, 0, list[TestResult]()
    for one in every:
        written += len(one.message)
        short = _cut(one.message, MAX_MESSAGE_CHARS if written <= MESSAGES_CHARS else LINE_CHARS)
        fitting.append(one.model_copy(update={"message": short}))
        size += len(fitting[-1].model_dump_json().encode())
        if size > LISTED_BYTES:
            return tuple(fitting[:-1])
    return tuple(fitting)


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"
