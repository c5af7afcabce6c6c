"""The written side of an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.infer import Inference, Written
from workflows.voice.written import WrittenAnswer, ends_of


def test_pieces_are_put_together() -> None:
    answer = WrittenAnswer()
    for piece in (
        Written(attempt=1, written="One."),
        Written(attempt=1, start=4, written=" ```py"),
        Written(attempt=1, start=4),
        Written(attempt=1, start=99, written="a hole before it"),
    ):
        answer.add(piece)
    assert answer.text == "One. ```py"
    answer.add(Written(attempt=1, start=0, written="Another"))
    assert answer.text == "Another"


def test_a_later_attempt_begins_anew_and_an_earlier_one_comes_too_late() -> None:
    answer = WrittenAnswer()
    answer.add(Written(attempt=1, written="Old."))
    answer.add(Written(attempt=2))
    assert answer.text == ""
    answer.add(Written(attempt=2, written="New."))
    answer.add(Written(attempt=1, start=4, written=" Old."))
    assert answer.text == "New."
    answer.complete(Inference(answer="Whole.", sentences=(), model="m", finish_reason="stop", attempt=2))
    assert answer.text == "Whole."


@pytest.mark.parametrize(
    ("written", "sentences", "heard"),
    [
        ("One. Two. Three.", ("One.",), "One."),
        ("One. Two. Three.", ("One.", "Two."), "One. Two."),
        ("**One.** Two.", ("One.",), "**One.**"),
        ("See [the docs](https://a.b). Two.", ("See the docs.",), "See [the docs]("),
        ("It is 5 °C. Two.", ("It is five degrees.",), "It is 5 °C. Two."),
        ("One.", (), ""),
        ("", ("One.",), ""),
        ("日本です。次。", ("日本です。",), "日本です。"),
    ],
)
def test_how_much_was_heard(written: str, sentences: tuple[str, ...], heard: str) -> None:
    assert written[: [0, *ends_of(written, sentences)][-1]] == heard


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=4))
def test_never_more_than_there_is(written: str, sentences: list[str]) -> None:
    lengths = [0, *ends_of(written, sentences)]
    assert lengths == sorted(lengths)
    assert lengths[-1] <= len(written)
