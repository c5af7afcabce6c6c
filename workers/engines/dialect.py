"""How a model server wants to be asked: learned from its refusals, and remembered for as long as the process runs.

OpenAI's protocol has as many dialects as servers. A field that one refuses is left out, or called by its other name,
and the request is asked again.
"""

import logging
import re
from collections.abc import Sequence
from typing import Any

from activities.infer import Message, ModelRequest
from activities.text.speakable import well_formed
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
    frozenset({*_THINKING_BUDGETS, "chat_template_kwargs", "stream_options"}),
    frozenset({_LIMIT, _NEWER_LIMIT, "temperature"}),
)
"""What is left out, first and then, where a refusal names no field."""
_LARGEST = re.compile(
    r"(?:at most|less than or equal to|maximum(?: value)?(?: of| is|:)?|<=|no more than|\[\d+,)\s*(\d{2,7})",
    re.IGNORECASE,
)
ONLY_THE_ANSWER = "\n\n(Answer now, in words: without thinking any further, and without tools.)"

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
            "messages": [
                {"role": message.role, "content": well_formed(message.content)}
                for message in self._told(request, messages)
            ],
            self._limit: min(max_tokens, self.largest_answer or max_tokens),
            "temperature": request.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
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
        named = [name for name in asked if name != "messages" and re.search(rf"\b{name}\b", text, re.IGNORECASE)]
        if len(named) > 1 and "stream" in named:  # as what may have been meant
            named.remove("stream")
        if named:
            return self._learn_fields(named, text, asked)
        if refusal.status in _UNNAMED and len(self._left_out) < len(_LEAVE_OUT):
            self._left_out = _LEAVE_OUT[: len(self._left_out) + 1]
            return self._learned("without " + ", ".join(sorted(self._left_out[-1])))
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
            told[-1] = told[-1].model_copy(update={"content": told[-1].content + ONLY_THE_ANSWER})
        if self._merges_system and told[0].role == "system" and len(told) > 1:
            system, first, *rest = told
            told = [first.model_copy(update={"content": f"{system.content}\n\n{first.content}"}), *rest]
        return told
