"""A model server that does everything right, without a model: words in a fixed order, tokens of four bytes.

It calls a tool only where it has to.
"""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.model_servers.running import ModelServer
from workers.ports import LOOPBACK

KEY = "sk-of-the-fake-tests"
MODEL = "fake"
WINDOW = 2048
THOUGHTS = 500
"""Tokens that it thinks before it would answer."""
SHORT = 12
"""Tokens of its answers, unless it is asked for a long one."""
BYTES_PER_TOKEN = 4
MESSAGE_TOKENS = 5
PROMPT_TOKENS = 3
TOKEN_SECONDS = 0.002
ENDLESS = "very long"
"""In the last message: it writes for as long as it may."""
_WORDS = (
    *("tea", "rain", "river", "garden", "window", "letter", "morning"),
    *("kettle", "street", "music", "paper", "winter", "harbour", "lantern"),
)


class FakeModelServer:
    """The server of one model."""

    def __init__(self, *, thinks: bool) -> None:
        """Begin; ``thinks``: it thinks for longer than anybody lets it."""
        self.open_streams = 0
        self._thinks = thinks

    async def models(self, request: Request) -> Response:
        """List the one model."""
        if refused := self._unauthorized(request):
            return refused
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model", "max_model_len": WINDOW}]})

    async def slots(self, _request: Request) -> Response:
        """Tell of each answer that is being written."""
        return JSONResponse([{"is_processing": True}] * self.open_streams)

    async def count(self, request: Request) -> Response:
        """Count a prompt's tokens."""
        return JSONResponse({"input_tokens": _prompt_tokens(await request.json())})

    async def complete(self, request: Request) -> Response:
        """Stream an answer."""
        if refused := self._unauthorized(request):
            return refused
        try:
            body = await request.json()
        except ValueError as error:
            return _refuse(HTTPStatus.BAD_REQUEST, f"parse error: {error}")
        if body["model"] != MODEL:
            return _refuse(HTTPStatus.NOT_FOUND, f"The model `{body['model']}` does not exist.")
        if not 0 <= body.get("temperature", 1) <= 2:
            return _refuse(HTTPStatus.BAD_REQUEST, f"temperature must be in [0, 2], got {body['temperature']}.")
        if (tokens := _prompt_tokens(body)) > WINDOW:
            return _refuse(
                HTTPStatus.BAD_REQUEST,
                f"This model's maximum context length is {WINDOW} tokens. However, your prompt contains {tokens} "
                "input tokens. Please reduce the length of the input prompt.",
            )
        return StreamingResponse(self._stream(body, tokens), media_type="text/event-stream")

    def _unauthorized(self, request: Request) -> Response | None:
        if request.headers.get("authorization") == f"Bearer {KEY}":
            return None
        return _refuse(HTTPStatus.UNAUTHORIZED, "Invalid API key")

    async def _stream(self, body: dict[str, Any], prompt_tokens: int) -> AsyncIterator[str]:
        self.open_streams += 1
        written, reason = 0, "stop"
        try:
            yield _event({"role": "assistant", "content": ""})
            for delta in self._deltas(body):
                if written == min(body.get("max_tokens") or WINDOW, WINDOW - prompt_tokens):
                    reason = "length"
                    break
                written += 1
                reason = "tool_calls" if "tool_calls" in delta else "stop"
                await asyncio.sleep(TOKEN_SECONDS)
                yield _event(delta)
            yield _event({}, reason)
            usage = {"prompt_tokens": prompt_tokens, "completion_tokens": written}
            yield f"data: {json.dumps({'model': MODEL, 'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n"
        finally:
            self.open_streams -= 1

    def _deltas(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield a token each; the same for the same messages."""
        if self._thinks and body.get("chat_template_kwargs", {}).get("enable_thinking") is not False:
            yield from ({"reasoning": " hm"} for _ in range(THOUGHTS))
        state = zlib.crc32(json.dumps(body["messages"]).encode())
        endless = ENDLESS in body["messages"][-1]["content"]
        if body.get("tool_choice") and not endless:
            yield from _call(body)
            return
        if response_format := body.get("response_format"):
            yield from ({"content": character} for character in _values(response_format["json_schema"]["schema"]))
            return
        for count in range(WINDOW if endless else SHORT):
            state = zlib.crc32(state.to_bytes(4, "big"))
            word = _WORDS[state % len(_WORDS)]
            blank, stop = " " if count else "", "." if count % 6 == 5 else ""
            yield {"content": blank + (word.capitalize() if count % 6 == 0 else word) + stop}


def _call(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a call of the tool that is named, or of the first."""
    choice, tools = body["tool_choice"], {tool["function"]["name"]: tool["function"] for tool in body["tools"]}
    name = next(iter(tools)) if choice == "required" else choice["function"]["name"]
    yield {"tool_calls": [{"index": 0, "id": "call-1", "type": "function", "function": {"name": name}}]}
    for character in _values(tools[name]["parameters"]):
        yield {"tool_calls": [{"index": 0, "function": {"arguments": character}}]}


def _values(schema: dict[str, Any]) -> str:
    """Return an object as JSON, with the first value that each of its fields may have."""
    return json.dumps({name: field["enum"][0] for name, field in schema["properties"].items()})


def _prompt_tokens(body: dict[str, Any]) -> int:
    texts = [json.dumps(tool) for tool in body.get("tools", ())]
    texts += [message["content"] for message in body["messages"]]
    texts += [json.dumps(message["tool_calls"]) for message in body["messages"] if "tool_calls" in message]
    return PROMPT_TOKENS + sum(MESSAGE_TOKENS - (-len(text.encode()) // BYTES_PER_TOKEN) for text in texts)


def _event(delta: dict[str, Any], reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'model': MODEL, 'choices': [choice]})}\n\n"


def _refuse(status: HTTPStatus, message: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": "invalid_request_error", "code": status}}, status)


@asynccontextmanager
async def fake(*, thinks: bool) -> AsyncIterator[ModelServer]:
    """Serve on a free port of loopback."""
    double = FakeModelServer(thinks=thinks)
    routes = [
        Route("/slots", double.slots),
        Route("/v1/models", double.models),
        Route("/v1/chat/completions", double.complete, methods=["POST"]),
        Route("/v1/chat/completions/input_tokens", double.count, methods=["POST"]),
    ]
    config = uvicorn.Config(Starlette(routes=routes), LOOPBACK, 0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    serving = asyncio.create_task(server.serve([socket]))

    try:
        yield ModelServer(f"http://{LOOPBACK}:{socket.getsockname()[1]}/v1", MODEL, KEY, WINDOW, thinks=thinks)
    finally:
        server.should_exit = True
        await serving
