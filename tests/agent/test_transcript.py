"""The transcript is read as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.actions import Edit, Finish, Read, Run, RunTests, Search, Write
from agent.transcript import OBSERVATION_CHARS, Entry, Observation, Remark, Task, Turn, cut, dump, has_acted, load

TEXT = st.text(st.characters(), max_size=50)
SOME = st.text(st.characters(), min_size=1, max_size=50)
ACTIONS = st.one_of(
    st.builds(Run, command=SOME, seconds=st.none() | st.floats(0.1, 1e6)),
    st.builds(Read, path=SOME, first_line=st.integers(1, 10**9), lines=st.integers(1, 2000)),
    st.builds(Write, path=SOME, content=TEXT),
    st.builds(Edit, path=SOME, old=SOME, new=TEXT),
    st.builds(Search, pattern=SOME, path=SOME),
    st.builds(RunTests),
    st.builds(Finish, summary=TEXT),
)
STEPS = st.integers(0, 10_000)
ENTRIES = st.one_of(
    st.builds(Task, text=TEXT, test_command=st.none() | TEXT, files=st.lists(TEXT, max_size=3).map(tuple)),
    st.builds(Turn, step=STEPS, text=TEXT, action=st.none() | ACTIONS, problem=TEXT, call_id=TEXT),
    st.builds(Observation, step=STEPS, text=TEXT, ref=TEXT),
    st.builds(Remark, text=TEXT, by=st.sampled_from(["person", "june"])),
)


@given(st.lists(ENTRIES, max_size=6))
def test_what_was_written_is_read(entries: list[Entry]) -> None:
    assert load(dump(entries)) == tuple(entries)


@given(st.lists(ENTRIES, max_size=3), st.lists(ENTRIES, max_size=3))
def test_dumps_can_be_appended(first: list[Entry], second: list[Entry]) -> None:
    assert load(dump(first) + dump(second)) == (*first, *second)


@given(st.binary(max_size=200))
def test_anything_else_is_a_value_error(data: bytes) -> None:
    if data.strip(b"\n"):
        with pytest.raises(ValueError):  # noqa: PT011 - pydantic's
            load(data)


@given(st.text(max_size=500), st.integers(100, 300))
def test_a_cut_text_is_short_and_keeps_both_ends(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short) <= limit
    assert short == text or (text.startswith(short[:20]) and text.endswith(short[-20:]))


def test_what_is_missing_is_counted() -> None:
    short = cut("a" * 20_000 + "b" * 20_000)
    assert len(short) <= OBSERVATION_CHARS
    assert "a\n[30,060 characters left out]\nb" in short


def test_a_finish_alone_is_no_deed() -> None:
    done, read = Turn(step=1, text="", action=Finish(summary="")), Turn(step=2, text="", action=Read(path="a"))
    assert not has_acted([Task(text="x"), done, Turn(step=2, text="?")])
    assert has_acted([done, read])
