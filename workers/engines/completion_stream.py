"""Read a chat completion as OpenAI-compatible servers send it: an event stream, or a whole answer at once.

Read defensively: nothing of it is validated by anybody, and servers differ.
"""

import json
import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from activities.language_model import Delta, ToolCallPiece

MAX_EVENT_BYTES = 4_000_000
"""Of one event; a server that sends no line end for so long speaks another protocol."""
MIN_REPEATED_CHARS = 20
"""A last piece this long that equals all before it is the whole answer again, as some proxies send it."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")
"""The protocol's three; a carriage return at the end may be half of one."""
_THOUGHTS = ("reasoning", "reasoning_content", "thinking", "reasoning_details")
"""Where servers put thoughts: vLLM and OpenRouter, DeepSeek and llama.cpp, Ollama, OpenRouter's list of parts."""


class StreamError(Exception):
    """The server reported an error within its stream."""

    def __init__(self, body: object) -> None:
        super().__init__("error in the stream")
        self.body = body


class Event(NamedTuple):
    """One event of the stream."""

    delta: Delta = Delta()
    done: bool = False
    """``[DONE]``: nothing comes after it."""


async def read_events(blocks: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """Yield the events of a stream of bytes.

    Lines are cut as bytes: a text's own line separators (U+2028) are none of the protocol's.

    Raises:
        StreamError: the server reported an error.
        ValueError: what was sent is not JSON, or has no end.

    """
    pending, reader = b"", _LineReader()
    async for block in blocks:
        *lines, pending = _LINE_END.split(pending + block)
        if len(pending) > MAX_EVENT_BYTES:
            raise ValueError("an event without end")
        for line in lines:
            if event := reader.read(line):
                yield event
    if event := reader.read(pending):
        yield event


class _LineReader:
    """Reads lines, each of which is an event; what was said in all of them must not be said once more at the end."""

    def __init__(self) -> None:
        self._kind = b""
        self._said = ""

    def read(self, line: bytes) -> Event | None:
        """Return the event of a line; None for comments, pings, and events without data."""
        line = line.strip().removeprefix(_BYTE_ORDER_MARK)
        name, _, data = line.partition(b":")
        data = data.strip()
        if line.startswith(b"{"):  # a whole completion that was sent as if it were a stream
            name, data = b"data", line
        if name == b"event":
            self._kind = data
        if not line:
            self._kind = b""
        if name != b"data" or not data or data.startswith(b":"):
            return None
        if data == b"[DONE]":
            return Event(done=True)
        value = json.loads(data)
        if self._kind == b"error":
            raise StreamError(value)
        delta = read_completion(value)
        if len(delta.content) >= MIN_REPEATED_CHARS and delta.content == self._said:
            return Event(delta._replace(content=""))
        self._said += delta.content
        return Event(delta)


def read_completion(value: Any) -> Delta:  # noqa: ANN401 - whatever the server sent
    """Read a chunk of a stream, or a whole completion.

    Raises:
        StreamError: it is an error.

    """
    if not isinstance(value, dict):
        return Delta()
    if error := value.get("error"):
        raise StreamError(error)
    choices = value.get("choices")
    choice = (
        next((_dict(one) for one in choices if not _dict(one).get("index")), {}) if isinstance(choices, list) else {}
    )
    reason = _text(choice.get("finish_reason"))[:40].lower()
    if choice.get("error") or reason in {"error", "abort"}:
        raise StreamError(choice.get("error") or f"finish reason {reason}")
    delta = _dict(choice["delta"] if "delta" in choice else choice.get("message"))
    content, thoughts = _parts(delta.get("content") or delta.get("refusal") or choice.get("text"))
    usage = _dict(value.get("usage")) or _dict(_dict(value.get("x_groq")).get("usage"))
    return Delta(
        content=content,
        reasoning=thoughts or next(filter(None, ("".join(_parts(delta.get(name))) for name in _THOUGHTS)), ""),
        finish_reason=reason,
        model=_text(value.get("model"))[:200],
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        calls=_calls(delta),
    )


def _calls(delta: dict[str, Any]) -> tuple[ToolCallPiece, ...]:
    """Return the pieces of tool calls; of the field before ``tool_calls`` there is one call at most."""
    listed = delta.get("tool_calls")
    if not isinstance(listed, list):
        function = _dict(delta.get("function_call"))
        listed = [{"function": function}] if function else []
    pieces = []
    for position, call in enumerate(map(_dict, listed)):
        function, index = _dict(call.get("function")), _count(call.get("index"))
        arguments = function.get("arguments")
        if isinstance(arguments, dict):  # not as text, as Ollama's own protocol has them
            arguments = json.dumps(arguments, ensure_ascii=False)
        piece = ToolCallPiece(
            position if index is None else index, _text(call.get("id")), _text(function.get("name")), _text(arguments)
        )
        if any(piece[1:]):
            pieces.append(piece)
    return tuple(pieces)


def _parts(content: object) -> tuple[str, str]:
    """Return text and thoughts of a content: a text, or a list of typed parts as Mistral's server sends them."""
    if not isinstance(content, list):
        return _text(content), ""
    text = thoughts = ""
    for part in content:
        if isinstance(part, dict):
            more, thought = _parts(part.get("thinking"))
            thoughts += more + thought
            text += _text(part.get("text") or part.get("summary"))
    return text, thoughts


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
