"""Benchmark runs: requests, results, what queries answer. Imports nothing heavy."""

from enum import StrEnum

from pydantic import ConfigDict, Field
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode, Pinned
    from activities.values import BlobRef, Value
    from agent.limits import Limits

MAX_PARALLEL = 32
MAX_SAMPLES = 200
MAX_ATTEMPTS = 20_000
"""Of a run: tasks by samples."""


class RunOutcome(StrEnum):
    """How a run ended, or that it is under way; value of the search attribute ``Outcome``."""

    RUNNING = "running"
    FINISHED = "finished"
    """Each attempt has an outcome, be it a fault."""
    FAILED = "failed"
    """It could not be run; what was done is reported."""
    CANCELLED = "cancelled"
    """What was done is reported."""


class Carried(Value):
    """What a run hands to the one that goes on."""

    pinned: Pinned
    done: int
    """Attempts that have ended: so many from the first, in the order of tasks and then samples."""
    results: tuple[BlobRef, ...]
    """Those attempts, in pieces: JSON lines, in the order in which they have ended."""
    counts: dict[AttemptOutcome, int]
    tokens: int = 0
    last: tuple[Attempt, ...] = ()
    seconds: float
    parallel: int
    paused: bool = False


class BenchmarkRequest(Value):
    """What to run. Everything but the data set has a default."""

    # Started by hand: a name that is mistyped must not be ignored.
    model_config = ConfigDict(extra="forbid")

    data_set: str = Field(min_length=1, max_length=100)
    """Name, as ``june bench validate`` names it; of the mode ``turns`` any name."""
    mode: Mode = Mode.COMPLETION
    tasks: tuple[str, ...] = Field(default=(), max_length=2000)
    """Ids; none are all."""
    first: int | None = Field(default=None, ge=1)
    """So many of them, from the first."""
    samples: int = Field(default=1, ge=1, le=MAX_SAMPLES)
    """Attempts at each task."""
    model: str | None = Field(default=None, max_length=200)
    """Name that the coding model's server knows; None is the worker's."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    answer_tokens: int = Field(default=1024, ge=16, le=131_072)
    """Longest single answer; the agent's is the worker's."""
    seed: int = Field(default=0, ge=0)
    limits: Limits = Limits(steps=15, seconds=900)
    """Of the agent, for each attempt."""
    parallel: int = Field(default=1, ge=1, le=MAX_PARALLEL)
    """Attempts at once; the signal ``set_parallel`` changes it."""
    options: dict[str, float | str] = Field(default_factory=dict, max_length=20)
    """Of speech and turns: see docs/benchmarks.md."""
    carried: Carried | None = None
    """Of the run before; never given by people."""


class AttemptRequest(Value):
    """One attempt: which task, and all that decides it."""

    pinned: Pinned
    """Without its tasks, as each attempt has this in its history."""
    task: str
    sample: int
    limits: Limits


class BenchmarkReport(Value):
    """How a run ended."""

    outcome: RunOutcome
    code: str = ""
    """Why it did not finish."""
    reason: str = ""
    """The same in a sentence."""
    pinned: Pinned | None = None
    """Without its tasks; ``report.json`` has them."""
    attempts: int = 0
    """That have ended."""
    planned: int = 0
    counts: dict[AttemptOutcome, int] = Field(default_factory=dict)
    seconds: float = 0.0
    """Pauses not counted."""
    score: str = ""
    """In a line: ``pass@1 0.71 (0.64 to 0.78)``."""
    results_jsonl: BlobRef | None = None
    report_json: BlobRef | None = None
    report_html: BlobRef | None = None

    @property
    def is_without_its_report(self) -> bool:
        """Whether all was done, but the report could not be made."""
        return self.outcome is RunOutcome.FINISHED and bool(self.code)


class BenchmarkStatus(Value):
    """Answer of the query ``status``."""

    run: str
    mode: Mode
    data_set: str
    model: str = ""
    outcome: RunOutcome
    paused: bool = False
    parallel: int
    planned: int = 0
    done: int = 0
    counts: dict[AttemptOutcome, int] = Field(default_factory=dict)
    running: tuple[str, ...] = ()
    """Tasks under way."""
    tokens: int = 0
    """Read and written by the model."""
    last: tuple[Attempt, ...] = ()
    """The last ten that have ended, the newest last."""
    elapsed_seconds: float
    """Pauses not counted."""
    report: BenchmarkReport | None = None
