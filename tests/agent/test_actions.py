"""Actions: what the model is offered is what is understood."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from agent.actions import (
    KINDS,
    LINE_CHARS,
    Action,
    Edit,
    Finish,
    Read,
    Run,
    RunTests,
    Search,
    Write,
    as_json,
    in_a_line,
    schema,
    tools,
    well_formed,
)
from agent.step import Reply, interpret

EVERY: list[Action] = [
    Run(command="ls -l", seconds=3),
    Read(path="a.py", first_line=5, lines=10),
    Write(path="a.py", content="x = 1\ny = 2\n"),
    Edit(path="a.py", old="x", new="y\nz"),
    Search(pattern="def .*"),
    RunTests(),
    Finish(summary="Done."),
]
LINES = [
    "run ls -l",
    "read a.py, lines 5 to 14",
    "write a.py, 2 lines",
    "edit a.py, 1 line by 2 lines",
    "search def .* in .",
    "run_tests",
    "finish: Done.",
]


def test_every_tool_is_here() -> None:
    assert [action.tool for action in EVERY] == list(KINDS)


@pytest.mark.parametrize(("action", "line"), list(zip(EVERY, LINES, strict=True)))
def test_a_line(action: Action, line: str) -> None:
    assert in_a_line(action) == line


@given(st.text())
def test_a_line_is_one_short_line_whatever_is_in_it(text: str) -> None:
    for action in (Run(command=text or "x"), Finish(summary=text), Search(pattern=text or "x")):
        line = in_a_line(action)
        assert len(line) <= LINE_CHARS
        assert line.isprintable()


@pytest.mark.parametrize("action", [one for one in EVERY if one.tool != "edit"], ids=lambda action: action.tool)
def test_the_schema_takes_what_the_agent_would_answer(action: Action) -> None:
    answer = as_json(action, "because")
    jsonschema.validate(json.loads(answer), schema())
    assert interpret(1, Reply(answer)).action == action


@pytest.mark.parametrize(
    "answer",
    [
        {"action": {"tool": "run_tests"}},
        {"thought": "", "action": {"tool": "delete", "path": "a"}},
        {"thought": "", "action": {"tool": "write", "path": "a"}},
        {"thought": "", "action": {"tool": "run_tests", "path": "a"}},
    ],
)
def test_the_schema_takes_nothing_else(answer: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(answer, schema())


@pytest.mark.parametrize("action", EVERY, ids=lambda action: action.tool)
def test_tools_take_the_arguments(action: Action) -> None:
    (function,) = [tool["function"] for tool in tools() if tool["function"]["name"] == action.tool]
    assert function["description"]
    arguments = action.model_dump(exclude={"tool", "also"}, exclude_none=True)
    jsonschema.validate(arguments, function["parameters"])
    assert function["parameters"]["properties"].keys() == type(action).model_fields.keys() - {"tool", "also"}


def test_halves_of_characters_are_replaced() -> None:
    assert Finish(summary="\ud800").summary == Read(path="\ud800").path == "?"
    action = Write(path="a", content="\ud800x")
    assert action.content == well_formed("\ud800x") == "?x"
    assert TypeAdapter(Action).validate_json(action.model_dump_json()) == action


@pytest.mark.parametrize(
    "wrong",
    [
        {"tool": "run", "command": ""},
        {"tool": "run", "command": "ls", "seconds": float("inf")},
        {"tool": "read", "path": "a", "first_line": 0},
        {"tool": "edit", "path": "a", "old": "", "new": "x"},
        {"tool": "nothing"},
    ],
)
def test_bounds(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Action).validate_python(wrong)
