"""Requests of benchmarks of speech."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from activities.speech.requests import identifier
from activities.values import Identifier
from tests.support.speech_runs import asked


@given(st.text(min_size=1))
def test_any_name_becomes_an_identifier(name: str) -> None:
    assert TypeAdapter(Identifier).validate_python(identifier(name))


@pytest.mark.parametrize(("chat", "stored"), [("", "a-run-1"), ("given", "given")])
def test_results_are_stored_under_the_run_or_where_it_is_said(chat: str, stored: str) -> None:
    assert asked("de-01", run="a run/1", chat=chat).stored_under == stored


def test_it_waits_for_live_turns() -> None:
    assert asked("de-01").waits_for_live
