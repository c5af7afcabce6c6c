"""Commands of the agent, as the sandbox runs them."""

import re
from collections.abc import Collection
from typing import Protocol

from agent.actions import Run, Search
from agent.transcript import Task

PYTEST = "python3 -m pytest -q"
"""The tests of a task that names no command, once there are any."""
_NOT_SEARCHED = (".git", ".venv", "node_modules", "__pycache__")
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")


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


def find_test_command(task: Task, paths: Collection[str]) -> str | None:
    """Return the command that runs a task's tests: its own, or pytest where a workspace with these paths has tests."""
    if task.test_command:
        return task.test_command
    return PYTEST if any(map(is_test, paths)) else None


def is_test(path: str) -> bool:
    """Return whether pytest takes a file of this path for tests."""
    return bool(_TEST_FILE.search(path))


def passed(outcome: Outcome) -> bool:
    """Return whether a test command says that all is well; that no test was found (pytest: 5) is not."""
    return outcome.exit_code == 0
