"""A model server of scripted answers: real HTTP on loopback, an OpenAI-compatible stream, and every way to fail."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route


class Cut(Exception):  # noqa: N818 - an event of the script, not an error of june
    """Raised within a stream, breaks the connection off."""


Piece = str | bytes | float | asyncio.Event | Cut


@dataclass(frozen=True)
class Script:
    """One answer: a status with a body, or pieces of an event stream."""

    pieces: Sequence["Piece"] = ()
    """Text and bytes are sent as they are, a number is a pause in seconds, an event is waited for, Cut breaks off."""
    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream"


Answering = Script | Callable[[dict[str, Any]], Script]
"""A script, or a function that chooses one by the request's fields."""


def event(value: object) -> str:
    """Write one server-sent event."""
    return f"data: {json.dumps(value)}\n\n"


def chunk(**delta: object) -> str:
    """Write a chunk with a delta."""
    return event({"model": "double", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def end(reason: str = "stop") -> str:
    """Write the chunk that ends the answer, the usage chunk with empty choices, and the end of the stream."""
    finish = event({"model": "double", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    usage = event({"model": "double", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}})
    return finish + usage + "data: [DONE]\n\n"


def said(*contents: str, reason: str = "stop") -> Script:
    """Script an answer whose content arrives in these pieces."""
    return Script(pieces=[*(chunk(content=content) for content in contents), end(reason)])


def refused(status: int, message: str = "no", **headers: str) -> Script:
    """Script an error as OpenAI-compatible servers write it."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": status}})
    return Script(status=status, body=body, headers=headers, content_type="application/json")


class ModelServerDouble:
    """Plays its scripts in order, the last one again and again; records the requests."""

    def __init__(self) -> None:
        """Begin without a script."""
        self.url = ""
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        """Of the same requests, as they came."""
        self.open_streams = 0
        self._scripts: deque[Answering] = deque()

    def plays(self, *scripts: Answering) -> None:
        """Set the answers to come, and forget the requests."""
        self._scripts = deque(scripts)
        self.requests.clear()
        self.bodies.clear()

    async def answer(self, request: Request) -> Response:
        """Answer by the next script."""
        self.bodies.append(await request.body())
        self.requests.append(json.loads(self.bodies[-1]))
        script = self._scripts.popleft() if len(self._scripts) > 1 else self._scripts[0]
        if not isinstance(script, Script):
            script = script(self.requests[-1])
        if script.pieces:
            return StreamingResponse(self._stream(script.pieces), script.status, script.headers, script.content_type)
        return Response(script.body, script.status, script.headers, script.content_type)

    async def _stream(self, pieces: Sequence[Piece]) -> AsyncIterator[str | bytes]:
        self.open_streams += 1
        try:
            for piece in pieces:
                if isinstance(piece, Cut):
                    raise piece
                if isinstance(piece, str | bytes):
                    yield piece
                elif isinstance(piece, asyncio.Event):
                    await piece.wait()
                else:
                    await asyncio.sleep(piece)
        finally:
            self.open_streams -= 1


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServerDouble]:
    """Serve on a free port of loopback."""
    double = ModelServerDouble()
    paths = ("/v1/chat/completions", "/v1/chat/completions/input_tokens")
    app = Starlette(routes=[Route(path, double.answer, methods=["POST"]) for path in paths])
    config = uvicorn.Config(app, "127.0.0.1", 0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    serving = asyncio.create_task(server.serve([socket]))
    double.url = f"http://127.0.0.1:{socket.getsockname()[1]}/v1"
    try:
        yield double
    finally:
        server.should_exit = True
        await serving
