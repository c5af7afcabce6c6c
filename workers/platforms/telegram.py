"""The Telegram bot's process: brings messages in, fetches and replies; and the same as a library's application."""

import asyncio
import logging
import socket
from typing import Any
from urllib.parse import urlsplit

from telegram import Bot, Update, User
from telegram.error import InvalidToken, TelegramError
from telegram.ext import AIORateLimiter, Application, ApplicationBuilder, ExtBot, TypeHandler
from telegram.request import HTTPXRequest
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

from activities.accompany import AccompanyActivity
from activities.telegram_edge import TelegramEdge
from bots.door import Door
from bots.intake import result_of
from bots.telegram import TelegramIntake, publish_commands
from bots.telegram_polling import Polling, TokenRefusedError
from bots.telegram_webhook import Webhook, register
from workers.connection import connect
from workers.errors import JuneError, UnavailableError
from workers.kinds import Kind
from workers.platforms.edge import edge_activities, open_door, policy_of
from workers.platforms.server import GOODBYE_SECONDS, serving
from workers.registry import build_worker
from workers.settings import TelegramSettings, WorkerSettings
from workers.work import Work

_log = logging.getLogger(__name__)

SEND_SECONDS = 20.0
"""Telegram usually answers at once; giving up sooner would leave more sends uncertain."""
CONNECT_SECONDS = 5.0
CONNECTIONS = 64
LONGEST_PAUSE_SECONDS = 30.0
MOST_CONNECTIONS = 100
ANSWER_SECONDS = 60.0
"""What the application waits for an answer at most; one that takes longer is sent all the same."""
REFUSED = "Telegram refuses the bot's token (JUNE_TELEGRAM_TOKEN): copy it again from @BotFather."


async def build(client: Client) -> Work:
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
    edge = TelegramEdge(bot)
    door = _open_door(client, settings)
    return Work(
        slots=WorkerSettings().edge_slots,
        activities=_activities(edge),
        # The bot is not shut down at its end, as replies under way need it until the worker has ended.
        chore=lambda: _bring_in(bot, edge, door, settings, listener),
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
        # Of groups the edge keeps count by itself: the library would count chat actions as messages.
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


def _activities(edge: TelegramEdge) -> list[Any]:
    return [*edge_activities(edge), AccompanyActivity(edge).accompany]


def _open_door(client: Client, settings: TelegramSettings) -> Door:
    return open_door(client, policy_of(settings), accompanied=True)


async def _bring_in(
    bot: Bot, edge: TelegramEdge, door: Door, settings: TelegramSettings, listener: socket.socket | None
) -> None:
    """Bring messages in, for ever.

    Raises:
        JuneError: Telegram refuses the token, or the webhook's address.

    """
    menu: asyncio.Task[None] | None = None
    try:
        intake = TelegramIntake(door, edge.send_text, await _introduced(bot))
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


AnyApplication = Application[Any, Any, Any, Any, Any, Any]


class JuneApplication(AnyApplication):
    """june behind a library's application: updates go through the door, replies come back by this bot."""

    _worker: Worker
    _working: asyncio.Task[None]
    _intake: TelegramIntake
    _client: Client

    async def initialize(self) -> None:
        """Connect to Temporal as the environment says, and serve the platform's queue."""
        await super().initialize()
        self._client = client = await connect()
        edge = TelegramEdge(self.bot)
        work = Work(slots=WorkerSettings().edge_slots, activities=_activities(edge))
        self._intake = TelegramIntake(_open_door(client, TelegramSettings()), edge.send_text, self.bot.bot)
        self._worker = build_worker(Kind.TELEGRAM, client, work)
        self._working = asyncio.create_task(self._worker.run())

    async def shutdown(self) -> None:
        """Finish what is under way, and stop."""
        await self._intake.settle()
        await self._worker.shutdown()
        await self._working
        await super().shutdown()

    async def receive(self, update: Update, _context: object) -> None:
        """Take an update, and return once it was answered, or after a while: its message is safe long before.

        Callers that drive the application by hand find the answer sent when they have processed an update.
        """
        incoming = await self._intake.receive(update)
        if incoming is None:
            return
        answered = result_of(self._client, incoming.platform, incoming.chat, incoming.message)
        try:
            await asyncio.wait_for(answered, ANSWER_SECONDS)
        except TimeoutError:
            _log.info("message %s is not answered yet", incoming.message)
        except WorkflowFailureError as error:
            _log.info("message %s was not answered: %s", incoming.message, error.cause)


def build_application(builder: "ApplicationBuilder[Any, Any, Any, Any, Any, Any]") -> AnyApplication:
    """Build june's application from a builder that has its token, and whatever else its caller wants to be special.

    It serves the platform's queue between ``initialize`` and ``shutdown``.
    """
    application = builder.application_class(JuneApplication).concurrent_updates(True).build()
    if not isinstance(application, JuneApplication):
        raise TypeError("the builder has made another application")
    application.add_handler(TypeHandler(Update, application.receive))
    return application
