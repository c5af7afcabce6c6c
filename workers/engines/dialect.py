"""How a model server wants to be asked: learned from its refusals, and remembered for as long as the process runs.

OpenAI's protocol has as many dialects as servers. A field that one refuses is left out, or called by its other name,
and the request is asked again.
"""

import json
import logging
import re
from collections.abc import Sequence
from typing import Any

from activities.language_model import ModelRequest
from activities.text.speakable import well_formed
from agent.messages import Message
from workers.engines.openai_errors import ROLES, Refusal

_LIMIT = "max_tokens"
_NEWER_LIMIT = "max_completion_tokens"
_ASKABLE = frozenset({400, 405, 415, 422, 500, 501})
"""Statuses of refusals that asking in another way may mend; 500 is llama.cpp's for what a template refuses."""
_UNNAMED = frozenset({400, 422})
"""Those that are taken for a refused field even where none is named."""
_THINKING_BUDGETS = ("thinking_token_budget", "thinking_budget_tokens")
"""vLLM's and llama.cpp's names for the budget of thoughts: each closes them at it, and ignores the other's name."""
_LEAVE_OUT = (
    frozenset({*_THINKING_BUDGETS, "chat_template_kwargs", "stream_options", "top_k", "seed"}),
    frozenset({_LIMIT, _NEWER_LIMIT, "temperature", "top_p"}),
    frozenset({"tools", "tool_choice", "response_format"}),
)
"""What is left out, first and then, where a refusal names no field."""
_NAMED = {
    "tools": r"\btools\b|tool (?:calling|choice|use)",
    "tool_choice": r"\btool_choice\b|tool choice",
    "response_format": r"\bresponse_format\b|json_schema|(?:structured|guided)[ _-](?:output|decoding)|\bgrammar\b",
}
"""How refusals name fields otherwise than by their own names: ``gemma3 does not support tools``,
``"auto" tool choice requires --enable-auto-tool-choice``, ``failed to parse grammar``."""
_LARGEST = re.compile(
    r"(?:at most|less than or equal to|maximum(?: value)?(?: of| is|:)?|<=|no more than|\[\d+,)\s*(\d{2,7})",
    re.IGNORECASE,
)
ONLY_THE_ANSWER = "\n\n(Answer now, in words: without thinking any further, and without tools.)"
ONLY_THE_ACTION = "\n\n(Act now, without thinking any further.)"

_log = logging.getLogger(__name__)


class Dialect:
    """What one server takes."""

    def __init__(self) -> None:
        """Begin with what most servers take."""
        self.largest_answer: int | None = None
        """Most tokens that may be asked for; None where the server has not said."""
        self._refused: set[str] = set()
        self._limit = _LIMIT
        self._merges_system = False
        self._prefills = True
        self._left_out: tuple[frozenset[str], ...] = ()

    def fields(self, request: ModelRequest, messages: Sequence[Message], max_tokens: int) -> dict[str, Any]:
        """Return the fields of a request, as this server takes them.

        Args:
            request: what is asked.
            messages: of the request, as many as fit; the thoughts that are to be closed are the last.
            max_tokens: of thoughts and answer together.

        """
        fields: dict[str, Any] = {
            "messages": [on_the_wire(message) for message in self._told(request, messages)],
            self._limit: min(max_tokens, self.largest_answer or max_tokens),
            "temperature": request.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            **_sampling(request),
            **_actions(request),
        }
        if request.thoughts is not None:
            fields["chat_template_kwargs"] = {"enable_thinking": False}
            if self._prefills and request.thoughts:
                fields |= {"add_generation_prompt": False, "continue_final_message": True}
        elif request.thinking_tokens:
            fields |= dict.fromkeys(_THINKING_BUDGETS, request.thinking_tokens)
        left_out = self._refused.union(*self._left_out)
        return {name: value for name, value in fields.items() if name not in left_out}

    def learn(self, refusal: Refusal, asked: dict[str, Any]) -> bool:
        """Learn from a refusal of what was asked; return whether it is worth asking again, in another way."""
        if refusal.status not in _ASKABLE:
            return False
        text = f"{refusal.message} {refusal.body}"
        if ROLES.search(text) and not self._merges_system:
            self._merges_system = True
            return self._learned("its system prompt with the first message")
        if self._prefills and "continue_final_message" in asked:
            self._prefills = False
            return self._learned("no answer to go on with")
        named = [name for name in asked if name != "messages" and _names(text, name)]
        if len(named) > 1 and "stream" in named:  # as what may have been meant
            named.remove("stream")
        if named:
            return self._learn_fields(named, text, asked)
        if refusal.status in _UNNAMED:
            for stage in range(len(self._left_out), len(_LEAVE_OUT)):
                if not _LEAVE_OUT[stage].isdisjoint(asked):
                    self._left_out = _LEAVE_OUT[: stage + 1]
                    return self._learned("without " + ", ".join(sorted(_LEAVE_OUT[stage])))
        self._left_out = ()  # it was something else
        return False

    def _learn_fields(self, named: list[str], text: str, asked: dict[str, Any]) -> bool:
        for name in named:
            largest = _LARGEST.search(text)
            if name == self._limit and largest and int(largest[1]) < asked[name]:
                self.largest_answer = int(largest[1])
            elif name == _LIMIT and _NEWER_LIMIT in text:
                self._limit = _NEWER_LIMIT
            else:
                self._refused.add(name)
        if "tools" in self._refused:
            self._refused.add("tool_choice")  # which means nothing without
        return self._learned("without " + ", ".join(named))

    def _learned(self, how: str) -> bool:
        _log.info("the model server is asked %s from now on", how)
        return True

    def _told(self, request: ModelRequest, messages: Sequence[Message]) -> list[Message]:
        """Return the messages in the roles that the server takes, and no answer to go on with where it takes none."""
        told = list(messages)
        if request.thoughts is not None and not (self._prefills and request.thoughts):
            if request.thoughts:
                told.pop()
            words = ONLY_THE_ACTION if request.tools or request.schema else ONLY_THE_ANSWER
            told[-1] = told[-1]._replace(content=told[-1].content + words)
        if self._merges_system and told[0].role == "system" and len(told) > 1:
            system, first, *rest = told
            told = [first._replace(content=f"{system.content}\n\n{first.content}"), *rest]
        return told


def on_the_wire(message: Message) -> dict[str, Any]:
    """Return a message as the protocol has it."""
    told: dict[str, Any] = {"role": message.role, "content": well_formed(message.content)}
    if message.calls:
        told["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _object(call.arguments)}}
            for call in message.calls
        ]
    if message.role == "tool":
        told["tool_call_id"] = message.call_id
    return told


def _object(arguments: str) -> str:
    """Return arguments that are an object's JSON: of others vLLM refuses the whole prompt."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        value = arguments
    return well_formed(json.dumps(value if isinstance(value, dict) else {"arguments": value}, ensure_ascii=False))


def _sampling(request: ModelRequest) -> dict[str, Any]:
    """Return the fields of how tokens are drawn, of those that the server does not choose."""
    fields = {"top_p": request.top_p, "top_k": request.top_k, "seed": request.seed}
    return {name: value for name, value in fields.items() if value is not None}


def _actions(request: ModelRequest) -> dict[str, Any]:
    """Return the fields of what the model may call, and of the form that its answer has."""
    fields: dict[str, Any] = {}
    if request.tools:
        fields["tools"] = list(request.tools)
    if request.tools and request.tool_choice:
        function = {"type": "function", "function": {"name": request.tool_choice}}
        fields["tool_choice"] = "required" if request.tool_choice == "required" else function
    if request.schema is not None:
        json_schema = {"name": "answer", "strict": True, "schema": request.schema}
        fields["response_format"] = {"type": "json_schema", "json_schema": json_schema}
    return fields


def _names(text: str, field: str) -> bool:
    """Return whether a refusal names a field."""
    return bool(re.search(_NAMED.get(field, rf"\b{field}\b"), text, re.IGNORECASE))
