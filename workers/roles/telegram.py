"""The Telegram bot's process: messages come in, and the activities fetch their audio and reply."""

import asyncio
import logging
import socket
from urllib.parse import urlsplit

import stamina
from telegram import Bot, User
from telegram.error import InvalidToken, TelegramError
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest
from temporalio.client import Client

from activities.platforms.telegram.platform import TelegramPlatform
from bots.inbox import Inbox
from bots.telegram.intake import TelegramIntake, publish_commands
from bots.telegram.polling import Polling, TokenRefusedError
from bots.telegram.webhook import Webhook, register
from workers.errors import JuneError
from workers.http import SHUTDOWN_SECONDS, listen, serving
from workers.roles.platform import bot_activities, open_bot_inbox
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
    platform = TelegramPlatform(bot)
    inbox = open_bot_inbox(client, settings)
    return WorkerSpec(
        slots=WorkerSettings().edge_slots,
        activities=bot_activities(platform),
        # The bot is not shut down at its end, as replies under way need it until the worker has ended.
        background=lambda: receive_updates(bot, platform, inbox, settings, listener),
    )


def build_bot(settings: TelegramSettings) -> Bot:
    """Build the bot's client; the library repeats no call, as june knows which of them may be."""
    # Of updates that it cannot read the library logs every word; june's own line says which one it was.
    logging.getLogger("telegram.Bot").setLevel(logging.CRITICAL + 1)
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


def _request(connections: int) -> HTTPXRequest:
    """Build one of the two connection pools: the long poll must not be in the way of all else."""
    return HTTPXRequest(
        connection_pool_size=connections,
        read_timeout=SEND_SECONDS,
        write_timeout=SEND_SECONDS,
        connect_timeout=CONNECT_SECONDS,
        pool_timeout=CONNECT_SECONDS,
    )


async def receive_updates(
    bot: Bot, platform: TelegramPlatform, inbox: Inbox, settings: TelegramSettings, listener: socket.socket | None
) -> None:
    """Hand Telegram's updates to the inbox, by webhook or by polling, until cancelled.

    Raises:
        JuneError: Telegram refuses the token, or the webhook's address.

    """
    menu: asyncio.Task[None] | None = None
    try:
        intake = TelegramIntake(inbox, platform.send_text, await _introduce(bot))
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
