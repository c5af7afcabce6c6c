"""A message's parts told apart, and what the model has written so far, at any moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.platforms.platform import MessageText
from activities.platforms.telegram.markdown import formatted
from activities.platforms.telegram.message import completed, composed, so_far
from tests.support.platforms.telegram_forms import marked

ANSWER = """# Plan

It is **very *simple***: see [the page](https://j.example).

| Step | Time |
|------|-----:|
| one | 5 |

```py
for i in range(3):
    print("`**`")
```
1. first
2. ~~second~~ `third`
"""


def test_the_parts_are_told_apart() -> None:
    whole = composed(MessageText("**Hi.**", "He *said*", "No *marks*."))
    assert whole.text == "🎤 He *said*\n\nHi.\n\nNo *marks*."
    assert [(span.kind, span.start, span.end) for span in whole.spans] == [("blockquote", 0, 11), ("bold", 13, 16)]


def test_a_long_transcript_is_folded() -> None:
    assert [span.kind for span in composed(MessageText("Yes.", "word " * 100)).spans] == ["expandable_blockquote"]


@pytest.mark.parametrize("answer", ["***", ">", "```\n```", "[a]: https://a.example", "<!-- no -->"])
def test_an_answer_of_marks_alone_is_seen(answer: str) -> None:
    assert composed(MessageText(answer)).text


@pytest.mark.parametrize(
    ("written", "completed_"),
    [
        ("It is **ver", "It is **ver**"),
        ("It is **", "It is"),
        ("so ~~no", "so ~~no~~"),
        ("call `pri", "call `pri`"),
        ("call `", "call"),
        ("**call `pri", "**call `pri`**"),
        ("* one *it", "* one *it*"),
        ("2 * 3 * 4*5", "2 * 3 * 4*5"),
        ("**very *simple**", "**very *simple***"),
        ("see [the page](https://j", "see the page"),
        ("A list:\n-", "A list:"),
        ("A list:\n\n12.", "A list:"),
        ("Code:\n``", "Code:"),
        ("Code:\n```py", "Code:"),
        ("Code:\n```py\nx = '**'", "Code:\n```py\nx = '**'"),
        ("Code:\n```py\nx\n``", "Code:\n```py\nx"),
        ("A table:\n\n| a | b |", "A table:"),
        ("A table:\n\n| a | b |\n|---|--", "A table:"),
        ("| a |\n|---|\n| 1", "| a |\n|---|\n| 1"),
        ("*a*\n\n**b**", "*a*\n\n**b**"),
    ],
)
def test_what_was_only_begun(written: str, completed_: str) -> None:
    assert completed(written) == completed_


def test_at_no_moment_is_a_mark_to_be_seen() -> None:
    final = formatted(ANSWER).text
    for length in range(len(ANSWER)):
        text = so_far(ANSWER[:length]).text
        code = text.find("for i in")
        seen = text if code < 0 else text[:code]
        assert not set(seen) & set("*`~#("), ANSWER[:length]
        assert "|" not in seen or "-+-" in seen
    assert so_far(ANSWER).text == final


@given(st.text("*_~`[]()<>#|-=>!\\ \n1.ab😀", max_size=120))
def test_any_beginning_can_be_shown(markdown: str) -> None:
    whole = so_far(markdown)
    if whole.text:
        marked(whole.text, [entity.to_dict() for entity in whole.entities][:100])
