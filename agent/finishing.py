"""Whether a ``finish`` counts: what was done, and the tests, decide, not the model."""

import re
from collections.abc import Collection, Sequence

from agent.actions import Finish
from agent.commands import Outcome, passed
from agent.observations import NOT_DONE, of_tests
from agent.transcript import Entry, Task, Turn, has_acted

MAX_REFUSALS = 2
"""Times that a finish with failing tests, without a file that is named, or before anything was done, is answered so;
then it counts."""
NOTHING_DONE = f"{NOT_DONE}: you have done nothing yet. Write the files that it asks for."
_FILE = re.compile(r"`((?:[\w-]+/)*[\w-]+\.(?:py|pyi|toml|json|ya?ml|md|rst|txt|csv|html|css|js|ts|sh|sql|ini|cfg))`")
"""A file that a task names, in backticks."""


def refusal(entries: Sequence[Entry], tests: Outcome | None, paths: Collection[str]) -> str | None:
    """Return why the last turn's ``finish`` does not count, as its observation; None where it does.

    Args:
        entries: the transcript, up to and with that turn.
        tests: how its tests ended after that; None where it has none.
        paths: the files of the workspace.

    """
    finishes = sum(isinstance(entry, Turn) and isinstance(entry.action, Finish) for entry in entries)
    if finishes > MAX_REFUSALS:
        return None
    missing = [name for name in _named(entries) if not any(f"/{path}".endswith(f"/{name}") for path in paths)]
    if has_acted(entries) and missing:
        return f"{NOT_DONE}. It names files that are not there: {', '.join(missing)}. Write them now."
    if tests and passed(tests):
        return None
    told = of_tests(tests) if tests else ""
    if not has_acted(entries):
        return f"{NOTHING_DONE} {told}".rstrip()
    return f"{NOT_DONE}. {told}" if tests else None


def _named(entries: Sequence[Entry]) -> list[str]:
    """List the files that the task names."""
    texts = [entry.text for entry in entries if isinstance(entry, Task)]
    return list(dict.fromkeys(name for text in texts for name in _FILE.findall(text)))
