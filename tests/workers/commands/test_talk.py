"""``june talk`` and ``june demo`` around turns that are made up; real ones are in tests/e2e."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.waiting import until
from workers.commands import talk
from workers.errors import ExitCode
from workers.local.session import QUESTION, TurnReport
from workers.local.stack import Progress
from workers.roles.role import Role

REPORT = TurnReport(
    transcript="What is two plus two?",
    language="en",
    answer="It is [four].",
    reply="reply.ogg",
    reply_seconds=1.5,
    workflow_id="voice/file/a/1",
    web_ui="http://localhost:1/namespaces/default/workflows/voice%2Ffile%2Fa%2F1",
    ms={"transcribing": 250, "total": 1500},
    error=None,
)


class Turns:
    """Stands for the june that answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[Path, str, Path | None]] = []
        self.reports = [REPORT]
        self.optional: list[Role] = []

    @asynccontextmanager
    async def open_session(
        self, on_ready: Callable[[Progress], None], optional: Sequence[Role] = ()
    ) -> AsyncIterator[None]:
        self.optional += optional
        on_ready(Progress("temporal", 1.0))
        yield

    async def talk(self, _session: object, file: Path, chat: str, out: Path | None) -> TurnReport:
        self.asked.append((file, chat, out))
        return self.reports[min(len(self.asked), len(self.reports)) - 1]


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    turns = Turns()
    monkeypatch.setattr(talk, "open_session", turns.open_session)
    monkeypatch.setattr(talk, "talk", turns.talk)
    return turns


async def test_files_are_turns_of_one_conversation(turns: Turns, capsys: pytest.CaptureFixture[str]) -> None:
    failed = REPORT.model_copy(update={"error": "nothing-heard", "reply": None})
    turns.reports = [failed, REPORT]
    files, console = [Path("a.ogg"), Path("b.ogg")], Console(file=io.StringIO())
    code = await talk.run_talk(console, files, "", Path("out.ogg"), as_json=True)
    assert code is ExitCode.FAULT, "one of them failed"
    assert [(file, out) for file, _chat, out in turns.asked] == [
        (Path("a.ogg"), Path("out-1.ogg")),
        (Path("b.ogg"), Path("out-2.ogg")),
    ]
    assert len({chat for _file, chat, _out in turns.asked}) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["error"] for line in lines] == ["nothing-heard", None]


async def test_the_demo_asks_the_shipped_question_and_names_the_next_step(turns: Turns) -> None:
    printed = io.StringIO()
    code = await talk.run_demo(Console(file=printed, width=200), keep=False, as_json=False)
    assert code is ExitCode.OK
    ((file, _chat, out),) = turns.asked
    assert (file, out and out.name) == (QUESTION, "reply.ogg")
    lines = [" ".join(line.split()) for line in printed.getvalue().splitlines()]
    for expected in (
        "heard What is two plus two?",
        "spoken reply.ogg (1.5 s)",
        "time transcribing 0.25 s total 1.50 s",
        f"Web UI: {REPORT.web_ui}",
        "To look into it: `june up`, then open the link. To ask: `june talk FILE`.",
    ):
        assert expected in lines


async def test_a_demo_that_failed_says_so(turns: Turns) -> None:
    turns.reports = [REPORT.model_copy(update={"error": "model-unavailable", "reply": None, "answer": ""})]
    printed = io.StringIO()
    assert await talk.run_demo(Console(file=printed), keep=False, as_json=False) is ExitCode.FAULT
    assert "model-unavailable" in printed.getvalue()


async def test_a_demo_that_goes_on_has_the_web_ui_to_look_into(turns: Turns) -> None:
    printed = io.StringIO()
    demo = asyncio.create_task(talk.run_demo(Console(file=printed, width=200), keep=True, as_json=False))
    await until(lambda: "june goes on running" in printed.getvalue())
    demo.cancel()
    assert turns.optional == [Role.WEB]


async def test_no_link_is_shown_where_the_web_ui_is_not(turns: Turns) -> None:
    turns.reports = [REPORT.model_copy(update={"web_ui": None})]
    printed = io.StringIO()
    await talk.run_demo(Console(file=printed, width=200), keep=False, as_json=False)
    assert turns.optional == []
    assert "Web UI:" not in printed.getvalue()
