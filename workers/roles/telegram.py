"""The Telegram bot's process: messages come in, and the activities fetch their audio and reply."""

import asyncio
import json
import logging
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import stamina
from telegram import Bot, User
from telegram.error import InvalidToken, TelegramError
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest
from temporalio.client import Client

from activities.platforms.telegram.platform import TelegramPlatform
from bots.telegram.intake import TelegramIntake, publish_commands
from bots.telegram.migration import Migration
from bots.telegram.owners import Owners
from bots.telegram.polling import Polling, TokenRefusedError
from bots.telegram.webhook import Webhook, register
from workers.errors import JuneError
from workers.http import SHUTDOWN_SECONDS, listen, serving
from workers.roles.platform import bot_activities, open_bot_inbox, policy_of
from workers.roles.spec import WorkerSpec
from workers.settings import TelegramSettings, WorkerSettings

_log = logging.getLogger(__name__)

SEND_SECONDS = 20.0
"""Telegram usually answers at once; giving up sooner would leave more sends uncertain."""
CONNECT_SECONDS = 5.0
POOL_SIZE = 64
MAX_CONNECTIONS = 100
REFUSED = "Telegram refuses the bot's token (JUNE_TELEGRAM_TOKEN): copy it again from @BotFather."


async def build(client: Client) -> WorkerSpec:
    """Build the bot; Telegram itself need not be reachable yet.

    Raises:
        JuneError: there is no token, or the webhook has no secret.
        UnavailableError: the webhook's port is taken, or its address is not this machine's.

    """
    settings = TelegramSettings()
    if not settings.token.get_secret_value():
        raise JuneError("The Telegram bot needs a token: set JUNE_TELEGRAM_TOKEN to the one from @BotFather.")
    listener = None
    if settings.webhook_url:
        if not settings.webhook_secret.get_secret_value():
            raise JuneError("Webhook mode needs a secret: set JUNE_TELEGRAM_WEBHOOK_SECRET to a long random word.")
        host, port = settings.webhook_host, settings.webhook_port
        place = f"{host}:{port} (JUNE_TELEGRAM_WEBHOOK_HOST, _PORT)"
        listener = listen(host, port, lambda error: f"The webhook cannot listen on {place}: {error.strerror}.")
    bot = build_bot(settings)
    platform = TelegramPlatform(bot, tell_owners=Owners(bot, settings.owners).tell)
    inbox, move = open_bot_inbox(client, settings), Migration(client, policy_of(settings)).move

    def build_intake(me: User) -> TelegramIntake:
        return TelegramIntake(inbox, platform.send_notice, me, move)

    return WorkerSpec(
        slots=WorkerSettings().edge_slots,
        activities=bot_activities(platform),
        # The bot is not shut down at its end, as replies under way need it until the worker has ended.
        background=lambda: receive_updates(bot, build_intake, settings, listener),
    )


def build_bot(settings: TelegramSettings) -> Bot:
    """Build the bot's client; the library repeats no call, as june knows which of them may be."""
    # Of updates and answers that it cannot read the library logs every word, and a traceback for each pause that
    # Telegram asks for; stamina logs that it tries again. June's own lines say what happened, and what happens next.
    for name in ("telegram.Bot", "telegram.ext.AIORateLimiter", "telegram.request.BaseRequest", "stamina"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    server = settings.base_url.rstrip("/")
    files = (settings.file_base_url or settings.base_url).rstrip("/")
    return ExtBot(
        settings.token.get_secret_value(),
        base_url=f"{server}/bot",
        base_file_url=f"{files}/file/bot",
        request=_request(POOL_SIZE),
        get_updates_request=_request(2),
        # Of groups the platform keeps count by itself: the library would count chat actions as messages.
        rate_limiter=AIORateLimiter(group_max_rate=0, max_retries=0),
    )


class _CheckedRequest(HTTPXRequest):
    """Requests whose failures are told by their status, as some servers answer 200 with ``"ok": false``."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:  # noqa: ANN401 - as the library has it
        """Return the status and the body."""
        status, body = await super().do_request(*args, **kwargs)
        return (status, body) if b'"result"' in body else _failure(status, body)


def _failure(status: int, body: bytes) -> tuple[int, bytes]:
    """Return the status that an answer without a result should have had, and a body that the library can read."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):  # a page of HTML, say
        answer = None
    if not isinstance(answer, dict):
        body, answer = b"{}", {}
    code = answer.get("error_code")
    if status >= httpx.codes.BAD_REQUEST:
        return status, body
    return code if isinstance(code, int) and code >= httpx.codes.BAD_REQUEST else httpx.codes.BAD_GATEWAY, body


def _request(connections: int) -> HTTPXRequest:
    """Build one of the two connection pools: the long poll must not be in the way of all else."""
    return _CheckedRequest(
        connection_pool_size=connections,
        read_timeout=SEND_SECONDS,
        write_timeout=SEND_SECONDS,
        connect_timeout=CONNECT_SECONDS,
        pool_timeout=CONNECT_SECONDS,
    )


async def receive_updates(
    bot: Bot, build_intake: Callable[[User], TelegramIntake], settings: TelegramSettings, listener: socket.socket | None
) -> None:
    """Hand Telegram's updates to the inbox, by webhook or by polling, until cancelled.

    Raises:
        JuneError: Telegram refuses the token, or the webhook's address.

    """
    menu: asyncio.Task[None] | None = None
    try:
        intake = build_intake(await _introduce(bot))
        menu = asyncio.create_task(publish_commands(bot))
        try:
            await (_serve_webhook(bot, intake, settings, listener) if listener else _poll(bot, intake))
        finally:
            try:
                await asyncio.wait_for(intake.settle(), SHUTDOWN_SECONDS)
            except TimeoutError:
                _log.warning("not all answers were sent")
    except (InvalidToken, TokenRefusedError):
        raise JuneError(REFUSED) from None
    finally:
        if menu:
            menu.cancel()


async def _introduce(bot: Bot) -> User:
    """Ask Telegram who the bot is, until it answers."""

    def may_pass(error: Exception) -> bool:
        if isinstance(error, InvalidToken) or not isinstance(error, TelegramError):
            return False
        _log.warning("Telegram was not reached: %s", error.message)
        return True

    async for attempt in stamina.retry_context(
        may_pass, attempts=None, timeout=None, wait_initial=0.5, wait_max=30.0, wait_jitter=0
    ):
        with attempt:
            await bot.initialize()
    _log.info("the bot is @%s", bot.username)
    return bot.bot


async def _poll(bot: Bot, intake: TelegramIntake) -> None:
    try:
        await bot.delete_webhook()  # as long as one is set, there are no updates to poll for
    except TelegramError as error:
        _log.warning("whether a webhook is set is not known: %s", error.message)
    await Polling(bot, intake.receive).run()


async def _serve_webhook(bot: Bot, intake: TelegramIntake, settings: TelegramSettings, listener: socket.socket) -> None:
    """Serve the webhook, and register it with Telegram."""
    secret = settings.webhook_secret.get_secret_value()
    app = Webhook(bot, intake.receive, secret).application(urlsplit(settings.webhook_url).path)
    async with serving(app, listener, MAX_CONNECTIONS) as server:
        try:
            await register(bot, settings.webhook_url, secret)
        except ValueError as error:
            raise JuneError(f"Telegram does not take the webhook (JUNE_TELEGRAM_WEBHOOK_URL): {error}") from None
        await asyncio.shield(server)
