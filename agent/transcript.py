"""What has been said and done in a task so far: JSON lines, appended to by every step."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from agent.actions import Action, Finish, Text, Value

OBSERVATION_CHARS = 10_000
"""Longest observation; of a longer one the beginning and the end are kept."""


class Task(Value):
    """What is to be done; a transcript begins with it."""

    kind: Literal["task"] = "task"
    text: Text
    test_command: Text | None = None
    """The person's own; None where there is none."""
    files: tuple[Text, ...] = ()
    """Paths in the workspace at the beginning, sorted."""


class Turn(Value):
    """What the model answered in a step, and what that means."""

    kind: Literal["turn"] = "turn"
    step: int
    text: Text
    """As the model said it, without its thoughts."""
    action: Action | None = None
    """None where it is no action; ``problem`` says why."""
    problem: Text = ""
    """What is wrong with the answer, in words for the model; with an action: what of the answer was left aside."""
    call_id: Text = ""
    """Of a native tool call."""


class Observation(Value):
    """What came of a step's action; of step 0: what is known before the first one."""

    kind: Literal["observation"] = "observation"
    step: int
    text: Text
    """For the model, at most ``OBSERVATION_CHARS`` characters."""
    ref: Text = ""
    """Blob key of the whole output, where ``text`` is a part of it."""


class Remark(Value):
    """Something said to the agent between steps."""

    kind: Literal["remark"] = "remark"
    text: Text
    by: Literal["person", "june"]


Entry = Annotated[Task | Turn | Observation | Remark, Field(discriminator="kind")]
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


def dump(entries: Iterable[Entry]) -> bytes:
    """Return entries as JSON lines, each ended by a newline, so that dumps can be put one after the other."""
    return b"".join(_ENTRY.dump_json(entry) + b"\n" for entry in entries)


def load(data: bytes) -> tuple[Entry, ...]:
    """Read what ``dump`` returned.

    Raises:
        ValueError: it is something else.

    """
    return tuple(_ENTRY.validate_json(line) for line in data.split(b"\n") if line)


def has_acted(entries: Iterable[Entry]) -> bool:
    """Return whether the model has chosen any action but ``finish``."""
    return any(isinstance(entry, Turn) and entry.action and not isinstance(entry.action, Finish) for entry in entries)


def cut(text: str, limit: int = OBSERVATION_CHARS) -> str:
    """Return at most ``limit`` characters (at least 100): the beginning, the end, and how much is missing between."""
    if len(text) <= limit:
        return text
    kept = (limit - 60) // 2
    return f"{text[:kept]}\n[{len(text) - 2 * kept:,} characters left out]\n{text[-kept:]}"
