"""Commands of the agent, as the sandbox runs them, and what the model is told of how they ended."""

import re
from collections.abc import Collection
from typing import Protocol

from agent.actions import Run, Search
from agent.transcript import Task, cut

PYTEST = "python3 -m pytest -q"
"""The tests of a task that names no command, once there are any."""
TESTS_CHARS = 2500
"""Longest report of a test run: small models lose themselves in more."""
FAILURE_CHARS = 900
MAX_FAILURES = 3
"""Failures that are shown, of pytest."""
_NOT_SEARCHED = (".git", ".venv", "node_modules", "__pycache__")
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")
_PYTEST_HEADING = re.compile(r"^=+ (?P<title>[^=].*?) =+$", re.MULTILINE)
_PYTEST_CASE = re.compile(r"^_{3,} .+ _{3,}$", re.MULTILINE)
_PYTEST_COUNTS = re.compile(r"^(?:=+ )?((?:\d+ \w+(?:, )?)+|no tests ran) in [\d.:]+s.*$", re.MULTILINE)


class Outcome(Protocol):
    """How a command ended; the sandbox's ``ExecResult`` is one."""

    @property
    def exit_code(self) -> int | None:
        """None where it was killed."""

    @property
    def output(self) -> str:
        """Standard output and error."""

    @property
    def timed_out(self) -> bool:
        """It was killed, as it took too long."""

    @property
    def out_of_memory(self) -> bool:
        """It was killed, as it took too much memory."""


def argv(action: Run | Search) -> tuple[str, ...]:
    """Return the program and its arguments, to be run in the workspace."""
    if isinstance(action, Run):
        return shell(action.command.replace("\0", ""))  # no argument can hold it
    pattern, path = action.pattern.replace("\0", ""), action.path.replace("\0", "")
    excluded = (f"--exclude-dir={name}" for name in _NOT_SEARCHED)
    return ("grep", "-rnIE", *excluded, "-m", "50", "-e", pattern, "--", path)


def shell(command: str) -> tuple[str, ...]:
    """Return how a shell runs this line."""
    return ("bash", "-c", command)


def test_command(task: Task, paths: Collection[str]) -> str | None:
    """Return the command that runs a task's tests: its own, or pytest where a workspace with these paths has tests."""
    if task.test_command:
        return task.test_command
    return PYTEST if any(_TEST_FILE.search(path) for path in paths) else None


def passed(outcome: Outcome) -> bool:
    """Return whether a test command says that all is well; that no test was found (pytest: 5) is not."""
    return outcome.exit_code == 0


def describe(action: Run | Search, outcome: Outcome) -> str:
    """Return what the model is told of a command's end."""
    if isinstance(action, Search):
        if outcome.exit_code == 1 and not outcome.output:
            return f"Nothing in {action.path} matches."
        return cut(outcome.output.rstrip()) if outcome.exit_code == 0 else f"{_end(outcome)}.\n{cut(outcome.output)}"
    output = cut(outcome.output.rstrip())
    return f"{_end(outcome)}, output:\n{output}" if output else f"{_end(outcome)}, without output."


def describe_tests(outcome: Outcome) -> str:
    """Return what the model is told of a test run: whether they pass, and of a failing one what matters."""
    if passed(outcome):
        return f"The tests pass ({in_a_line(outcome)})."
    return f"The tests fail ({in_a_line(outcome)}):\n{shorten(outcome.output)}"


def in_a_line(outcome: Outcome) -> str:
    """Return how a test run ended, such as ``2 failed, 1 passed``."""
    counts = list(_PYTEST_COUNTS.finditer(outcome.output))
    if outcome.exit_code is None or not counts:
        return _end(outcome)
    return counts[-1][1]


def shorten(output: str) -> str:
    """Return what of a failing test run's output matters: of pytest the first failures without anything around them."""
    parts = _PYTEST_HEADING.split(output)  # text, title, text, title, text...
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    failures = [
        part.strip("\n") for title in ("ERRORS", "FAILURES") for part in _PYTEST_CASE.split(sections.get(title, ""))[1:]
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
