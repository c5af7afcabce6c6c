"""Stream a chat completion from an OpenAI-compatible server (vLLM, llama.cpp, Ollama), and name what goes wrong."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.infer import InferRequest
from activities.text.answer import Delta

_USAGE_SECONDS = 2.0
"""Timeout for the usage figures once the model has said that it ended."""
_MAX_RETRY_AFTER_SECONDS = 60.0
_MAX_MESSAGE_CHARS = 300
_MIN_KEY_CHARS = 8
"""Shorter ones are the placeholders of servers without keys, and may be part of any word."""
_TRANSIENT = frozenset({408, 409, 425, 429})
"""The 4xx answers that a later attempt may not get."""
_CONTEXT = re.compile(r"context[ _-]?(?:length|size|window)|maximum context|prompt is too long", re.IGNORECASE)


class OpenAIChat:
    """A model behind OpenAI's protocol; satisfies ``LanguageModel``.

    Args:
        client: of the server, with ``max_retries=0``: retries are Temporal's.
        default_model: name that the server knows, for requests that name none.
        silence_seconds: longest silence before and between pieces.

    """

    def __init__(self, client: openai.AsyncOpenAI, default_model: str, silence_seconds: float) -> None:
        self._client = client
        self._default_model = default_model
        self._silence_seconds = silence_seconds

    async def stream(self, request: InferRequest) -> AsyncGenerator[Delta, None]:
        """Yield the pieces of a completion as they arrive; closing the generator frees the server's slot.

        Raises:
            BadInputError: ``model-refused``, the server will never answer this request.
            ApplicationError: ``model-unavailable``, to be retried: not there, overloaded, silent for too long,
                broken off, or speaking something else than OpenAI's protocol.

        """
        model = request.model or self._default_model
        messages = [message.model_dump() for message in request.messages]
        with _errors_named(self._client.api_key):
            async with asyncio.timeout(self._silence_seconds):
                stream = await self._client.chat.completions.create(
                    model=model,
                    messages=cast(list[ChatCompletionMessageParam], messages),
                    max_tokens=request.max_tokens,
                    temperature=request.temperature,
                    stream=True,
                    stream_options={"include_usage": True},
                )
            async with stream:
                if not stream.response.headers.get("content-type", "").startswith("text/event-stream"):
                    raise unavailable("the model server did not answer with an event stream")
                async for delta in _deltas(stream, self._silence_seconds):
                    yield delta if delta.model else delta._replace(model=model)


async def _deltas(
    stream: openai.AsyncStream[ChatCompletionChunk], silence_seconds: float
) -> AsyncGenerator[Delta, None]:
    timeout, ended = silence_seconds, False
    while True:
        try:
            async with asyncio.timeout(timeout):
                chunk = await anext(stream)
        except StopAsyncIteration:
            break
        except (TimeoutError, openai.APIConnectionError):
            if ended:  # the answer is whole, only its usage is missing
                break
            raise
        delta = _read(chunk)
        if delta.finish_reason:
            timeout, ended = min(silence_seconds, _USAGE_SECONDS), True
        yield delta
    if not ended:
        raise unavailable("the model server's stream broke off")


def _read(chunk: ChatCompletionChunk) -> Delta:
    """Read a chunk defensively: the client library validates nothing, and servers differ."""
    choices = getattr(chunk, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    delta = getattr(choice, "delta", None)
    usage = getattr(chunk, "usage", None)
    return Delta(
        content=_text(delta, "content"),
        reasoning=_text(delta, "reasoning") or _text(delta, "reasoning_content"),
        finish_reason=_text(choice, "finish_reason")[:40],
        model=_text(chunk, "model")[:200],
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
    )


def _text(part: object, name: str) -> str:
    value: Any = getattr(part, name, None)
    return value if isinstance(value, str) else ""


def _count(part: object, name: str) -> int | None:
    value: Any = getattr(part, name, None)
    return value if isinstance(value, int) else None


@contextmanager
def _errors_named(api_key: str) -> Iterator[None]:
    """Map everything that the client raises to june's errors; the one place that does.

    ``from None``: a cause would go into the history as well, with the server's whole answer in it.
    """
    try:
        yield
    except openai.APIStatusError as error:
        retry_after = error.response.headers.get("retry-after", "")
        raise _status_error(error.status_code, _message(error, api_key), retry_after) from None
    except (openai.APITimeoutError, TimeoutError):
        raise unavailable("the model server was silent for too long") from None
    except openai.APIConnectionError as error:
        raise unavailable(f"no connection to the model server: {type(error.__cause__).__name__}") from None
    except openai.APIError as error:  # an error event within the stream
        status = int(error.code) if error.code and error.code.isdecimal() else HTTPStatus.INTERNAL_SERVER_ERROR
        raise _status_error(status, _message(error, api_key)) from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unavailable(f"the model server sent a chunk that is not JSON: {type(error).__name__}") from None


def _status_error(status: int, message: str, retry_after: str = "") -> ApplicationError:
    """Map a status; of ``Retry-After``, dates are rare enough to be left to the retry policy."""
    text = f"the model server answered {status}: {message}"
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRANSIENT:
        seconds = float(retry_after) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", retry_after) else 0.0
        return unavailable(text, timedelta(seconds=min(seconds, _MAX_RETRY_AFTER_SECONDS)) if seconds > 0 else None)
    if _CONTEXT.search(message):
        return BadInputError(ErrorCode.MODEL_REFUSED, text, status=status, reason="context")
    return BadInputError(ErrorCode.MODEL_REFUSED, text, status=status)


def unavailable(message: str, retry_after: timedelta | None = None) -> ApplicationError:
    """Return the error for a failure of the server that a later attempt may not meet."""
    return ApplicationError(message, type=ErrorCode.MODEL_UNAVAILABLE.value, next_retry_delay=retry_after)


def _message(error: openai.APIError, api_key: str) -> str:
    """Return the server's own words in one line, capped, and never with the key in them."""
    body = error.body if isinstance(error.body, dict) else {}
    words = body.get("message") or body.get("detail") or error.message
    text = " ".join(str(words)[: 10 * _MAX_MESSAGE_CHARS].split())
    return (text.replace(api_key, "***") if len(api_key) >= _MIN_KEY_CHARS else text)[:_MAX_MESSAGE_CHARS]
