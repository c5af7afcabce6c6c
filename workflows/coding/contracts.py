"""Coding tasks: requests, results, what queries answer. Imports nothing heavy."""

from enum import StrEnum

from pydantic import ConfigDict, Field
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.coding.compare import Comparison
    from activities.coding.storage import Owner
    from activities.values import Address, BlobRef, Notice, Value
    from agent.limits import Limits, Progress

MAX_TASK_CHARS = 20_000
MAX_REMARK_CHARS = 2000
MAX_REMARKS = 20
"""That wait for the next step."""
LINES_A_PAGE = 100
LINES_KEPT = 50
"""When a run goes on in a new one."""


class CodingOutcome(StrEnum):
    """How a task ended, or that it is under way; value of the search attribute ``Outcome``."""

    RUNNING = "running"
    FINISHED = "finished"
    """The agent says that it is done, and the tests pass, where there are any."""
    UNFINISHED = "unfinished"
    """It came to a limit, or says that it is done while the tests fail; what was done is kept."""
    FAILED = "failed"
    """Something that it needs was not there; what was done is kept."""
    CANCELLED = "cancelled"


class CodingStage(StrEnum):
    """What a task is doing."""

    PREPARE = "prepare"
    THINK = "think"
    ACT = "act"
    PAUSED = "paused"
    VERIFY = "verify"
    DONE = "done"


class StepLine(Value):
    """A step, in short."""

    step: int
    text: str
    """``run_tests: 2 failed``; at most 300 characters."""
    seconds: float = 0.0
    tokens: int = 0


class ReportForm(Value):
    """How a chat is told of a task's end, as it has chosen."""

    spoken: bool = True
    """The summary comes as a voice note as well."""
    captioned: bool = False
    """In one message with its text, where the platform's captions hold that."""
    voice: str | None = Field(default=None, max_length=60)
    """Name of a voice in the model registry; None is the default of the summary's language."""
    language: str | None = Field(default=None, max_length=8)
    """ISO 639-1 code of the language that the chat speaks, if it has chosen one."""


class Carried(Value):
    """What a run hands to the one that goes on."""

    owner: Owner
    baseline: BlobRef
    workspace: BlobRef
    superseded: BlobRef | None = None
    transcript: BlobRef
    progress: Progress
    lines: tuple[StepLine, ...]
    remarks: tuple[str, ...] = ()
    paused: bool = False
    isolation: str = ""
    model: str = ""
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    model_seconds: float = 0.0
    sandbox_seconds: float = 0.0
    interrupted: int = 0
    """Steps in a row that ended with their worker."""
    is_interrupted: bool = False


class CodingRequest(Value):
    """What to do, and where. Everything but the task has a default."""

    # Started by hand: a name that is mistyped must not be ignored.
    model_config = ConfigDict(extra="forbid")

    task: str = Field(min_length=1, max_length=MAX_TASK_CHARS)
    folder: str | None = Field(default=None, max_length=1000)
    """Copied by a sandbox worker, below one of ``JUNE_CODE_ROOTS``; neither this nor a workspace is an empty one."""
    workspace: BlobRef | None = None
    """An archive that a client has stored (``june code``)."""
    test_command: str | None = Field(default=None, max_length=1000)
    """A shell's line that succeeds when the task is done; None: pytest, where there are tests."""
    model: str | None = Field(default=None, max_length=200)
    """Name that the model's server knows; None is the worker's."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """None is the worker's."""
    seed: int = Field(default=0, ge=0)
    """Of sampling; each step has its own, which follows from it."""
    limits: Limits = Limits()
    report_to: Address | None = None
    """Chat that gets a spoken summary and the files in the end."""
    report_form: ReportForm = ReportForm()
    """How it gets them."""
    owner: Owner | None = None
    """Whose files the task's are, where it is part of a benchmark; never given by people."""
    carried: Carried | None = None
    """Of the run before; never given by people."""


class CodingReport(Value):
    """How a task ended."""

    outcome: CodingOutcome
    code: str = ""
    """Why it did not finish: a CodingCode's value."""
    reason: str = ""
    """The same in a sentence."""
    summary: str = ""
    """The agent's own, at most 2,000 characters."""
    tests: str = ""
    """How the tests went in the end, on a line; empty where none were run."""
    tests_passed: bool | None = None
    steps: int = 0
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    model_seconds: float = 0.0
    sandbox_seconds: float = 0.0
    """Of the steps."""
    model: str = ""
    isolation: str = ""
    comparison: Comparison | None = None
    baseline: BlobRef | None = None
    workspace: BlobRef | None = None
    transcript: BlobRef | None = None


class ToldFile(Value):
    """A file that was sent."""

    name: str
    file: BlobRef


class Told(Value):
    """What the chat was told of a task's end; the memo ``told``, for the page, which shows what is there."""

    task: str
    """Its first line."""
    text: str = ""
    """The agent's summary, in Markdown."""
    notice: Notice
    """June's own sentence."""
    reply: BlobRef | None = None
    """The spoken summary (Ogg/Opus)."""
    files: tuple[ToldFile, ...] = ()


class CodingStatus(Value):
    """Answer of the query ``status``."""

    task: str
    """Its first line."""
    outcome: CodingOutcome
    stage: CodingStage
    step: int
    """The one under way."""
    max_steps: int
    elapsed_seconds: float
    tokens: int
    lines: tuple[StepLine, ...] = ()
    """The steps after the one asked for, at most 100, the oldest first."""
    report: CodingReport | None = None
    """Once it has ended."""
