"""The protocol of language models, shared by the answers of conversations and the coding agent."""

from collections.abc import AsyncGenerator
from typing import Any, NamedTuple, Protocol

from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from agent.messages import Message


class Sampling(NamedTuple):
    """How tokens are drawn."""

    temperature: float
    top_p: float | None = None
    top_k: int | None = None
    """Of these two, None is the server's default."""


class ModelRequest(NamedTuple):
    """What a model server is asked."""

    messages: tuple[Message, ...]
    model: str | None
    """None: the worker's default."""
    temperature: float
    answer_tokens: int
    thinking_tokens: int
    thoughts: str | None = None
    """Thoughts of an earlier request, which are to be closed: only the answer is wanted now. Empty where that has
    called a tool without a thought. None: think as you do."""
    tools: tuple[dict[str, Any], ...] = ()
    """What the model may call, as OpenAI's field ``tools`` has it."""
    tool_choice: str = ""
    """``required``, or the name of the one tool that it has to call; empty leaves it to the model."""
    schema: dict[str, Any] | None = None
    """JSON schema that the server makes the answer (not the thoughts) follow."""
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    """Of these three, None is the server's default."""
    shortens: bool = True
    """The oldest turns are left out of a prompt that is too long for the server. False: it is refused."""


class ToolCallPiece(NamedTuple):
    """A piece of a tool call; id and name come with the first one, as a rule."""

    number: int
    """Which of the calls, from 0."""
    id: str = ""
    name: str = ""
    arguments: str = ""
    """JSON, to be joined with that of the pieces before."""


class Delta(NamedTuple):
    """A piece of a streamed completion; every field may be missing."""

    content: str = ""
    reasoning: str = ""
    """Thoughts, from servers that keep them apart (``reasoning``, or ``reasoning_content`` of older ones)."""
    finish_reason: str = ""
    model: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    calls: tuple[ToolCallPiece, ...] = ()


class LanguageModel(Protocol):
    """A server that answers prompts; ``workers.engines.openai_chat`` has the one for OpenAI's protocol."""

    def stream(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        """Yield the pieces of an answer as they arrive; closing the generator frees the server's slot.

        Raises:
            BadInputError: ``model-refused``, the server will never answer this request; with ``reason="context"``
                where the prompt is too long for it.
            ApplicationError: ``model-unavailable``, to be retried.

        """


class TooLong(NamedTuple):
    """A prompt that a server did not take, in tokens; None where it told nothing."""

    prompt_tokens: int | None
    context_tokens: int | None


def too_long(error: ApplicationError) -> TooLong | None:
    """Return what a server told of a prompt that is too long for it; None where the error is another."""
    if error.type == ErrorCode.MODEL_REFUSED.value:
        for params in error.details:
            if isinstance(params, dict) and params.get("reason") == "context":
                return TooLong(params.get("prompt_tokens"), params.get("context_tokens"))
    return None
