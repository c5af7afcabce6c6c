"""Stream a chat completion from an OpenAI-compatible server (vLLM, llama.cpp, Ollama), in the dialect that it takes."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any, NamedTuple

import httpx2
import openai

from activities.language_model import Delta, ModelRequest
from agent.messages import Message
from workers.engines.completion_stream import read_completion, read_events
from workers.engines.context_window import ContextWindow
from workers.engines.dialect import Dialect
from workers.engines.openai_errors import Refusal, errors_named, unavailable

MAX_ADAPTATIONS = 8
"""Times that a request is asked in another way, or with less of the conversation."""
SHRINK = 0.6
"""To which part a prompt is cut that was refused without a figure."""
LEAST_SHARE = 0.05
_USAGE_SECONDS = 2.0
"""Timeout for the usage figures once the model has said that it ended."""
MAX_MODELS = 50
"""Models of which the dialect is remembered: people may name any in their settings."""


class _Known(NamedTuple):
    """What is known of one model on the server."""

    window: ContextWindow
    dialect: Dialect


class OpenAIChat:
    """A model behind OpenAI's protocol; satisfies ``LanguageModel``.

    Args:
        client: of the server, with ``max_retries=0``: retries are Temporal's.
        default_model: name that the server knows, for requests that name none.
        silence_seconds: longest silence before and between pieces.
        context_tokens: size of the default model's context window; None asks the server.

    """

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        default_model: str,
        silence_seconds: float,
        context_tokens: int | None = None,
    ) -> None:
        self._client = client
        self._default_model = default_model
        self._silence_seconds = silence_seconds
        self._context_tokens = context_tokens
        self._models: dict[str, _Known] = {}

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        """Yield the pieces of a completion as they arrive; closing the generator frees the server's slot.

        A request that the server refuses is asked in another way: without a field that it does not take, or with less
        of the conversation (``shortens``). What was learned holds for the requests after it.

        Raises:
            BadInputError: ``model-refused``, the server will never answer this request; of one that is not to be
                shortened with ``reason="context"`` and, where they are known, ``prompt_tokens`` and ``context_tokens``.
            ApplicationError: ``model-unavailable``, to be retried: not there, overloaded, silent for too long,
                broken off, or speaking something else than OpenAI's protocol.

        """
        model = request.model or self._default_model
        known = self._known(model)
        share, window_tokens = 1.0, known.window.tokens
        for adaptation in range(MAX_ADAPTATIONS + 1):
            wanted = request.thinking_tokens + request.answer_tokens
            whole = (*request.messages, *_closed(request))
            messages, max_tokens = await known.window.fit(
                whole, wanted, share, tools=request.tools, shortens=request.shortens
            )
            fields = known.dialect.fields(request, messages, max_tokens)
            began = False
            try:
                with errors_named(self._client.api_key):
                    async with aclosing(self._ask(model, fields)) as deltas:
                        async for delta in deltas:
                            if not began:
                                yield Delta(model=model)  # for servers that name none
                            began = True
                            if delta.prompt_tokens:
                                known.window.observe(messages, delta.prompt_tokens, request.tools)
                            yield delta
            except Refusal as refusal:
                if refusal.of_context:
                    learned = known.window.learn(refusal, messages, request.tools)
                    share *= 1.0 if learned else SHRINK
                    asks_again = share > LEAST_SHARE and (learned or request.shortens)
                else:
                    asks_again = known.dialect.learn(refusal, fields)
                if began or adaptation == MAX_ADAPTATIONS or not asks_again:
                    known.window.tokens = window_tokens  # a smaller one was of no help
                    raise refusal.final() from None
            else:
                return

    def _known(self, model: str) -> _Known:
        if model not in self._models:
            if len(self._models) >= MAX_MODELS:
                self._models.clear()
            tokens = self._context_tokens if model == self._default_model else None
            self._models[model] = _Known(ContextWindow(self._client, model, tokens), Dialect())
        return self._models[model]

    async def _ask(self, model: str, fields: dict[str, Any]) -> AsyncGenerator[Delta, None]:
        """Ask once; yield what the server streams, or what it answers at once."""
        asking = self._client.chat.completions.with_streaming_response.create(
            model=model, messages=fields["messages"], extra_body=fields
        )
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._silence_seconds):
                response = await stack.enter_async_context(asking)
            kind = response.headers.get("content-type", "")
            if kind.startswith("application/json"):
                async with asyncio.timeout(self._silence_seconds):
                    body = await response.read()
                if body.lstrip()[:1] in {b"{", b"["}:
                    yield read_completion(json.loads(body))
                else:  # a stream all the same
                    async for delta in self._read(_once(body), framed=True):
                        yield delta
            elif kind.startswith(("text/event-stream", "text/plain")):
                framed = response.headers.get("transfer-encoding") == "chunked"
                async for delta in self._read(response.iter_bytes(), framed=framed):
                    yield delta
            else:
                raise unavailable("the model server did not answer with an event stream")

    async def _read(self, blocks: AsyncIterator[bytes], *, framed: bool) -> AsyncGenerator[Delta, None]:
        """Yield the pieces of a stream.

        It has ended where the model gave a reason, where ``[DONE]`` says so, or where a response that tells its own end
        (``framed``) came to it; otherwise the connection broke off.
        """
        events = read_events(blocks)
        timeout, ended, empty = self._silence_seconds, False, True
        while True:
            try:
                async with asyncio.timeout(timeout):
                    event = await anext(events, None)
            except (TimeoutError, httpx2.HTTPError):
                if ended:  # the answer is whole, only its usage is missing
                    return
                raise
            if event is None:
                break
            if event.delta.finish_reason:
                timeout, ended = min(self._silence_seconds, _USAGE_SECONDS), True
            ended, empty = ended or event.done, False
            yield event.delta
            if event.done:
                return
        if not ended and (empty or not framed):
            raise unavailable("the model server's stream broke off")


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _closed(request: ModelRequest) -> tuple[Message, ...]:
    """Return the beginning of an answer whose thoughts are closed, for the model to go on with."""
    if not request.thoughts:
        return ()
    return (Message(role="assistant", content=f"<think>\n{request.thoughts.strip()}\n</think>\n\n"),)
