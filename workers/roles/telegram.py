"""The Telegram bot's process: brings messages in, fetches and replies; and the same as a library's application."""

import asyncio
import logging
import socket
from typing import Any
from urllib.parse import urlsplit

from telegram import Bot, User
from telegram.error import InvalidToken, TelegramError
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest
from temporalio.client import Client

from activities.accompany import ShowProgressActivity
from activities.platforms.telegram.platform import TelegramPlatform
from bots.inbox import Inbox
from bots.telegram.intake import TelegramIntake, publish_commands
from bots.telegram.polling import Polling, TokenRefusedError
from bots.telegram.webhook import Webhook, register
from workers.errors import JuneError, UnavailableError
from workers.http import GOODBYE_SECONDS, serving
from workers.roles.platform import open_inbox, platform_activities, policy_of
from workers.roles.spec import WorkerSpec
from workers.settings import TelegramSettings, WorkerSettings

_log = logging.getLogger(__name__)

SEND_SECONDS = 20.0
"""Telegram usually answers at once; giving up sooner would leave more sends uncertain."""
CONNECT_SECONDS = 5.0
CONNECTIONS = 64
LONGEST_PAUSE_SECONDS = 30.0
MOST_CONNECTIONS = 100
REFUSED = "Telegram refuses the bot's token (JUNE_TELEGRAM_TOKEN): copy it again from @BotFather."


async def build(client: Client) -> WorkerSpec:
    """Make the bot; Telegram itself need not be reachable yet.

    Raises:
        JuneError: there is no token, or the webhook has no secret.
        UnavailableError: the webhook's port is taken, or its address is not this machine's.

    """
    settings = TelegramSettings()
    if not settings.token.get_secret_value():
        raise JuneError("The Telegram bot needs a token: set JUNE_TELEGRAM_TOKEN to the one from @BotFather.")
    listener = listen(settings) if settings.webhook_url else None
    bot = build_bot(settings)
    platform = TelegramPlatform(bot)
    inbox = open_telegram_inbox(client, settings)
    return WorkerSpec(
        slots=WorkerSettings().edge_slots,
        activities=bot_activities(platform),
        # The bot is not shut down at its end, as replies under way need it until the worker has ended.
        background=lambda: _bring_in(bot, platform, inbox, settings, listener),
    )


def build_bot(settings: TelegramSettings) -> Bot:
    """Make the bot's client; calls are never repeated by the library, as june knows which of them may be."""
    # Of updates that it cannot read the library logs every word; june's own line says which one it was.
    logging.getLogger("telegram.Bot").setLevel(logging.CRITICAL + 1)
    server = settings.base_url.rstrip("/")
    files = (settings.file_base_url or settings.base_url).rstrip("/")
    return ExtBot(
        settings.token.get_secret_value(),
        base_url=f"{server}/bot",
        base_file_url=f"{files}/file/bot",
        request=_request(CONNECTIONS),
        get_updates_request=_request(2),
        # Of groups the platform keeps count by itself: the library would count chat actions as messages.
        rate_limiter=AIORateLimiter(group_max_rate=0, max_retries=0),
    )


def _request(connections: int) -> HTTPXRequest:
    """Make one of the two ways to Telegram: the poll, which lasts, must not be in the way of all else."""
    return HTTPXRequest(
        connection_pool_size=connections,
        read_timeout=SEND_SECONDS,
        write_timeout=SEND_SECONDS,
        connect_timeout=CONNECT_SECONDS,
        pool_timeout=CONNECT_SECONDS,
    )


def bot_activities(platform: TelegramPlatform) -> list[Any]:
    """Make the activities of the platform."""
    return [*platform_activities(platform), ShowProgressActivity(platform).show_progress]


def open_telegram_inbox(client: Client, settings: TelegramSettings) -> Inbox:
    """Open the inbox by the settings."""
    return open_inbox(client, policy_of(settings), accompanied=True)


async def _bring_in(
    bot: Bot, platform: TelegramPlatform, inbox: Inbox, settings: TelegramSettings, listener: socket.socket | None
) -> None:
    """Bring messages in, for ever.

    Raises:
        JuneError: Telegram refuses the token, or the webhook's address.

    """
    menu: asyncio.Task[None] | None = None
    try:
        intake = TelegramIntake(inbox, platform.send_text, await _introduced(bot))
        menu = asyncio.create_task(publish_commands(bot))
        if listener:
            await _serve(bot, intake, settings, listener)
        else:
            await _poll(bot, intake)
    except TokenRefusedError:
        raise JuneError(REFUSED) from None
    finally:
        if menu:
            menu.cancel()


async def _introduced(bot: Bot) -> User:
    """Ask Telegram who the bot is, until it says."""
    pause = 0.5
    while True:
        try:
            await bot.initialize()
        except InvalidToken:
            raise TokenRefusedError from None
        except TelegramError as error:
            _log.warning("Telegram was not reached: %s", error.message)
        else:
            _log.info("the bot is @%s", bot.username)
            return bot.bot
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)


async def _poll(bot: Bot, intake: TelegramIntake) -> None:
    try:
        await bot.delete_webhook()  # as long as one is set, there are no updates to poll for
    except TelegramError as error:
        _log.warning("whether a webhook is set is not known: %s", error.message)
    try:
        await Polling(bot, intake.receive).run()
    finally:
        await _settled(intake)


async def _settled(intake: TelegramIntake) -> None:
    """Let june's own sentences under way be sent."""
    try:
        await asyncio.wait_for(intake.settle(), GOODBYE_SECONDS)
    except TimeoutError:
        _log.warning("not all answers were sent")


def listen(settings: TelegramSettings) -> socket.socket:
    """Open the webhook's port; who comes before it is served waits.

    Raises:
        JuneError: there is no secret.
        UnavailableError: the port is taken, or the address is not this machine's.

    """
    if not settings.webhook_secret.get_secret_value():
        raise JuneError("Webhook mode needs a secret: set JUNE_TELEGRAM_WEBHOOK_SECRET to a long random word.")
    host, port = settings.webhook_host, settings.webhook_port
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UnavailableError(
            f"The webhook cannot listen on {host}:{port} (JUNE_TELEGRAM_WEBHOOK_HOST, _PORT): {error.strerror}."
        ) from error


async def _serve(bot: Bot, intake: TelegramIntake, settings: TelegramSettings, listener: socket.socket) -> None:
    """Serve the webhook until cancelled, and tell Telegram where it is."""
    secret = settings.webhook_secret.get_secret_value()
    app = Webhook(bot, intake.receive, secret).application(urlsplit(settings.webhook_url).path)
    try:
        async with serving(app, listener, MOST_CONNECTIONS) as server:
            await register(bot, settings.webhook_url, secret)
            await asyncio.shield(server)
            raise RuntimeError("the webhook's server has ended by itself")
    except ValueError as error:
        raise JuneError(f"Telegram does not take the webhook (JUNE_TELEGRAM_WEBHOOK_URL): {error}") from None
    finally:
        await _settled(intake)
