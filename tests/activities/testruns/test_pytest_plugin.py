"""The plugin's events, from reports as pytest makes them."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.testruns.pytest_plugin import (
    MAX_MESSAGE_CHARS,
    MAX_NODE_CHARS,
    Reports,
    message_of,
    outcome_of,
    shortened,
)


def report(when: Any, outcome: Any, longrepr: Any = None, **fields: Any) -> pytest.TestReport:  # noqa: ANN401 - as pytest takes them
    """Build the report of a phase."""
    return pytest.TestReport("test_a.py::test_one", ("", 0, ""), {}, outcome, longrepr, when, duration=0.5, **fields)


@pytest.mark.parametrize(
    ("phase", "outcome"),
    [
        (report("call", "passed"), "passed"),
        (report("call", "failed"), "failed"),
        (report("setup", "failed"), "error"),
        (report("teardown", "failed"), "error"),
        (report("setup", "skipped"), "skipped"),
        (report("call", "skipped", wasxfail="known"), "xfailed"),
        (report("call", "passed", wasxfail="mended"), "xpassed"),
    ],
)
def test_outcomes_are_those_of_the_summary(phase: pytest.TestReport, outcome: str) -> None:
    assert outcome_of(phase) == outcome


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        (report("setup", "skipped", ("test_a.py", 3, "Skipped: not today")), "Skipped: not today"),
        (report("call", "skipped", wasxfail="known"), "known"),
        (report("call", "failed", "all of it"), "all of it"),
        (report("call", "failed", "x" * 5000), "x" * MAX_MESSAGE_CHARS),
    ],
)
def test_messages_are_short(phase: pytest.TestReport, message: str) -> None:
    assert message_of(phase) == message


def test_a_crash_names_its_line() -> None:
    crash = SimpleNamespace(reprcrash=SimpleNamespace(path="/tests/test_a.py", lineno=7, message="one is not two"))
    assert message_of(report("call", "failed", crash)) == "test_a.py:7: one is not two"


@given(st.text(max_size=50), st.text(max_size=50), st.integers(0, 2000))
def test_long_names_are_cut_and_stay_apart(one: str, other: str, length: int) -> None:
    names = {"x" * length + one, "x" * length + other}
    assert len({shortened(name) for name in names}) == len(names)
    assert all(len(shortened(name)) <= MAX_NODE_CHARS + 9 for name in names)


class Events(list[dict[str, object]]):
    """Records events."""

    def __call__(self, event: str, **fields: object) -> None:
        self.append({"event": event} | fields)


def test_the_first_phase_that_fails_decides_and_seconds_are_summed() -> None:
    events = Events()
    reports = Reports(events, frozenset())
    reports.pytest_runtest_logstart("test_a.py::test_one")
    for phase in (report("setup", "passed"), report("call", "failed", "wrong"), report("teardown", "failed", "left")):
        reports.pytest_runtest_logreport(phase)
    reports.pytest_runtest_logfinish("test_a.py::test_one")
    reports.pytest_sessionfinish(1)
    assert events == [
        {"event": "began", "node": "test_a.py::test_one"},
        {"event": "ended", "node": "test_a.py::test_one", "outcome": "failed", "seconds": 1.5, "message": "wrong"},
        {"event": "finished", "code": 1, "message": ""},
    ]


def test_tests_with_an_outcome_are_left_out_by_their_full_names() -> None:
    deselected: list[object] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: deselected.extend(items))
    items: Any = [SimpleNamespace(nodeid=f"test_a.py::{name}") for name in ("test_one", "test_one_more")]
    first, second = items
    config: Any = SimpleNamespace(hook=hook)
    Reports(Events(), frozenset({"test_a.py::test_one"})).pytest_collection_modifyitems(config, items)
    assert (items, deselected) == ([second], [first])
