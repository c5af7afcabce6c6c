"""When a task stops before it is done."""

import hashlib
import re
from enum import StrEnum

from pydantic import Field

from agent.actions import Action, Value

LONGEST_CYCLE = 4
"""Steps of what is repeated; a model that cannot get on goes round in such cycles."""
DIGEST_CHARS = 12
WARMER = 0.4
MOST_WARMTH = 1.0
"""A small model that is asked the same again at a low temperature says the same again."""
_CHANCE = re.compile(r"\d+(\.\d+)? ?(ms|s|seconds?)\b|0x[0-9a-f]+|/tmp/\S+")


class Stop(StrEnum):
    """Why a task stops; an error code of the coding task."""

    STEPS = "limit-steps"
    TOKENS = "limit-tokens"
    SECONDS = "limit-seconds"
    PROBLEMS = "format-errors"
    REPEATS = "repeating"


class Limits(Value):
    """How far a task may go."""

    steps: int = Field(default=40, ge=1)
    tokens: int = Field(default=2_000_000, ge=1)
    """Read and written by the model, all steps together."""
    seconds: float = Field(default=3600, gt=0)
    problems: int = Field(default=4, ge=1)
    """Answers in a row that are no action."""
    repeats: int = Field(default=5, ge=2)
    """Times in a row that the same action brought the same observation, or a cycle of a few did."""


class Progress(Value):
    """How far a task is."""

    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    problems: int = 0
    """In a row."""
    action: str = ""
    """Digest of the action that has no observation yet."""
    recent: tuple[str, ...] = ()
    """Digests of the last actions with their observations, the newest last; as many as cycles are found in."""

    @property
    def repeats(self) -> int:
        """Times that the last action, or cycle of up to ``LONGEST_CYCLE`` actions, was done in a row."""
        most = 1
        for period in range(1, LONGEST_CYCLE + 1):
            times, cycle = 1, self.recent[-period:]
            while cycle and self.recent[-period * (times + 1) : -period * times] == cycle:
                times += 1
            most = max(most, times)
        return most

    @property
    def same_actions(self) -> int:
        """Times that the last action was done in a row, whatever came of it; or one more than answers held none."""
        if self.problems:
            return self.problems + 1
        actions = [digest[:DIGEST_CHARS] for digest in reversed(self.recent)]
        return next((times for times, action in enumerate(actions) if action != actions[0]), len(actions))

    def after_turn(self, action: str, tokens: int, seconds: float) -> "Progress":
        """Count a step.

        Args:
            action: ``action_digest`` of the model's action; empty where there was none.
            tokens: that it has read and written in this step.
            seconds: since the task began, pauses not counted.

        """
        return self.model_copy(
            update={
                "steps": self.steps + 1,
                "tokens": self.tokens + tokens,
                "seconds": seconds,
                "problems": 0 if action else self.problems + 1,
                "action": action,
            }
        )

    def after_observation(self, observation: str, limits: Limits) -> "Progress":
        """Remember what came of the step: the ``observation_digest`` of what the model is told."""
        digest = f"{self.action}{observation}"
        return self.model_copy(update={"recent": (*self.recent, digest)[-LONGEST_CYCLE * limits.repeats :]})


def why_stop(progress: Progress, limits: Limits) -> Stop | None:
    """Return why the task stops here; None where it goes on."""
    reached = {
        Stop.REPEATS: progress.repeats >= limits.repeats,
        Stop.PROBLEMS: progress.problems >= limits.problems,
        Stop.STEPS: progress.steps >= limits.steps,
        Stop.TOKENS: progress.tokens >= limits.tokens,
        Stop.SECONDS: progress.seconds >= limits.seconds,
    }
    return next((stop for stop, is_reached in reached.items() if is_reached), None)


def nudge(progress: Progress, limits: Limits) -> str | None:
    """Return what a model is told that will be stopped if it repeats itself once more; None for any other."""
    if progress.repeats != limits.repeats - 1 or progress.repeats < 2:
        return None
    return "You have done that before, and nothing changed. Do something else: read what the output says, and why."


def temperature_after(repeated: int, temperature: float) -> float:
    """Return the sampling temperature after the same action was done so many times in a row: each one warms it."""
    return max(temperature, min(MOST_WARMTH, temperature + WARMER * max(0, repeated - 1)))


def action_digest(action: Action) -> str:
    """Return what is equal for equal actions."""
    return hashlib.sha256(action.model_dump_json().encode()).hexdigest()[:DIGEST_CHARS]


def observation_digest(text: str) -> str:
    """Return what is equal for equal observations; times and addresses in them do not count."""
    return hashlib.sha256(_CHANCE.sub("", text).encode()).hexdigest()[:DIGEST_CHARS]
