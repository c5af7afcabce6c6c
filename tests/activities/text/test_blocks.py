"""Markdown into blocks: what is said passes, what is not stays behind, and chunking changes nothing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.text.blocks import Begin, BlockStream, End, Event, Kind, Table, Text, line_of

MARKDOWN = st.text(alphabet=st.sampled_from("ab .\n\t#->*`~|1)_ é。"), max_size=120)


def blocks(*pieces: str) -> list[str]:
    """List the blocks of a text that arrives in pieces: what stands in each, tables by themselves."""
    stream, found = BlockStream(), list[str]()
    events: list[Event] = [event for piece in pieces for event in stream.feed(piece)]
    for event in [*events, *stream.finish()]:
        if isinstance(event, Begin):
            found.append("")
        elif isinstance(event, Text):
            found[-1] += event.markdown
        elif isinstance(event, Table):
            found.append(event.markdown)
    return found


@given(MARKDOWN, st.lists(st.integers(0, 120), max_size=10))
def test_any_chunking_gives_the_same_blocks(markdown: str, cuts: list[int]) -> None:
    places = sorted({0, len(markdown), *(cut for cut in cuts if cut < len(markdown))})
    assert blocks(*(markdown[a:b] for a, b in pairwise(places))) == blocks(markdown)


@given(MARKDOWN)
def test_every_block_that_begins_ends(markdown: str) -> None:
    stream = BlockStream()
    events = [*stream.feed(markdown), *stream.finish()]
    depth = 0
    for event in events:
        depth += isinstance(event, Begin) - isinstance(event, End)
        assert depth in (0, 1)
        assert depth == 1 or not isinstance(event, Text), "text stands within a block"
    assert depth == 0
    assert stream.pending == ""


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("One.\ngoes on\n\nTwo.", ["One.\ngoes on", "Two."]),
        ("# Head\ntext", ["# Head\ntext"]),
        ("- one\n- two", ["- one", "- two"]),
        ("before\n```py\ncode\n```\nafter", ["before", "after"]),
        ("before\n---\nafter", ["before", "after"]),
        ("| a |\n|---|\n| 1 |\nafter", ["| a |\n|---|\n| 1 |", "after"]),
        ("~~~\nnever closed", []),
    ],
)
def test_what_is_a_block(markdown: str, found: list[str]) -> None:
    assert blocks(markdown) == found


def test_headings_and_list_items_close_like_sentences() -> None:
    stream = BlockStream()
    begins = [event for event in stream.feed("# Head\n\n- item\n\n12. step\n\ntext ") if isinstance(event, Begin)]
    assert begins == [Begin(2, closes=True), Begin(2, closes=True), Begin(4, closes=True), Begin(0, closes=False)]


def test_a_line_ends_before_it_is_known_whether_its_block_does() -> None:
    stream = BlockStream()
    assert list(stream.feed("One two\n")) == [Begin(0, closes=False), Text("One two", ends_line=True)]
    assert list(stream.feed("three ")) == [Text("\n"), Text("three ")]


@pytest.mark.parametrize(
    ("line", "kind"),
    [("", Kind.UNKNOWN), ("wor", Kind.UNKNOWN), ("--", Kind.UNKNOWN), ("word ", Kind.TEXT), ("-- \n", Kind.RULE)],
)
def test_a_line_is_named_as_soon_as_nothing_can_change_it(line: str, kind: Kind) -> None:
    assert line_of(line, last=False).kind is kind
    assert line_of(line, last=True).kind is not Kind.UNKNOWN
