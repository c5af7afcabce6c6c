"""Telegram's updates by webhook: each is answered with 200 only once its message is safe."""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot, Update
from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError
from temporalio.service import RPCError

from bots.telegram.messages import ALLOWED_UPDATES
from bots.telegram.polling import TRIES, UNREADABLE, TokenRefusedError

_log = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
MAX_BODY_BYTES = 1 << 20
"""An update has a few kilobytes."""
PAUSE_SECONDS = 5.0
OK, BAD, FORBIDDEN, TOO_LARGE, LATER = 200, 400, 403, 413, 503

Receive = Callable[[Update], Awaitable[object]]


class Webhook:
    """The endpoint that Telegram posts updates to."""

    def __init__(self, bot: Bot, receive: Receive, secret: str) -> None:
        """Take the bot, what takes its updates, and the secret that Telegram sends with each."""
        self._bot = bot
        self._receive = receive
        self._secret = secret.encode()
        self._one_at_a_time = asyncio.Lock()
        self._tries: dict[int, int] = {}

    def application(self, path: str) -> Starlette:
        """Make the ASGI application, with its one route."""
        return Starlette(routes=[Route(path or "/", self._post, methods=["POST"])])

    async def _post(self, request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "").encode()
        if not hmac.compare_digest(given, self._secret):
            return Response(status_code=FORBIDDEN)
        try:
            body = await _read(request)
        except ClientDisconnect:
            return Response(status_code=BAD)
        if body is None:
            return Response(status_code=TOO_LARGE)
        try:
            update = Update.de_json(json.loads(body), self._bot)
        except UNREADABLE as error:
            _log.error("an update could not be read, and is left out: %s", type(error).__name__)
            return Response(status_code=OK)  # it would be the same the next time
        async with self._one_at_a_time:
            return Response(status_code=OK if await self._taken(update) else LATER)

    async def _taken(self, update: Update) -> bool:
        """Take an update; False: Telegram should post it again."""
        try:
            await self._receive(update)
        except RPCError as error:
            _log.warning("update %d waits for Temporal: %s", update.update_id, error.message)
            return False
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one update must not stop all others
            tries = self._tries.pop(update.update_id, 0) + 1
            _log.error("update %d could not be taken, try %d", update.update_id, tries, exc_info=error)
            if tries < TRIES:
                self._tries = {update.update_id: tries}
                return False
        return True


async def _read(request: Request) -> bytes | None:
    """Read the body; None when it is larger than any update."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


async def register(bot: Bot, url: str, secret: str) -> None:
    """Tell Telegram where to post updates, one after the other; try until it has heard.

    Raises:
        TokenRefusedError: Telegram does not know the token.
        ValueError: Telegram does not take the address.

    """
    while True:
        try:
            await bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED_UPDATES, max_connections=1)
        except InvalidToken:
            raise TokenRefusedError from None
        except BadRequest as error:
            raise ValueError(error.message) from None
        except RetryAfter:
            await asyncio.sleep(PAUSE_SECONDS)
        except TelegramError as error:
            _log.warning("the webhook was not set: %s", error.message)
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return
