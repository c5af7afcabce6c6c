"""Telegram's updates by webhook: each is answered with 200 only once its message is safe."""

import asyncio
import hmac
import json
import logging

import stamina
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot, Update
from telegram.error import BadRequest, InvalidToken

from bots.delivery import DROPPED, TryAgainError
from bots.telegram.messages import ALLOWED_UPDATES
from bots.telegram.polling import UNREADABLE, Receive, Retries, TokenRefusedError

_log = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
MAX_BODY_BYTES = 1 << 20
"""An update has a few kilobytes."""
PAUSE_SECONDS = 5.0
OK, BAD, FORBIDDEN, LATER = 200, 400, 403, 503


class Webhook:
    """The endpoint that Telegram posts updates to."""

    def __init__(self, bot: Bot, receive: Receive, secret: str) -> None:
        """Configure the endpoint.

        Args:
            bot: whom the updates are for.
            receive: hands one over; when it returns, the update is safe.
            secret: what Telegram sends with each.

        """
        self._bot = bot
        self._receive = receive
        self._secret = secret.encode()
        self._one_at_a_time = asyncio.Lock()

    def application(self, path: str) -> Starlette:
        """Build the ASGI application, with its one route."""
        return Starlette(routes=[Route(path or "/", self._post, methods=["POST"])])

    async def _post(self, request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "").encode()
        if not hmac.compare_digest(given, self._secret):
            return Response(status_code=FORBIDDEN)
        body = bytearray()
        try:
            async for chunk in request.stream():
                if len(body) <= MAX_BODY_BYTES:
                    body += chunk
        except ClientDisconnect:
            return Response(status_code=BAD)
        if len(body) > MAX_BODY_BYTES:
            _log.error("%s: an update has more than %d bytes", DROPPED, MAX_BODY_BYTES)
            return Response(status_code=OK)  # with another answer Telegram would post it again, before all others
        try:
            update = Update.de_json(json.loads(body), self._bot)
        except UNREADABLE as error:
            _log.error("%s: an update cannot be read: %s", DROPPED, type(error).__name__)
            return Response(status_code=OK)  # it would be the same the next time
        async with self._one_at_a_time:
            try:
                await self._receive(update)
            except TryAgainError:
                return Response(status_code=LATER)  # Telegram posts it again
        return Response(status_code=OK)


async def register(bot: Bot, url: str, secret: str) -> None:
    """Have Telegram post updates to the address, one after the other; try until it answers.

    Raises:
        TokenRefusedError: Telegram does not know the token.
        ValueError: Telegram does not take the address.

    """
    try:
        may_pass = Retries().may_pass
        async for attempt in stamina.retry_context(
            may_pass,
            attempts=None,
            timeout=None,
            wait_initial=PAUSE_SECONDS,
            wait_max=PAUSE_SECONDS,
            wait_jitter=0,
        ):
            with attempt:
                try:
                    await bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED_UPDATES, max_connections=1)
                except BadRequest as error:
                    raise ValueError(error.message) from None
    except InvalidToken:
        raise TokenRefusedError from None
