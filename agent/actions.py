"""What the agent can do: one action a step."""

import json
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LINE_CHARS = 120
"""Longest description of an action in a line."""


def well_formed(text: str) -> str:
    """Return text that UTF-8 can hold: halves of characters, which JSON can spell, become question marks."""
    return text.encode("utf-8", "replace").decode()


def _text_well_formed(value: object) -> object:
    return well_formed(value) if isinstance(value, str) else value


# Before: a text whose length is bounded is counted, which halves of characters cannot be.
Text = Annotated[str, BeforeValidator(_text_well_formed)]


class Value(BaseModel):
    """Base of what the transcript and histories hold: immutable; unknown fields are ignored, errors quote nothing."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Run(Value):
    """Run a shell command in the workspace; nothing that it starts outlives it, and there is no network."""

    tool: Literal["run"] = "run"
    command: Text = Field(min_length=1, max_length=20_000)
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Most time for it; None, or more than that, is the sandbox's limit."""


class Read(Value):
    """Read a file, or some of its lines."""

    tool: Literal["read"] = "read"
    path: Text = Field(min_length=1, max_length=1000)
    first_line: int = Field(default=1, ge=1, le=1_000_000_000)
    lines: int = Field(default=200, ge=1, le=2000)


class WrittenFile(Value):
    """A file, and all that is in it."""

    path: Text = Field(min_length=1, max_length=1000)
    content: Text


class Write(Value):
    """Write a whole file; what was in it before is replaced."""

    tool: Literal["write"] = "write"
    path: Text = Field(min_length=1, max_length=1000)
    content: Text
    also: tuple[WrittenFile, ...] = Field(default=(), max_length=20)
    """More files, from a model that answers in text; no tool call and no schema has it."""


class Edit(Value):
    """Replace a text that occurs exactly once in a file."""

    tool: Literal["edit"] = "edit"
    path: Text = Field(min_length=1, max_length=1000)
    old: Text = Field(min_length=1)
    new: Text


class Search(Value):
    """Search the files below a path for a regular expression (grep -E)."""

    tool: Literal["search"] = "search"
    pattern: Text = Field(min_length=1, max_length=1000)
    path: Text = Field(default=".", min_length=1, max_length=1000)


class RunTests(Value):
    """Run the task's tests."""

    tool: Literal["run_tests"] = "run_tests"


class Finish(Value):
    """Say that the task is done."""

    tool: Literal["finish"] = "finish"
    summary: Text = Field(max_length=20_000)
    """What was done, in a few sentences."""


Action = Annotated[Run | Read | Write | Edit | Search | RunTests | Finish, Field(discriminator="tool")]
KINDS: dict[str, type[Value]] = {
    kind.model_fields["tool"].default: kind for kind in get_args(get_args(Action)[0])
}  # by the tool's name, in the order in which the model is told them


def in_a_line(action: Action) -> str:
    """Describe an action in one line of at most ``LINE_CHARS`` characters, for the Web UI and reports."""
    match action:
        case Run():
            text = f"run {action.command}"
        case Read():
            end = action.first_line + action.lines - 1
            text = f"read {action.path}" + (f", lines {action.first_line} to {end}" if action.first_line > 1 else "")
        case Write():
            more = "".join(f"; {file.path}, {_count(file.content)}" for file in action.also)
            text = f"write {action.path}, {_count(action.content)}{more}"
        case Edit():
            text = f"edit {action.path}, {_count(action.old)} by {_count(action.new)}"
        case Search():
            text = f"search {action.pattern} in {action.path}"
        case RunTests():
            text = "run_tests"
        case Finish():
            text = f"finish: {action.summary}"
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= LINE_CHARS else line[: LINE_CHARS - 1] + "…"


def _count(text: str) -> str:
    lines = len(text.splitlines())
    return f"{lines:,} line" + ("" if lines == 1 else "s")


def tools() -> list[dict[str, Any]]:
    """Return the actions as OpenAI's ``tools``."""
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": " ".join((kind.__doc__ or "").split()),
                "parameters": _parameters(kind),
            },
        }
        for name, kind in KINDS.items()
    ]


def schema() -> dict[str, Any]:
    """Return the JSON schema of an answer that a server enforces: ``{"thought": ..., "action": {"tool": ...}}``.

    Without ``edit``: models that need a schema seldom quote a text as it is, and write small files whole.
    """
    actions = []
    for name, kind in KINDS.items():
        if kind is Edit:
            continue
        parameters = _parameters(kind)
        actions.append(
            {
                "type": "object",
                "properties": {"tool": {"const": name}, **parameters["properties"]},
                "required": ["tool", *parameters["required"]],
                "additionalProperties": False,
            }
        )
    return {
        "type": "object",
        "properties": {"thought": {"type": "string"}, "action": {"anyOf": actions}},
        "required": ["thought", "action"],
        "additionalProperties": False,
    }


def as_json(action: Action, thought: str = "") -> str:
    """Return an action as the model would answer it by the schema."""
    arguments = action.model_dump(exclude_defaults=True, exclude={"tool"})
    return json.dumps({"thought": thought, "action": {"tool": action.tool, **arguments}}, ensure_ascii=False)


def _parameters(kind: type[Value]) -> dict[str, Any]:
    """Return a JSON schema of types alone: the bounds are checked here, and told in words."""
    types = {"string": "string", "integer": "integer", "number": "number"}
    properties = {}
    for name, field in kind.model_json_schema()["properties"].items():
        if name not in {"tool", "also"}:
            (named,) = {types[one["type"]] for one in field.get("anyOf", [field]) if one["type"] in types}
            properties[name] = {"type": named}
    required = [name for name, field in kind.model_fields.items() if field.is_required()]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
