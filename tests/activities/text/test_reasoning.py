"""Thoughts are kept apart, wherever the stream is cut."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.text.reasoning import Thoughts

MARKED = st.lists(
    st.sampled_from(["<think>", "</think>", "<THINK>", "</thinking>", "<th", "<", "</", ">", "think", "a", " b\n"]),
    max_size=15,
).map("".join)


def shown(*pieces: str, first: bool = False) -> tuple[str, int]:
    """Give the answer that stays, and the count of thoughts."""
    thoughts, text = Thoughts(first=first), ""
    for part in [*map(thoughts.feed, pieces), thoughts.finish()]:
        text = part.text if part.replaces else text + part.text
    return text, thoughts.chars


@pytest.mark.parametrize(
    ("content", "answer", "chars"),
    [
        ("Hello.", "Hello.", 0),
        ("<think>hm</think>Hello.", "Hello.", 2),
        ("hm, so\n</think>\n\nHello.", "\n\nHello.", 7),
        ("<think>hm", "", 2),
        ("Hello. <think>hm", "Hello. ", 2),
        ("<think>a</think>One. <think>b</think>Two.", "One. Two.", 2),
        ("<think>a<think>b</think>c</think>Hello.", "Hello.", 3),
        ("3 <thin ice", "3 <thin ice", 0),
        ("a <", "a <", 0),
    ],
)
def test_answer_without_its_thoughts(content: str, answer: str, chars: int) -> None:
    assert shown(content) == (answer, chars)
    assert shown(*content) == (answer, chars)


def test_answer_that_begins_in_thoughts_is_held_back() -> None:
    thoughts = Thoughts(first=True)
    assert thoughts.feed("I think").text == ""
    assert thoughts.feed("</think>Hi") == ("Hi", False)


@given(MARKED, st.lists(st.integers(0, 100), max_size=8), st.booleans())
def test_chunking_changes_nothing(content: str, places: list[int], first: bool) -> None:
    cuts = [0, *sorted(min(place, len(content)) for place in places), len(content)]
    pieces = [content[start:end] for start, end in pairwise(cuts)]
    assert shown(*pieces, first=first) == shown(content, first=first)


@given(MARKED, st.booleans())
def test_nothing_is_shown_twice_or_lost(content: str, first: bool) -> None:
    answer, chars = shown(content, first=first)
    assert len(answer) + chars == len(re.sub(r"</?think(ing)?>", "", content, flags=re.IGNORECASE))
