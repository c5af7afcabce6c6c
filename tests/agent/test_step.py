"""What answers of models mean: native calls, the schema, JSON in text, and all that is none of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.actions import Finish, Read, RunTests, Write
from agent.messages import ToolCall
from agent.step import CUT, Reply, interpret
from agent.transcript import Turn, dump, load

WRITE = Write(path="a.py", content="x = {}\n")


@pytest.mark.parametrize(
    "text",
    [
        '{"thought": "why", "action": {"tool": "write", "path": "a.py", "content": "x = {}\\n"}}',
        '{"tool": "write", "path": "a.py", "content": "x = {}\\n"}',
        '{"name": "write", "arguments": {"path": "a.py", "content": "x = {}\\n"}}',
        '{"name": "write", "arguments": "{\\"path\\": \\"a.py\\", \\"content\\": \\"x = {}\\\\n\\"}"}',
        '{"tool": "write", "args": {"path": "a.py", "content": "x = {}\\n"}}',
        'So {"x": 1} is right:\n```json\n{"tool": "write", "path": "a.py", "content": "x = {}\\n"}\n```\nThat is all.',
        '<tool_call>\n{"name": "write", "arguments": {"path": "a.py", "content": "x = {}\\n"}}\n</tool_call>',
        '{"tool": "write", "path": "a.py", "content": "x = {}\n"}',
        'I call {this} {"tool": "write", "path": "a.py", "content": "x = {}\\n"}',
    ],
    ids=["schema", "flat", "named", "arguments as text", "args", "fenced", "tagged", "line breaks", "braces before it"],
)
def test_ways_to_write_an_action_in_text(text: str) -> None:
    assert interpret(3, Reply(text)) == Turn(step=3, text=text, action=WRITE)


def test_a_native_call() -> None:
    reply = Reply("I read it.", (ToolCall("abc", "read", '{"path": "a.py", "lines": null, "first_line": "2"}'),))
    assert interpret(1, reply) == Turn(step=1, text="I read it.", action=Read(path="a.py", first_line=2), call_id="abc")


def test_a_native_call_without_an_id_gets_one() -> None:
    assert interpret(7, Reply("", (ToolCall("", "run_tests", ""),))) == Turn(
        step=7, text="", action=RunTests(), call_id="call_7"
    )


@pytest.mark.parametrize(
    "reply",
    [
        Reply("", (ToolCall("1", "run_tests", "{}"), ToolCall("2", "finish", '{"summary": ""}'))),
        Reply('{"tool": "run_tests"}\n{"tool": "finish", "summary": ""}'),
    ],
    ids=["native", "text"],
)
def test_of_several_actions_the_first_is_done(reply: Reply) -> None:
    turn = interpret(1, reply)
    assert turn.action == RunTests()
    assert turn.problem == "Only the first of your 2 actions was done: one at a time."


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(""), "empty"),
        (Reply(" \n", thought_chars=100), "You thought"),
        (Reply("I am done."), "holds no action"),
        (Reply('{"a": 1}'), "holds no action"),
        (Reply('{"tool": "delete", "path": "a"}'), "There is no tool of that name"),
        (Reply('{"tool": ["run"]}'), "There is no tool of that name"),
        (Reply("", (ToolCall("1", "rm", "{}"),)), "There is no tool of that name"),
        (Reply("", (ToolCall("1", "read", "{"),)), "no JSON"),
        (Reply("", (ToolCall("1", "read", "[1]"),)), "path: field required"),
        (Reply("", (ToolCall("1", "read", "[" * 100_000),)), "no JSON"),
        (Reply("", (ToolCall("1", "read", '{"path": "a", "lines": ' + "9" * 5000 + "}"),)), "no JSON"),
        (Reply('{"tool": "write", "path": "a"}'), "content: field required"),
        (Reply('{"tool": "read", "path": "a", "lines": 0}'), "greater than or equal to 1"),
        (Reply('{"tool": "write", "path": "a", "content": "{\\"tool\\": ', finish_reason="length"), CUT),
        (Reply("", (ToolCall("1", "write", '{"path": "a", "con'),), "length"), CUT),
        (Reply("I think and think", finish_reason="length"), CUT),
    ],
)
def test_what_is_no_action_is_a_problem_in_words(reply: Reply, words: str) -> None:
    turn = interpret(1, reply)
    assert turn.action is None
    assert words in turn.problem


def test_of_a_cut_answer_no_string_is_taken_for_an_action() -> None:
    inner = json.dumps({"tool": "finish", "summary": "all done"})
    text = '{"thought": "", "action": {"tool": "write", "path": "a.json", "content": "' + inner
    assert interpret(1, Reply(text, finish_reason="length")).action is None


def test_a_cut_answer_whose_action_is_whole_counts() -> None:
    text = '{"tool": "finish", "summary": "done"} and then {'
    assert interpret(1, Reply(text, finish_reason="length")).action == Finish(summary="done")


def test_a_bad_call_is_told_as_it_was() -> None:
    assert interpret(1, Reply("Look:", (ToolCall("1", "rm", '{"x": 1}'),))).text == 'Look:\nrm({"x": 1})'


WORDS = Reply("The bug is mended and the tests pass.", finish_reason="stop")
WROTE = Turn(step=1, text="", action=WRITE)
SAID = Turn(step=2, text="It is mended.", problem="Your answer holds no action.")


def test_words_twice_in_a_row_say_that_the_task_is_done() -> None:
    assert interpret(2, WORDS, (WROTE,)).problem, "once may be an aside"
    action = interpret(3, WORDS, (WROTE, SAID)).action
    assert action == Finish(summary=WORDS.content)


@pytest.mark.parametrize(
    ("reply", "before"),
    [
        (WORDS, (SAID,)),
        (WORDS, (SAID, WROTE)),
        (WORDS._replace(finish_reason="length"), (WROTE, SAID)),
        (Reply("Like this:\n```python\nx = 2\n```"), (WROTE, SAID)),
        (Reply(""), (WROTE, SAID)),
    ],
    ids=["of one that has done nothing", "not in a row", "cut", "with code", "no words"],
)
def test_other_answers_do_not(reply: Reply, before: tuple[Turn, ...]) -> None:
    assert interpret(3, reply, before).action is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()) | st.just("write"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["tool", "name", "arguments", "args", "action", "path", "content", "seconds", "lines"]),
            inner,
        )
    ),
    max_leaves=8,
)
SNIPPETS = st.sampled_from(['{"tool": "write"', '{"action": ', "{", "}", '"', "\\ud800", "\ud800", "```json\n", ","])
ANYTHING = st.one_of(
    st.text(),
    JSON.map(json.dumps),
    st.lists(SNIPPETS | st.text(max_size=5), max_size=12).map("".join),
    st.text(st.characters(codec=None)),
)


@given(ANYTHING, st.sampled_from(["stop", "length", "tool_calls", ""]))
def test_no_text_breaks_it(text: str, finish_reason: str) -> None:
    turn = interpret(1, Reply(text, finish_reason=finish_reason))
    assert turn.action or turn.problem
    assert load(dump([turn])) == (turn,)


@given(ANYTHING, ANYTHING | st.sampled_from(["write", "run", "read", "finish"]), ANYTHING)
def test_no_call_breaks_it(call_id: str, name: str, arguments: str) -> None:
    turn = interpret(1, Reply("", (ToolCall(call_id, name, arguments),)))
    assert (turn.action is None) == bool(turn.problem)
    assert load(dump([turn])) == (turn,)


def test_an_action_is_not_looked_for_behind_any_number_of_braces() -> None:
    assert interpret(1, Reply("{" * 200_000 + '{"tool": "run_tests"}')).action is None
