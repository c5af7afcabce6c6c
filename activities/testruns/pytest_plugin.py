"""A pytest plugin that writes events to june, one JSON object a line, through a pipe of its own.

Loaded into the tests' process by ``-p activities.testruns.pytest_plugin``, so it imports nothing of june but names.
It does not parse what is printed: outcomes come from pytest's own reports. No worker imports it, as few have pytest.
"""

import hashlib
import json
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activities.testruns.pytest_protocol import ENDED, EVENTS, WORK

MAX_NODE_CHARS = 1000
MAX_MESSAGE_CHARS = 2000

Emit = Callable[..., None]


def pytest_configure(config: pytest.Config) -> None:
    """Open the pipe, enter the tests' working folder, and register the hooks."""
    # Removed from the environment, as programs that the tests start may be pytest as well.
    pipe = int(os.environ.pop(EVENTS))
    ended = frozenset(json.loads(Path(os.environ.pop(ENDED)).read_text()))
    os.set_inheritable(pipe, False)
    os.chdir(os.environ.pop(WORK))
    # A test that kills its interpreter leaves a message, not gigabytes of memory on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

    def emit(event: str, **fields: object) -> None:
        line = json.dumps({"event": event} | fields).encode() + b"\n"
        while line:
            line = line[os.write(pipe, line) :]

    config.pluginmanager.register(Reports(emit, ended), "june-reports")


class Reports:
    """Hooks of pytest that write events: collecting, uncollected, found, began, ended, finished."""

    def __init__(self, emit: Emit, ended: frozenset[str]) -> None:
        self._emit = emit
        self._ended = ended
        self._outcome = ""
        self._message = ""
        self._seconds = 0.0
        self._stopped = ""

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Report the module that is about to be imported, in case it hangs or kills the interpreter."""
        if isinstance(collector, pytest.Module):
            self._emit("collecting", node=shortened(collector.nodeid))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Report a module whose tests cannot be listed, or that is skipped as a whole."""
        if not report.passed:
            outcome = "skipped" if report.skipped else "error"
            self._emit("uncollected", node=shortened(report.nodeid), outcome=outcome, message=message_of(report))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out tests that have an outcome already, by their full names (``--deselect`` goes by prefixes)."""
        left_out = [item for item in items if shortened(item.nodeid) in self._ended]
        if left_out:
            items[:] = [item for item in items if shortened(item.nodeid) not in self._ended]
            config.hook.pytest_deselected(items=left_out)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Report the tests."""
        for item in session.items:
            self._emit("found", node=shortened(item.nodeid))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Report that a test begins."""
        self._outcome, self._message, self._seconds = "passed", "", 0.0
        self._emit("began", node=shortened(nodeid))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the outcome of a phase of the test (setup, call, teardown)."""
        self._seconds += report.duration
        outcome = outcome_of(report)
        if outcome != "passed" and self._outcome not in {"failed", "error"}:
            self._outcome, self._message = outcome, message_of(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Report the test's outcome."""
        self._emit("ended", node=shortened(nodeid), outcome=self._outcome, seconds=self._seconds, message=self._message)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Record why a test ended the whole run (``pytest.exit``)."""
        if isinstance(excinfo.value, pytest.exit.Exception):
            self._stopped = str(excinfo.value.msg)[:MAX_MESSAGE_CHARS] or "pytest.exit"

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Report that all tests have ended."""
        self._emit("finished", code=int(exitstatus), message=self._stopped)


def outcome_of(report: pytest.TestReport) -> str:
    """Return a phase's outcome as pytest's summary names it; a set-up or tear-down that fails is an error."""
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "xpassed"
    if report.failed:
        return "failed" if report.when == "call" else "error"
    return report.outcome


def message_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return in short why; the log has the details."""
    reason: Any = getattr(report, "wasxfail", None)
    if reason is None:
        details: Any = report.longrepr
        if isinstance(details, tuple):  # of a skip: path, line, reason
            reason = details[2]
        else:
            crash = getattr(details, "reprcrash", None)
            reason = f"{Path(crash.path).name}:{crash.lineno}: {crash.message}" if crash else report.longreprtext
    return str(reason)[:MAX_MESSAGE_CHARS]


def shortened(node: str) -> str:
    """Cut a test's name where parameters make it very long; a digest keeps it unique."""
    if len(node) <= MAX_NODE_CHARS:
        return node
    return f"{node[:MAX_NODE_CHARS]}…{hashlib.sha256(node.encode(errors='replace')).hexdigest()[:8]}"
