"""What the model is told of what came of its actions: short, as small models lose themselves in more."""

import re
import sys

from agent.actions import Run, Search
from agent.commands import Outcome, passed
from agent.files import Applied, Files, overview
from agent.suspects import suspects
from agent.transcript import cut

OPENING_CHARS = 8_000
"""Of files' contents that are told before the first step."""
TESTS_CHARS = 2500
"""Longest report of a test run that is not pytest's."""
FAILURE_CHARS = 900
MAX_FAILURES = 3
"""Failures that are shown, of pytest."""
_PYTEST_HEADING = re.compile(r"^=+ (?P<title>[^=].*?) =+$", re.MULTILINE)
_PYTEST_CASE = re.compile(r"^_{3,} .+ _{3,}$", re.MULTILINE)
_PYTEST_FRAMES = re.compile(
    r"^(?:(?:ImportError while |Hint: make |Traceback:).*|(?:/|<frozen )\S+:\d+: in .*\n(?:    .*\n?)+)\n?",
    re.MULTILINE,
)
"""Around errors of tests' modules: frames of Python's own files, and hints that do not help."""
_NAME_ERROR = re.compile(
    r"^E +NameError: name '(?P<name>\w+)' is not defined|^(?P<path>\S+):\d+: NameError$", re.MULTILINE
)
_FAILED_AT = re.compile(r"^(\S+):\d+: (\w+)$", re.MULTILINE)
"""The last line of a failure, as pytest tells it."""
_MODULES = sys.stdlib_module_names | {"pytest"}
_PYTEST_COUNTS = re.compile(r"^(?:=+ )?((?:\d+ \w+(?:, )?)+|no tests ran) in [\d.:]+s.*$", re.MULTILINE)


NO_TESTS = "There are no tests yet."
NOT_DONE = "The task is not done"
TESTS_PASS, TESTS_FAIL = "The tests pass (", "The tests fail ("


def opening(task: str, files: Files, tests: Outcome | None) -> str:
    """Return what is told before the first step; empty where there is nothing.

    Small files, how the tests end, and, where they fail, which functions the task speaks of.
    """
    told = [overview(files, OPENING_CHARS), of_tests(tests) if tests else ""]
    if tests and not passed(tests) and (named := suspects(task, files)):
        told.append(f"The task may be about: {', '.join(named)}.")
    return "\n\n".join(filter(None, told))


def of_change(applied: Applied, tests: Outcome | None) -> str:
    """Return what is told of a write or an edit, after which the tests were run; None where there are none."""
    return f"{applied.text} {of_tests(tests)}" if applied.changed else applied.text


def of_tests(tests: Outcome | None) -> str:
    """Return what is told of a test run: whether the tests pass, and of failing ones what matters."""
    if tests is None:
        return NO_TESTS
    if passed(tests):
        return f"{TESTS_PASS}{outcome_in_a_line(tests)}). If all of the task is done, finish."
    return "\n\n".join([f"{TESTS_FAIL}{outcome_in_a_line(tests)}):\n{shorten(tests.output)}", *_lacking(tests.output)])


def _lacking(output: str) -> list[str]:
    """Say which modules the failing code uses without importing them: small models do not see it in a NameError."""
    found, name = dict[str, None](), ""
    for error in _NAME_ERROR.finditer(output):
        if error["path"] and name in _MODULES:
            found[f"{error['path']} lacks the line `import {name}`."] = None
        name = error["name"] or ""
    return list(found)[:MAX_FAILURES]


def failed_at(told: str) -> list[tuple[str, str]]:
    """Return the files in which the failures ended that were told, each with the error's type."""
    return _FAILED_AT.findall(told)


def of_command(action: Run | Search, outcome: Outcome) -> str:
    """Return what the model is told of a command's end."""
    if isinstance(action, Search):
        if outcome.exit_code == 1 and not outcome.output:
            return f"Nothing in {action.path} matches."
        return cut(outcome.output.rstrip()) if outcome.exit_code == 0 else f"{_end(outcome)}.\n{cut(outcome.output)}"
    output = cut(outcome.output.rstrip())
    return f"{_end(outcome)}, output:\n{output}" if output else f"{_end(outcome)}, without output."


def outcome_in_a_line(tests: Outcome) -> str:
    """Return how a test run ended, such as ``2 failed, 1 passed``."""
    counts = list(_PYTEST_COUNTS.finditer(tests.output))
    if tests.exit_code is None or not counts:
        return _end(tests)
    return ", ".join(count for count in counts[-1][1].split(", ") if "warning" not in count)


def shorten(output: str) -> str:
    """Return what of a failing test run's output matters: of pytest the first failures without anything around them."""
    parts = _PYTEST_HEADING.split(output)  # text, title, text, title, text...
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    failures = [
        _PYTEST_FRAMES.sub("", part).strip("\n")
        for title in ("ERRORS", "FAILURES")
        for part in _PYTEST_CASE.split(sections.get(title, ""))[1:]
    ]
    if not failures:
        return cut(output.strip(), TESTS_CHARS)
    more = len(failures) - MAX_FAILURES
    shown = [_end_of(failure) for failure in failures[:MAX_FAILURES]]
    return "\n\n".join([*shown, f"[{more} more failures]"] if more > 0 else shown)


def _end_of(failure: str) -> str:
    """Return a failure's last lines: what was expected, and where, is told at its end."""
    kept: list[str] = []
    for line in reversed(failure.splitlines()):
        if kept and sum(map(len, kept)) + len(line) > FAILURE_CHARS:
            kept.append("...")
            break
        kept.append(line[:FAILURE_CHARS])
    return "\n".join(reversed(kept))


def _end(outcome: Outcome) -> str:
    if outcome.timed_out:
        return "Killed: it took too long"
    if outcome.out_of_memory:
        return "Killed: out of memory"
    return "Killed" if outcome.exit_code is None else f"Exit code {outcome.exit_code}"
