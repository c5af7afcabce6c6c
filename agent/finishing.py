"""Whether a ``finish`` counts: what was done, and the tests, decide, not the model."""

from collections.abc import Sequence

from agent.actions import Finish
from agent.commands import Outcome, passed
from agent.observations import of_tests
from agent.transcript import Entry, Turn

MAX_REFUSALS = 2
"""Times that a finish with failing tests, or before anything was done, is answered so; then it counts."""
NOTHING_DONE = "The task is not done: you have done nothing yet. Write the files that it asks for."


def refusal(entries: Sequence[Entry], tests: Outcome | None) -> str | None:
    """Return why the last turn's ``finish`` does not count, as its observation; None where it does.

    Args:
        entries: the transcript, up to and with that turn.
        tests: how its tests ended after that; None where it has none.

    """
    actions = [entry.action for entry in entries if isinstance(entry, Turn) and entry.action]
    finishes = sum(isinstance(action, Finish) for action in actions)
    if finishes > MAX_REFUSALS:
        return None
    if finishes == len(actions) and not (tests and passed(tests)):
        return f"{NOTHING_DONE} {of_tests(tests)}" if tests else NOTHING_DONE
    if tests is None or passed(tests):
        return None
    return f"The task is not done. {of_tests(tests)}"
