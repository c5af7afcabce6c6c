"""What a benchmark's workflows and activities hand to each other: a run's settings that decide, and what came of it."""

import hashlib
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from activities.values import BlobRef, Value


class Mode(StrEnum):
    """What is measured."""

    COMPLETION = "completion"
    """A single answer of the model to each task."""
    AGENT = "agent"
    """The coding agent works on each task."""
    STT = "stt"
    """Speech to text: june's recognizer, and stock faster-whisper beside it, on each recording."""
    TTS = "tts"
    """Text to speech: a text is said, heard, and compared."""
    TURNS = "turns"
    """Chats that speak to june at once."""


class AttemptOutcome(StrEnum):
    """What came of an attempt."""

    SOLVED = "solved"
    WRONG = "wrong"
    TIMEOUT = "timeout"
    """The submission took longer than it may."""
    OOM = "oom"
    NO_SUBMISSION = "no_submission"
    FORMAT_ERROR = "format_error"
    """Nothing in the model's answers can be taken for code, or for an action."""
    LIMITS = "limits"
    """The agent came to a limit of steps, tokens or seconds, or repeated itself, and had not solved it."""
    LENGTH = "length"
    """The answer was cut at its longest length, and does not solve it."""
    SANDBOX_ERROR = "sandbox_error"
    MODEL_ERROR = "model_error"
    MEASURED = "measured"
    """Of speech and turns, which are not solved but measured."""
    UNMEASURED = "unmeasured"
    """Of those: it could not be measured."""


FAULTS = frozenset({AttemptOutcome.SANDBOX_ERROR, AttemptOutcome.MODEL_ERROR})
"""Of the machinery, not of the submission: tried again, and counted beside the score where that does not help."""


class Attempt(Value):
    """One task, tried once by one sample: a line of ``results.jsonl``."""

    task: str = Field(max_length=200)
    sample: int = 0
    """From 0."""
    outcome: AttemptOutcome
    why: str = Field(default="", max_length=500)
    """In a sentence, where it is not solved."""
    passed: int = 0
    total: int = 0
    """Checks; 0 where it came to none."""
    steps: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Thoughts among them."""
    model_seconds: float = 0.0
    sandbox_seconds: float = 0.0
    """Of the agent's commands and of scoring."""
    waiting_seconds: float = 0.0
    """Of the whole, what neither the model nor the sandbox took."""
    faults: tuple[str, ...] = ()
    """Outcomes of the tries before, each a fault of the machinery."""
    figures: dict[str, float] = Field(default_factory=dict)
    """Of speech and turns: ``june.words_wrong``, ``stock.seconds`` and the like (``activities.benchmarks.figures``)."""
    answer: BlobRef | None = None
    """The model's single answer, in UTF-8; of speech what was heard, as JSON."""
    patch: BlobRef | None = None
    """What the submission changes."""
    transcript: BlobRef | None = None
    """Of the agent."""
    checks: BlobRef | None = None
    """The first checks that failed, a line each: they are hidden ones, so that no history has them."""


class Pinned(Value):
    """All that decides a result, found out as a run begins."""

    run: str
    data_set: str
    data_sha256: str
    tasks: tuple[str, ...]
    """Ids, in the data set's order."""
    samples: int
    mode: Mode
    model: str
    """Name by which the server knows it."""
    model_sha256: str = ""
    """Of its file, where june serves it by itself."""
    server: str = ""
    """Name and version of the model's server."""
    temperature: float
    top_p: float | None = None
    top_k: int | None = None
    answer_tokens: int
    thinking_tokens: int = 0
    """Before an answer."""
    seed: int
    """Each attempt's own follows from it, the run's name not among them: the same settings give the same run again."""
    limits: dict[str, float] = Field(default_factory=dict)
    """Of the agent."""
    options: dict[str, float | str] = Field(default_factory=dict)
    """Of speech and turns, as they were given; what is left out is june's default at that version."""
    code_version: str
    """June's version, and the commit where it runs from a checkout."""
    isolation: str = ""
    machine: str
    """Processor, cores, memory."""
    started: datetime
    prompts: BlobRef | None = None
    """What the model is asked: JSON lines of ``TaskPrompt``; none of it is hidden."""


class TaskPrompt(Value):
    """What the model is asked for a single answer."""

    task: str
    prompt: str


def attempt_seed(seed: int, task: str, sample: int) -> int:
    """Return the seed of an attempt, which follows from the run's, the task and the sample; below 2**31."""
    digest = hashlib.sha256(f"{seed}/{task}/{sample}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
