"""What a benchmark of speech hands to its activities; imports no engine."""

from pydantic import Field

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import Attempt, AttemptOutcome, Pinned
from activities.coding.storage import Owner
from activities.synthesize import Speech
from activities.values import Value

WHY_CHARS = 500


class MeasureRequest(Value):
    """One attempt at one task; its options are pinned."""

    pinned: Pinned
    task: str = Field(max_length=200)
    """Such as ``de-01@10dB``."""
    sample: int = 0
    """From 0."""
    said: Speech | None = None
    """Text to speech: what ``say`` has made of the task."""
    waits_for_live: bool = True
    """It does not begin beside turns that somebody waits for."""

    @property
    def owner(self) -> Owner:
        """Whose its sound and texts are in the store."""
        return owner_of(self.pinned.run, self.task, self.sample)

    def unmeasured(self, why: str) -> Attempt:
        """Return the attempt that could not be measured."""
        return Attempt(task=self.task, sample=self.sample, outcome=AttemptOutcome.UNMEASURED, why=why[:WHY_CHARS])
