"""The model server of a fault campaign, a process of its own: ``python -m workers.bench.faults.model_server PORT``.

It speaks as much of OpenAI's protocol as june asks for, answers by what the prompt holds, and keeps nothing: killed and
started again it is the same. ``POST /mode/MODE`` makes it fail until the next; one that hangs is a stopped process.
"""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from enum import StrEnum

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from workers.bench.faults.dialogue import answer
from workers.http import listen, serving
from workers.ports import LOOPBACK

MODEL = "campaign"
PIECE_CHARS = 24


class Mode(StrEnum):
    """How requests are answered."""

    WELL = "well"
    REFUSES = "refuses"
    """With a 503."""
    BREAKS_OFF = "breaks-off"
    """In the middle of the answer, without a word."""


class BrokenOffError(Exception):
    """Ends a response without its end."""


def build_app() -> Starlette:
    """Build the application."""
    mode = Mode.WELL

    async def set_mode(request: Request) -> Response:
        nonlocal mode
        mode = Mode(request.path_params["mode"])
        return Response(status_code=204)

    async def complete(request: Request) -> Response:
        asked = await request.json()
        if mode is Mode.REFUSES:
            return JSONResponse({"error": {"message": "overloaded", "type": "server_error", "code": 503}}, 503)
        text = answer(asked["messages"])
        if asked.get("stream"):
            return StreamingResponse(_events(text, breaks_off=mode is Mode.BREAKS_OFF), media_type="text/event-stream")
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return JSONResponse({"object": "chat.completion", "model": MODEL, "choices": [choice]})

    routes = [
        Route("/mode/{mode}", set_mode, methods=["POST"]),
        Route("/v1/chat/completions", complete, methods=["POST"]),
    ]
    return Starlette(routes=routes)


async def _events(text: str, *, breaks_off: bool) -> AsyncIterator[str]:
    """Stream an answer in pieces."""
    pieces = [text[start : start + PIECE_CHARS] for start in range(0, len(text), PIECE_CHARS)]
    for piece in pieces[: len(pieces) // 2] if breaks_off else pieces:
        yield _event({"content": piece}, None)
    if breaks_off:
        raise BrokenOffError
    yield _event({}, "stop")
    yield "data: [DONE]\n\n"


def _event(delta: dict[str, str], reason: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return f"data: {json.dumps({'model': MODEL, 'choices': [choice]})}\n\n"


async def serve(port: int) -> None:
    """Serve until killed."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)  # of answers broken off on purpose
    listener = listen(LOOPBACK, port, lambda error: f"The campaign's model server cannot listen: {error}.")
    async with serving(build_app(), listener) as server:
        await asyncio.shield(server)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
