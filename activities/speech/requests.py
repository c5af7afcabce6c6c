"""What a benchmark of speech hands to its activities, and the plan that it begins with; imports no engine."""

from pydantic import Field

from activities.benchmarks.attempts import Mode, Pinned
from activities.synthesize import Speech
from activities.values import Value

PLATFORM = "bench"
"""Under which what a benchmark has said, heard and written lies in the store; the chat is the run."""

Options = dict[str, float | str]


class PlanSpeechRequest(Value):
    """Which benchmark is to be planned."""

    mode: Mode
    data_set: str = Field(max_length=100)
    """``june-speech``, or the folder of a ``clips.toml`` where the worker runs; not read for ``turns``."""
    tasks: tuple[str, ...] = ()
    """Ids; none are all."""
    first: int | None = None
    """So many of them, from the first."""


class SpeechPlan(Value):
    """What a benchmark of speech consists of, and what decides it."""

    tasks: tuple[str, ...]
    """Ids, in the data set's order."""
    data_sha256: str
    languages: tuple[str, ...]
    """ISO 639-1 codes of what is said."""
    model: str
    """June's recognizer, as it is configured."""
    model_sha256: str = ""
    """Of its weights, where june knows the model."""
    server: str = ""
    """What serves the columns, with versions."""
    code_version: str = ""
    machine: str = ""


class MeasureRequest(Value):
    """One attempt at one task."""

    pinned: Pinned
    task: str = Field(max_length=200)
    """Such as ``de-01@10dB``."""
    sample: int = 0
    """From 0."""
    options: Options = Field(default_factory=dict)
    chat: str = ""
    """Under which texts and sound are stored; empty for one that follows from the run's name."""
    said: Speech | None = None
    """Text to speech: what ``say`` has made of the task."""
    waits_for_live: bool = True
    """It does not begin beside turns that somebody waits for."""

    @property
    def stored_under(self) -> str:
        """The chat, in the store's alphabet."""
        return self.chat or identifier(self.pinned.run)


def identifier(name: str) -> str:
    """Return a name as chats and messages are called: other signs become hyphens."""
    return "".join(each if each.isascii() and (each.isalnum() or each in "._:@+-") else "-" for each in name)[:120]
