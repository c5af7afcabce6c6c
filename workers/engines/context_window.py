"""Fit a prompt into what a model server can read: by its own count of tokens where it tells one, or by its refusals."""

import asyncio
import json
import logging
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx2
import openai

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from agent.messages import Message
from workers.engines.dialect import on_the_wire
from workers.engines.openai_errors import Refusal

MESSAGE_TOKENS = 16
"""More than any template adds to a message."""
BYTES_PER_TOKEN = 3.0
"""Of UTF-8, until a server's own figures say more: English has four, Hindi and Chinese about three."""
MIN_ANSWER_SHARE = 0.25
"""Part of the window that is left to the answer, however long the prompt is."""
SECONDS = 5.0
"""Timeout of a question about tokens."""
_SIZE = re.compile(
    r"(?:context[ _-](?:length|size|window)|n_ctx|max_model_len|maximum context|limit|exceeds?|less than)\D{0,60}"
    r"(\d{3,8})|[<>]=? ?(\d{3,8})|(\d{3,8}) maximum context",
    re.IGNORECASE,
)
"""Where refusals tell the size of the window: of llama.cpp, LM Studio, vLLM, SGLang, TGI, Groq, Mistral, Anthropic."""
_PROMPT = re.compile(
    r"n_prompt_tokens\D{0,5}(\d{3,8})|request \((\d{3,8})|prompt contains (\d{3,8})|given: (\d{3,8})"
    r"|(\d{3,8})(?: tokens)? (?:in the messages|from the input messages|input tokens)",
    re.IGNORECASE,
)
"""Where they tell the size of the prompt."""
_OMITTED = "\n[…]\n"

Tools = Sequence[dict[str, Any]]
"""What the model may call, as OpenAI's protocol describes it."""

_log = logging.getLogger(__name__)


class Fitted(NamedTuple):
    """A prompt that fits, as far as is known."""

    messages: tuple[Message, ...]
    max_tokens: int
    """What is left for thoughts and answer, at most what was wanted."""


class ContextWindow:
    """The context window of one model on one server.

    Args:
        client: of the server.
        model: the name that it knows.
        tokens: size of the window; None asks the server, once.

    """

    def __init__(self, client: openai.AsyncOpenAI, model: str, tokens: int | None = None) -> None:
        self.tokens = tokens
        self._client, self._model = client, model
        self._asked = tokens is not None
        self._counters: tuple[tuple[str, str], ...] = (
            ("chat/completions/input_tokens", "input_tokens"),
            (str(client.base_url.join("../tokenize")), "count"),
        )
        self._bytes_per_token = BYTES_PER_TOKEN

    async def fit(
        self, messages: Sequence[Message], wanted: int, share: float = 1.0, *, tools: Tools = (), shortens: bool = True
    ) -> Fitted:
        """Drop the oldest turns until prompt and answer fit; then cut the middle out of what is left.

        A turn goes as a whole, from one message of the user's to the next, so that no call loses its result.

        Args:
            messages: the system prompt first, then turn by turn, the newest message last.
            wanted: most tokens that thoughts and answer may take.
            share: part of the window to fill, less than all of it once its size has turned out to be wrong.
            tools: what the prompt tells of besides.
            shortens: False refuses a prompt that does not fit: who has made it knows better what can go.

        Raises:
            BadInputError: ``model-refused`` with ``reason="context"``, both sizes and no change to the prompt.

        """
        if self.tokens is None and not self._asked:
            self.tokens = await self._ask_size()
        if self.tokens is None and share == 1.0:
            return Fitted(tuple(messages), wanted)
        tokens = self.tokens or 0
        if share < 1.0:
            whole = await self.count(messages, tools) + wanted
            tokens = max(1, int(share * min(self.tokens or whole, whole)))
        reserve = min(wanted, int(tokens * MIN_ANSWER_SHARE))
        most = tokens - reserve
        # A token has one byte at least: what fits by bytes need not be counted.
        if (size := byte_count(messages, tools)) > tokens // 2:
            size = await self.count(messages, tools)
            if size > most and not shortens:
                raise BadInputError(
                    ErrorCode.MODEL_REFUSED,
                    "the prompt is too long for the model",
                    reason="context",
                    prompt_tokens=size,
                    context_tokens=tokens,
                )
            while size > most and (shorter := _without_oldest(messages, most / size)) != messages:
                messages = shorter
                size = await self.count(messages, tools)
        return Fitted(tuple(messages), max(1, min(wanted, tokens - size)))

    async def count(self, messages: Sequence[Message], tools: Tools = ()) -> int:
        """Return how many tokens the messages take: as the server counts them, or an estimate."""
        counted = await self._ask_count(messages, tools)
        return counted or round(byte_count(messages, tools) / self._bytes_per_token)

    def observe(self, messages: Sequence[Message], prompt_tokens: int, tools: Tools = ()) -> None:
        """Learn from what the server says that a prompt took; the densest text counts."""
        if prompt_tokens > 0:
            density = byte_count(messages, tools) / prompt_tokens
            self._bytes_per_token = max(1.0, min(self._bytes_per_token, density))

    def learn(self, refusal: Refusal, sent: Sequence[Message], tools: Tools = ()) -> bool:
        """Read the figures of a refusal; return whether they tell anything new."""
        text = f"{refusal.message} {refusal.body}"
        before = self.tokens, self._bytes_per_token
        if size := _SIZE.search(text):
            self.tokens = int(next(filter(None, size.groups())))
        if prompt := _PROMPT.search(text):
            self.observe(sent, int(next(filter(None, prompt.groups()))), tools)
        _log.info("the model server refused a prompt as too long; its window is taken for %s tokens", self.tokens)
        return (self.tokens, self._bytes_per_token) != before

    async def _ask_size(self) -> int | None:
        """Return the window's size as vLLM and llama.cpp tell it with the model's name."""
        listed = (await self._get("models")).get("data")
        self._asked = listed is not None
        for model in listed if isinstance(listed, list) else ():
            if isinstance(model, dict) and model.get("id") == self._model:
                return _size(model, "max_model_len") or _size(model.get("meta"), "n_ctx")
        return None

    async def _ask_count(self, messages: Sequence[Message], tools: Tools) -> int | None:
        """Return the tokens of a prompt, the template's among them, by llama.cpp's or vLLM's own interface."""
        prompt: dict[str, Any] = {"model": self._model, "messages": [on_the_wire(message) for message in messages]}
        if tools:
            prompt["tools"] = list(tools)
        for path, field in self._counters:
            if counted := _size(await self._post(path, prompt), field):
                self._counters = ((path, field),)
                return counted
        self._counters = ()
        return None

    async def _get(self, path: str) -> dict[str, Any]:
        return await self._ask(self._client.get(path, cast_to=httpx2.Response, options={"timeout": SECONDS}))

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        options: openai.RequestOptions = {"timeout": SECONDS}
        return await self._ask(self._client.post(path, cast_to=httpx2.Response, body=body, options=options))

    async def _ask(self, asking: Any) -> dict[str, Any]:  # noqa: ANN401 - an awaitable of the client's
        try:
            async with asyncio.timeout(SECONDS):
                value = (await asking).json()
        except (openai.APIError, httpx2.HTTPError, TimeoutError, ValueError) as error:
            _log.debug("the model server does not tell of its window: %s", type(error).__name__)
            return {}
        return value if isinstance(value, dict) else {}


def byte_count(messages: Sequence[Message], tools: Tools = ()) -> int:
    """Return an upper bound of the tokens of messages: the bytes of their text, and what a template may add."""
    texts = [message.content for message in messages]
    texts += [part for message in messages for call in message.calls for part in (call.name, call.arguments)]
    texts += [json.dumps(tool) for tool in tools]
    return sum(len(text.encode(errors="replace")) + MESSAGE_TOKENS for text in texts)


def _without_oldest(messages: Sequence[Message], share: float) -> list[Message]:
    """Return messages without the oldest turn; where there is none, with the middle of the longest left out.

    Args:
        messages: the system prompt first, then a turn's two messages each, the newest message last.
        share: part of them that fits; a little less is kept.

    """
    head = [message for message in messages[:1] if message.role == "system"]
    turns = list(messages[len(head) :])
    while len(turns) > 1:
        turns = turns[1:]
        if turns[0].role == "user":
            return [*head, *turns]
    kept = list(messages)
    index = max(range(len(kept)), key=lambda i: len(kept[i].content))
    text = kept[index].content
    half = int(len(text) * min(share, 1.0) * 0.9) // 2
    if half < 1 or 2 * half + len(_OMITTED) >= len(text):
        return kept
    kept[index] = kept[index]._replace(content=text[:half] + _OMITTED + text[-half:])
    return kept


def _size(figures: object, name: str) -> int | None:
    """Return a positive figure of a server's answer; None where there is none."""
    value = figures.get(name) if isinstance(figures, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
