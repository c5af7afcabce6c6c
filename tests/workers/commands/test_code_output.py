"""Coding tasks on the terminal."""

import io
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from activities.sandbox.changes import Applied
from workers.clients.coding import ListedTask, News
from workers.commands import code_output as output
from workers.commands.code_output import Screen, clock, printable, show_tasks, write_patch
from workflows.coding.contracts import CodingOutcome, CodingReport, CodingStage, CodingStatus, StepLine

CONTROL = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
Captured = pytest.CaptureFixture[str]
STATUS = CodingStatus(
    task="Make it add up.",
    outcome=CodingOutcome.RUNNING,
    stage=CodingStage.ACT,
    step=2,
    max_steps=9,
    elapsed_seconds=75.5,
    tokens=1234,
    lines=(StepLine(step=1, text="read a.py: 1 line", seconds=1, tokens=5), StepLine(step=2, text="run [x]\x1b[2J")),
)
REPORT = CodingReport(
    outcome=CodingOutcome.FINISHED,
    summary="Done.\nAll of it.",
    tests="2 passed",
    tests_passed=True,
    steps=3,
    seconds=61,
    prompt_tokens=1000,
    completion_tokens=234,
    model="small",
)
PATCH = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\r\n+x = 2\r\n"


def screen(*, terminal: bool = False) -> tuple[Screen, io.StringIO]:
    """Make a screen, and what is printed on it."""
    printed = io.StringIO()
    colours: Literal["standard"] | None = "standard" if terminal else None
    console = Console(file=printed, force_terminal=terminal, width=80, highlight=False, color_system=colours)
    return Screen(console), printed


async def news(*several: News) -> AsyncIterator[News]:
    """Tell these."""
    for one in several:
        yield one


async def test_steps_are_lines_where_there_is_no_terminal() -> None:
    shown, printed = screen()
    await shown.follow(news(News((), None), News(STATUS.lines[:1], STATUS), News(STATUS.lines[1:], STATUS)))
    assert printed.getvalue() == "  1  read a.py: 1 line  1.0 s, 5 tokens\n  2  run [x]\\x1b[2J\n"


@pytest.mark.parametrize(
    ("stage", "shown"),
    [
        ("prepare", "preparing the workspace  step 2 of 9"),
        ("think", "thinking  step 3 of 9, 1:15, 1,234 tokens"),
        ("act", "acting: run [x]\\x1b[2J  step 2 of 9"),
        ("paused", "paused: june code resume  step 2 of 9"),
    ],
)
async def test_a_terminal_shows_what_is_going_on_below_the_steps(stage: str, shown: str) -> None:
    status = STATUS.model_copy(update={"stage": CodingStage(stage)})
    page, printed = screen(terminal=True)
    await page.follow(news(News((), None), News(STATUS.lines[:1], status)))
    assert "read a.py: 1 line" in printed.getvalue()
    assert shown in CONTROL.sub("", printed.getvalue())


async def test_the_clock_goes_on_between_a_task_s_events(monkeypatch: pytest.MonkeyPatch) -> None:
    page, printed = screen(terminal=True)
    times = iter((100.0, 102.0, 107.0))

    async def later() -> AsyncIterator[News]:
        for seconds in times:
            monkeypatch.setattr(output, "monotonic", lambda now=seconds: now)
            yield News((), STATUS)
            page.line("so that the line below is drawn anew")

    await page.follow(later())
    shown = CONTROL.sub("", printed.getvalue())
    assert [clock in shown for clock in ("1:15", "1:17", "1:22")] == [True, True, True]


def test_a_patch_has_colours_on_a_terminal_and_none_elsewhere(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    page, printed = screen(terminal=True)
    page.diff(PATCH, "a")
    assert "\x1b[31m-x = 1\\r\x1b[0m\n" in printed.getvalue()
    assert "\x1b[32m+x = 2\\r\x1b[0m\n" in printed.getvalue()
    assert "\x1b[36m@@ -1 +1 @@\x1b[0m\n" in printed.getvalue()
    write_patch(PATCH, "a")
    assert capsysbinary.readouterr().out == PATCH.encode()


def test_of_a_long_patch_the_beginning_is_shown() -> None:
    page, printed = screen()
    page.diff("+x\n" * 2000, "a")
    lines = printed.getvalue().splitlines()
    assert len(lines) == output.SHOWN_DIFF_LINES + 1
    assert lines[-1] == "... and 1000 lines more: june code diff a"


def test_a_report_in_words() -> None:
    page, printed = screen()
    page.outcome(REPORT, "", "a")
    assert printed.getvalue().splitlines() == [
        "",
        "nothing has changed",
        "tests: 2 passed",
        *("the agent says: Done.", "All of it."),
        "finished after 3 steps, 1:01, 1,234 tokens (small)",
    ]
    failed = CodingReport(outcome=CodingOutcome.FAILED, code="model-unavailable", reason="It did not answer.")
    page, printed = screen()
    page.report(failed)
    assert printed.getvalue().splitlines() == [
        "failed after 0 steps, 0:00, 0 tokens",
        "It did not answer. (model-unavailable)",
    ]


def test_a_task_without_tests_says_so() -> None:
    page, printed = screen()
    page.report(REPORT.model_copy(update={"tests": "", "tests_passed": None}))
    assert printed.getvalue().startswith("tests: there are none\n")


def test_a_status_in_words() -> None:
    page, printed = screen()
    page.status("a", STATUS)
    assert printed.getvalue().splitlines()[-1] == "a: acting, step 2 of 9, 1:15, 1,234 tokens"
    page.status("a", STATUS.model_copy(update={"report": REPORT}))
    assert printed.getvalue().splitlines()[-1].startswith("finished after 3 steps")


@pytest.mark.parametrize(
    ("applied", "told"),
    [
        (Applied(("a.py", "b\x1b.py"), ()), "/x: wrote a.py, b\\x1b.py"),
        (Applied(("a.py",), ("c.py",)), "/x: wrote a.py; removed c.py"),
        (Applied((), ()), "/x: all is as the task has left it already"),
    ],
)
def test_what_was_applied(applied: Applied, told: str) -> None:
    page, printed = screen()
    page.applied(applied, Path("/x"))
    assert printed.getvalue() == f"{told}\n"


def test_what_is_left_out_is_named() -> None:
    page, printed = screen()
    page.skipped([])
    page.skipped([f"{number}: a FIFO" for number in range(12)])
    assert printed.getvalue().startswith("left out: 0: a FIFO; 1: a FIFO; ")
    assert printed.getvalue().endswith("9: a FIFO, and 2 more\n")


def test_a_list_is_a_table_or_json(capsys: Captured) -> None:
    listed = [
        ListedTask(
            id="code/a",
            run_id="1",
            task="Make [it] add\x1b up.",
            outcome=CodingOutcome.FINISHED,
            started_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            report=REPORT,
        ),
        ListedTask(
            id="code/b",
            run_id="2",
            task="",
            outcome=CodingOutcome.RUNNING,
            started_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        ),
    ]
    show_tasks(listed, as_json=False)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1:] == [
        "finished a Make [it] add\\x1b up. 3 2026-01-02 03:04:05",
        "running b 2026-01-02 03:04:05",
    ]
    show_tasks(listed, as_json=True)
    assert [task["id"] for task in json.loads(capsys.readouterr().out)] == ["code/a", "code/b"]


@given(st.text())
def test_nothing_invisible_is_printed(text: str) -> None:
    shown = printable(text)
    assert all(sign.isprintable() or sign in "\n\t" for sign in shown)
    if text.isprintable():
        assert shown == text


def test_a_clock() -> None:
    assert [clock(seconds) for seconds in (0, 59.9, 61, 4000)] == ["0:00", "0:59", "1:01", "66:40"]
