"""Whether a ``finish`` counts: what was done, and the tests, decide, not the model."""

from collections.abc import Sequence

from agent.actions import Finish
from agent.commands import Outcome, passed
from agent.observations import of_tests
from agent.transcript import Entry, Turn, has_acted

MAX_REFUSALS = 2
"""Times that a finish with failing tests, or before anything was done, is answered so; then it counts."""
NOTHING_DONE = "The task is not done: you have done nothing yet. Write the files that it asks for."


def refusal(entries: Sequence[Entry], tests: Outcome | None) -> str | None:
    """Return why the last turn's ``finish`` does not count, as its observation; None where it does.

    Args:
        entries: the transcript, up to and with that turn.
        tests: how its tests ended after that; None where it has none.

    """
    finishes = sum(isinstance(entry, Turn) and isinstance(entry.action, Finish) for entry in entries)
    if finishes > MAX_REFUSALS or (tests and passed(tests)):
        return None
    told = of_tests(tests) if tests else ""
    if not has_acted(entries):
        return f"{NOTHING_DONE} {told}".rstrip()
    return f"The task is not done. {told}" if tests else None
