"""Thoughts, marks and tool calls are kept apart, wherever the stream is cut."""

# ruff: noqa: RUF001 - DeepSeek's marks are written with full-width bars

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.text.template_marks import TemplateMarks

MARKED = st.lists(
    st.sampled_from(["<think>", "</think>", "<THINK>", "</thinking>", "<th", "<", "</", ">", "think", "a", " b\n"]),
    max_size=15,
).map("".join)
MARKS = (
    "<|channel|> <|message|> <|end|> <|start|> <|im_start|> <tool_call> </tool_call> <think> </think> [THINK] "
    'analysis final assistant user <| |> <s> </s> ` " a'
)
PARTS = st.sampled_from([*MARKS.split(), "\n", "```\n", " "])
ANY_MARKS = st.lists(PARTS, max_size=12).map("".join)


def shown(*pieces: str, first: bool = False) -> tuple[str, int]:
    """Give the answer that stays, and the count of thoughts."""
    marks, text, thoughts = TemplateMarks(thinks_first=first), "", ""
    for part in [*map(marks.feed, pieces), marks.finish()]:
        thoughts += text + part.thoughts if part.replaces else part.thoughts
        text = part.text if part.replaces else text + part.text
    return text, len(thoughts)


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
    thoughts = TemplateMarks(thinks_first=True)
    assert thoughts.feed("I think").text == ""
    assert thoughts.feed("</think>Hi") == ("Hi", False, "")


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (
            "<|channel|>analysis<|message|>The user greets me. I should greet back.<|end|>"
            "<|start|>assistant<|channel|>final<|message|>Hello there.<|return|>",
            "Hello there.",
        ),
        ("<|channel|>final<|message|>Hello there.<|end|>", "Hello there."),
        ("<|start|>assistant<|channel|>final <|constrain|>json<|message|>{}", "{}"),
        ("<|channel|>commentary to=functions.light <|constrain|>json<|message|>{}<|call|>", ""),
        ("analysisThe user greets me.assistantfinalHello there.", "Hello there."),
        ("Hello there.<|im_end|>\n<|im_start|>user\nAnd you?", "Hello there."),
        ("<|im_start|>assistant\nHello there.", "Hello there."),
        ("Hello there.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nMore", "Hello there."),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nHello there.", "\n\nHello there."),
        ("<start_of_turn>model\nHello there.<end_of_turn>\n<start_of_turn>user\nMore", "Hello there."),
        ("<|channel>thought\nHm.<channel|>Hello there.<turn|>\n<|turn>user\nMore", "Hello there."),
        ("Hello there.</s>[INST] More", "Hello there."),
        ("[THINK]Hm.[/THINK]Hello there.", "Hello there."),
        ("◁think▷Hm.◁/think▷Hello there.", "Hello there."),
        ("<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Hello there.<|END_RESPONSE|>", "Hello there."),
        ("<seed:think>Hm.</seed:think>Hello there.<|endoftext|>", "Hello there."),
        ("Hello there.<｜end▁of▁sentence｜><｜User｜>More", "Hello there."),
        ("Hello there.<|end|><|user|>More", "Hello there."),
        ("Hello there.<|end_of_text|>", "Hello there."),
        ("<eos>Hello there.<eos>More", "Hello there."),
        ("<mm:think>Hm.</mm:think>Hello there.", "Hello there."),
        ('<tool_call>\n{"name": "light", "arguments": {}}\n</tool_call>', ""),
        ('It is on. <tool_call>{"name": "light"}</tool_call>Good.', "It is on. Good."),
        ('[TOOL_CALLS][{"name": "light", "arguments": {}}]', ""),
        ("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>light{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>", ""),
        ('<|python_tag|>light.call(on="yes")<|eom_id|>', ""),
        ("<function=light>{}</function>", ""),
        # Where an answer is about them, they are text.
        ("End it with `<|im_end|>`, I say.", "End it with `<|im_end|>`, I say."),
        ('The mark "<|im_end|>" ends a turn.', 'The mark "<|im_end|>" ends a turn.'),
        ("```\n<|im_start|>user\nHi<|im_end|>\n```\nSo.", "```\n<|im_start|>user\nHi<|im_end|>\n```\nSo."),
        ("Qwen writes `<think>` and `</think>`.", "Qwen writes `<think>` and `</think>`."),
        ("Say <s>no</s> yes.", "Say <s>no</s> yes."),
        ("If x <y and z> w, [THIS] holds: a|b <|> c.", "If x <y and z> w, [THIS] holds: a|b <|> c."),
        ("analysis of it takes time.", "analysis of it takes time."),
        ("a", "a"),
    ],
)
def test_marks_of_templates(content: str, answer: str) -> None:
    assert shown(content)[0] == answer
    assert shown(*content)[0] == answer


def test_the_end_of_a_turn_and_a_tool_call_are_told() -> None:
    marks = TemplateMarks()
    marks.feed("Hello.<|im_end|>")
    assert (marks.ended, marks.called_tool) == (True, False)
    marks = TemplateMarks()
    marks.feed('<tool_call>{"name": "light"}</tool_call>')
    assert (marks.ended, marks.called_tool) == (False, True)


def test_a_mark_without_its_header_loses_nothing() -> None:
    assert shown("<|im_start|>Hello there.")[0] == "Hello there."
    assert shown("One. <|channel|>Two, and so on.\nThree.")[0] == "One. Two, and so on.Three."


@given(MARKED | ANY_MARKS, st.lists(st.integers(0, 100), max_size=8), st.booleans())
def test_chunking_changes_nothing(content: str, places: list[int], first: bool) -> None:
    cuts = [0, *sorted(min(place, len(content)) for place in places), len(content)]
    pieces = [content[start:end] for start, end in pairwise(cuts)]
    assert shown(*pieces, first=first) == shown(content, first=first)


@given(MARKED, st.booleans())
def test_nothing_is_shown_twice_or_lost(content: str, first: bool) -> None:
    answer, chars = shown(content, first=first)
    assert len(answer) + chars == len(re.sub(r"</?think(ing)?>", "", content, flags=re.IGNORECASE))
