"""june inside an application of python-telegram-bot that others start."""

import asyncio
import logging
from typing import Any

from telegram import Update
from telegram.ext import Application, ApplicationBuilder, TypeHandler
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

from activities.platforms.telegram.platform import TelegramPlatform
from bots.intake import result_of
from bots.telegram.intake import TelegramIntake
from bots.telegram.migration import Migration
from bots.telegram.owners import Owners
from workers.roles.platform import bot_activities, open_bot_inbox, policy_of
from workers.roles.role import Role
from workers.roles.spec import WorkerSpec
from workers.roles.worker import build_worker
from workers.settings import TelegramSettings, WorkerSettings
from workers.temporal import connect

_log = logging.getLogger(__name__)

ANSWER_SECONDS = 60.0
"""Timeout of an update's handler; an answer that takes longer is sent all the same."""

AnyApplication = Application[Any, Any, Any, Any, Any, Any]


class JuneApplication(AnyApplication):
    """june behind a library's application: updates go through the inbox, replies come back by this bot."""

    _worker: Worker
    _working: asyncio.Task[None]
    _intake: TelegramIntake
    _client: Client

    async def initialize(self) -> None:
        """Connect to Temporal as the environment says, and serve the platform's queue."""
        await super().initialize()
        self._client = client = await connect()
        settings = TelegramSettings()
        platform = TelegramPlatform(self.bot, tell_owners=Owners(self.bot, settings.owners).tell)
        spec = WorkerSpec(slots=WorkerSettings().edge_slots, activities=bot_activities(platform))
        move = Migration(client, policy_of(settings)).move
        self._intake = TelegramIntake(open_bot_inbox(client, settings), platform.send_notice, self.bot.bot, move)
        self._worker = build_worker(Role.TELEGRAM, client, spec)
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
        inbound = await self._intake.receive(update)
        if inbound is None:
            return
        answered = result_of(self._client, inbound.platform, inbound.chat, inbound.message)
        try:
            await asyncio.wait_for(answered, ANSWER_SECONDS)
        except TimeoutError:
            _log.info("message %s is not answered yet", inbound.message)
        except WorkflowFailureError as error:
            _log.info("message %s was not answered: %s", inbound.message, error.cause)


def build_application(builder: "ApplicationBuilder[Any, Any, Any, Any, Any, Any]") -> AnyApplication:
    """Build june's application from a builder that has its token, and whatever else the caller has set.

    It serves the platform's queue between ``initialize`` and ``shutdown``.
    """
    application = builder.application_class(JuneApplication).concurrent_updates(True).build()
    if not isinstance(application, JuneApplication):
        raise TypeError("the builder has made another application")
    application.add_handler(TypeHandler(Update, application.receive))
    return application
