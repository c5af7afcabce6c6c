"""Options of ``june tests``: parsed, or refused with advice."""

from datetime import timedelta

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from workers.clients.testruns import summary_of
from workers.commands.testruns_options import UNITS, chats_of, owners_chats, request_of, span_of


def test_a_request_is_made_of_what_was_said() -> None:
    request = request_of(["test_a.py"], "one", "not slow", chats_of(["telegram:-100"]), parallel=2)
    assert request.selection.tests == ("test_a.py",)
    assert (request.selection.keyword, request.selection.markers, request.parallel) == ("one", "not slow", 2)
    assert [(chat.platform, chat.chat) for chat in request.alerts] == [("telegram", "-100")]
    assert summary_of(request) == "test_a.py -k one -m not slow"
    with pytest.raises(typer.BadParameter, match="--version"):
        request_of(["--version"], "", "", ())
    with pytest.raises(typer.BadParameter, match="PLATFORM:CHAT"):
        chats_of(["somebody"])


def test_owners_are_told_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_TELEGRAM_OWNERS", "11, 22")
    monkeypatch.setenv("JUNE_DISCORD_OWNERS", "33")
    told = [("telegram", "11"), ("telegram", "22"), ("discord", "@33")]
    assert [(chat.platform, chat.chat) for chat in owners_chats()] == told


def test_spans() -> None:
    assert [span_of(text) for text in ("30m", "6h", "1d", "")] == [
        timedelta(minutes=30),
        timedelta(hours=6),
        timedelta(days=1),
        None,
    ]
    for wrong in ("6", "h", "0m", "-1h", "6 weeks"):
        with pytest.raises(typer.BadParameter):
            span_of(wrong)


@given(number=st.integers(1, 10_000), unit=st.sampled_from(sorted(UNITS)))
def test_every_span_that_is_well_formed_is_read(number: int, unit: str) -> None:
    assert span_of(f"{number}{unit}") == number * UNITS[unit]


@given(st.text(min_size=1))
def test_any_other_text_is_a_span_or_refused(text: str) -> None:
    try:
        span = span_of(text)
    except typer.BadParameter:
        return
    assert span is not None
    assert span > timedelta(0)


@given(st.text())
def test_any_text_is_a_chat_or_refused(text: str) -> None:
    try:
        (chat,) = chats_of([text])
    except typer.BadParameter:
        return
    assert f"{chat.platform}:{chat.chat}" == text
