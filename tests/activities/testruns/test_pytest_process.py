"""Real processes of pytest: their events, and their end."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.processes.bounded_log import BoundedLog
from activities.processes.workspace import Workspace
from activities.testruns.pytest_process import MAX_LINE_BYTES, Event, PytestProcess, _Lines
from tests.support.suites import GOOD, tagged, write_suite


async def all_events(process: PytestProcess) -> list[Event]:
    """Take events to their end."""
    events = []
    while event := await process.event(60):
        events.append(event)
    return events


@pytest.mark.slow
async def test_events_come_in_order_and_what_is_printed_is_in_the_log(place: Workspace, tmp_path: Path) -> None:
    root, log = write_suite(tmp_path / "suite", test_good=GOOD), BoundedLog()
    async with PytestProcess(place, root, [str(root)], log, ended={"test_good.py::test_two[de]"}) as process:
        events = await all_events(process)
    assert [(event.event, event.node) for event in events] == [
        ("collecting", "test_good.py"),
        ("found", "test_good.py::test_one"),
        ("found", "test_good.py::test_two[en]"),
        ("began", "test_good.py::test_one"),
        ("ended", "test_good.py::test_one"),
        ("began", "test_good.py::test_two[en]"),
        ("ended", "test_good.py::test_two[en]"),
        ("finished", ""),
    ]
    assert process.end == "its process ended with code 0"
    assert b"one says hello" in log.content()


@pytest.mark.slow
async def test_nothing_is_left_when_the_block_ends_early(place: Workspace, tmp_path: Path) -> None:
    root = write_suite(tmp_path / "suite", test_hang="import time\ndef test_hangs():\n    time.sleep(600)\n")
    async with PytestProcess(place, root, [str(root)], BoundedLog()) as process:
        while (event := await process.event(60)) and event.event != "began":
            pass
        with pytest.raises(TimeoutError):
            await process.event(0.1)
    assert process.end == "its process was killed by SIGKILL"
    assert tagged(place) == []
    assert [path.name for path in place.folder.iterdir()] == ["lock"]


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)), st.integers(1, 10))
def test_lines_are_whole_however_they_are_cut(lines: list[bytes], size: int) -> None:
    taken: list[bytes] = []
    take, data = _Lines(taken.append), b"".join(line + b"\n" for line in lines)
    for start in range(0, len(data), size):
        take(data[start : start + size])
    assert taken == lines


def test_an_endless_line_costs_no_endless_memory() -> None:
    taken: list[bytes] = []
    take = _Lines(taken.append)
    for _ in range(5):
        take(b"x" * MAX_LINE_BYTES)
    take(b"\nnext\n")
    assert (len(taken[0]), taken[1]) == (MAX_LINE_BYTES, b"next")
