"""The heart of the agent: what an answer of the model means.

A step is: ``prompt.build(entries)`` -> the model's reply -> ``interpret(step, reply)``, a turn -> its action, done by
``files.apply`` or in a sandbox -> an observation. Turn and observation are appended to the entries.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from agent.actions import KINDS, Action
from agent.blocks import actions, blocks
from agent.messages import ToolCall
from agent.transcript import Entry, Turn, has_acted

CUT = "Your answer was cut off at its longest length: do less at once. "
MAX_OBJECTS = 50
"""Places in a text where an action is looked for."""
_ACTION: TypeAdapter[Action] = TypeAdapter(Action)
_JSON = json.JSONDecoder(strict=False)  # small models write line breaks in strings as they are


class Reply(NamedTuple):
    """What a model server has sent."""

    content: str
    calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    thought_chars: int = 0
    """Length of the thoughts, which the server or june kept apart."""


class ActionError(ValueError):
    """What the model asks for cannot be done; the message says it to the model."""


def interpret(step: int, reply: Reply, before: Sequence[Entry] = ()) -> Turn:
    """Return what the model wants: by a native call, by the schema, by JSON somewhere in its text, or by code blocks.

    Never raises: what is no action becomes a problem in words for the model. Who has done something, and then answers
    by mere words twice in a row, says that the task is done; the tests decide whether that counts.

    Args:
        step: the number of the step.
        reply: what the model has sent.
        before: the transcript so far.

    """
    try:
        asked = _asked(reply, before)
        action = _action(asked[0])
    except ActionError as error:
        said = [reply.content, *(f"{call.name}({call.arguments})" for call in reply.calls)]
        cut = CUT if reply.finish_reason == "length" else ""
        return Turn(step=step, text="\n".join(filter(None, said)), problem=f"{cut}{error}")
    aside = f"Only the first of your {len(asked)} actions was done: one at a time." if len(asked) > 1 else ""
    call_id = reply.calls[0].id or f"call_{step}" if reply.calls else ""
    return Turn(step=step, text=reply.content, action=action, problem=aside, call_id=call_id)


def _asked(reply: Reply, before: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return what the model asks for, still unread."""
    if reply.calls:
        return [{"tool": call.name, "arguments": call.arguments} for call in reply.calls]
    whole = reply.finish_reason != "length"
    if asked := list(_objects(reply.content, whole=whole)) or actions(reply.content, whole=whole):
        return asked
    if reply.content.strip():
        if whole and _has_only_words(before) and not blocks(reply.content):
            return [{"tool": "finish", "summary": reply.content.strip()}]
        raise ActionError("Your answer holds no action. Answer with exactly one; if the task is done, with finish.")
    said = "You thought, and then said nothing." if reply.thought_chars else "Your answer was empty."
    raise ActionError(f"{said} Answer with exactly one action.")


def _has_only_words(before: Sequence[Entry]) -> bool:
    """Return whether the last answer was no action, of a model that has done something earlier."""
    last = next((entry for entry in reversed(before) if isinstance(entry, Turn)), None)
    return last is not None and last.action is None and has_acted(before)


def _action(asked: dict[str, Any]) -> Action:
    """Read an action as models spell it: flat, or with its arguments apart, as an object or as JSON text."""
    name, arguments = asked.get("tool", asked.get("name")), asked.get("arguments", asked.get("args"))
    if not isinstance(name, str) or name not in KINDS:
        raise ActionError(f"There is no tool of that name. The tools are: {', '.join(KINDS)}.")
    if isinstance(arguments, str):
        arguments = _decoded(arguments or "{}")
    fields = arguments if isinstance(arguments, dict) else {} if "arguments" in asked else asked
    given = {key: value for key, value in fields.items() if value is not None}
    try:
        return _ACTION.validate_python({**given, "tool": name})
    except ValidationError as error:
        wrong = "; ".join(f"{one['loc'][-1]}: {one['msg'].lower()}" for one in error.errors(include_input=False))
        raise ActionError(f"The tool {name} cannot be called like that ({wrong}).") from None


def _objects(text: str, *, whole: bool) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in a text that name a tool, bare, fenced, or within other words.

    Of a text that was cut, none but what comes before the first that is broken: the rest may lie in a string of that.
    """
    start = text.find("{")
    for _ in range(MAX_OBJECTS):
        if start < 0:
            return
        end = start + 1
        try:
            found, end = _JSON.raw_decode(text, start)
        except (ValueError, RecursionError):
            if not whole:
                return
            found = None
        asked = found.get("action", found) if isinstance(found, dict) else None
        if isinstance(asked, dict) and not asked.keys().isdisjoint({"tool", "name"}):
            yield asked
        start = text.find("{", end)


def _decoded(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        raise ActionError("The arguments are no JSON.") from None
