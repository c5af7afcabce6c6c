"""Whether a ``finish`` counts: the tests decide, not the model."""

from collections.abc import Sequence

from agent.actions import Finish
from agent.commands import Outcome, passed
from agent.observations import of_tests
from agent.transcript import Entry, Turn

MAX_REFUSALS = 2
"""Times that a finish with failing tests is answered by their output; then it counts."""


def refusal(entries: Sequence[Entry], tests: Outcome | None) -> str | None:
    """Return why the last turn's ``finish`` does not count, as its observation; None where it does.

    Args:
        entries: the transcript, up to and with that turn.
        tests: how its tests ended after that; None where it has none.

    """
    finishes = sum(isinstance(entry, Turn) and isinstance(entry.action, Finish) for entry in entries)
    if tests is None or passed(tests) or finishes > MAX_REFUSALS:
        return None
    return f"The task is not done. {of_tests(tests)}"
