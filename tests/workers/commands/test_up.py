"""``june up`` around a stack that starts no programs: what it prints, and how it ends."""

import asyncio
import io
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Self

import pytest
from rich.console import Console

from tests.support.waiting import until
from workers.commands import up
from workers.local.stack import Progress


class Stack:
    """Stands for the embedded stack."""

    web_url, ui_url, address, home = "http://localhost:1", "http://localhost:2", "localhost:3", Path("/home/june")
    pids: ClassVar = {"temporal": 7}
    new_keys = Path("/home/june/keys.json")
    entered: ClassVar["list[Stack]"] = []

    def __init__(self, on_ready: Callable[[Progress], None]) -> None:
        self.on_ready = on_ready
        self.stopped = False

    async def __aenter__(self) -> Self:
        self.on_ready(Progress("temporal", 1.25))
        self.entered.append(self)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.stopped = True


async def run_until_hangup(*, as_json: bool) -> str:
    """Run the command until it is ready, send SIGHUP, and return what it printed for people."""
    printed = io.StringIO()
    Stack.entered.clear()
    running = asyncio.create_task(up.run_up(Console(file=printed, width=200), as_json=as_json))
    await until(lambda: bool(Stack.entered))
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGHUP)
    await running
    assert Stack.entered[0].stopped
    return printed.getvalue()


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "Embedded", Stack)
    monkeypatch.setattr(up, "configure_logging", lambda _settings: None)


async def test_people_read_what_is_ready_and_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    printed = await run_until_hangup(as_json=False)
    assert printed.splitlines() == [
        "  ready  temporal             1.2 s",
        "",
        "june is up. Talk to it: http://localhost:1",
        "Look inside: http://localhost:2/namespaces/default/workflows",
        "All that june stores in Temporal is encrypted. Keep a copy of /home/june/keys.json.",
        "Temporal: localhost:3   Logs: /home/june/logs   Stop: Ctrl-C",
        "stopping...",
        "stopped",
    ]
    assert capsys.readouterr().out == ""


async def test_programs_read_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    await run_until_hangup(as_json=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "ready": True,
        "web_url": "http://localhost:1",
        "ui_url": "http://localhost:2",
        "temporal_address": "localhost:3",
        "pids": {"temporal": 7},
    }


async def test_a_cancellation_that_is_no_signal_is_passed_on() -> None:
    Stack.entered.clear()
    running = asyncio.create_task(up.run_up(Console(file=io.StringIO()), as_json=True))
    await until(lambda: bool(Stack.entered))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for number in up.SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)
