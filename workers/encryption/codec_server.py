"""The codec server: what Temporal's Web UI and command line read encrypted payloads through, by Temporal's protocol.

It decides nothing about who may ask: whoever mounts the routes puts the login around them.
"""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from google.protobuf import json_format
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from workers.encryption.codec import KeyUnknownError

MAX_BODY_BYTES = 16_000_000
"""A page of a history in JSON; Temporal's own limit of one payload is 2 MiB."""

Work = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


def codec_routes(codec: PayloadCodec, prefix: str = "/codec") -> list[Route]:
    """Return ``POST <prefix>/encode`` and ``POST <prefix>/decode``: payloads as JSON in, payloads as JSON out.

    A body that is no list of payloads is answered 400, one that is too large 413, one without a known key 422.
    """

    def answer(work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await _answer(request, work)

        return endpoint

    return [
        Route(f"{prefix}/encode", answer(codec.encode), methods=["POST"]),
        Route(f"{prefix}/decode", answer(codec.decode), methods=["POST"]),
    ]


async def _answer(request: Request, work: Work) -> Response:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return PlainTextResponse("too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        payloads = json_format.Parse(body, Payloads(), max_recursion_depth=10).payloads
    except (json_format.ParseError, UnicodeDecodeError, RecursionError):
        return PlainTextResponse("no payloads", HTTPStatus.BAD_REQUEST)
    try:
        done = Payloads(payloads=await work(payloads))
    except KeyUnknownError as error:
        return PlainTextResponse(error.message, HTTPStatus.UNPROCESSABLE_ENTITY)
    # What was decrypted is in no cache.
    return Response(
        json_format.MessageToJson(done, indent=None),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
