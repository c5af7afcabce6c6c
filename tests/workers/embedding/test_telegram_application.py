"""june inside an application of python-telegram-bot; a whole conversation is in tests/e2e/test_telegram_double.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from telegram import Update
from telegram.ext import ApplicationBuilder

from tests.support.platforms.telegram import TOKEN, BotApi
from tests.support.waiting import until
from workers.clients.pollers import living_pollers
from workers.embedding.telegram_application import AnyApplication, JuneApplication, build_application
from workers.platforms.telegram import build_application as name_of_0_1_0
from workers.roles.role import Role
from workers.temporal import connect

OWNER = 7


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    """A Bot API server."""
    async with BotApi() as api:
        yield api


@pytest.fixture
async def application(
    api: BotApi, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[AnyApplication]:
    """The application, started as its library's users do."""
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    monkeypatch.setenv("JUNE_TELEGRAM_OWNERS", str(OWNER))
    async with build_application(ApplicationBuilder().token(TOKEN).base_url(f"{api.url}/bot")) as application:
        yield application


async def test_it_serves_the_platforms_queue_and_answers(application: AnyApplication, api: BotApi) -> None:
    api.write(OWNER, "/help", user=OWNER)
    await application.process_update(Update.de_json(api.updates[0], application.bot))
    await until(lambda: api.by_bot(OWNER))
    assert "/language" in api.by_bot(OWNER)[0].text
    await until(served)


async def served() -> bool:
    """Check whether a worker asks the platform's queue for work."""
    return bool(await living_pollers(await connect(), Role.TELEGRAM.queue))


def test_it_is_found_by_its_name_of_0_1_0() -> None:
    assert name_of_0_1_0 is build_application
    assert isinstance(build_application(ApplicationBuilder().token(TOKEN)), JuneApplication)
