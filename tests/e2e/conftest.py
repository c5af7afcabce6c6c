"""The stacks that the whole way is tested on, and what bots are tested against."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.platforms.telegram import BotApi
from tests.support.telegram_bot import BotProcess
from tests.workers.conftest import SMALL_MODEL, prepared_home
from workers.local.free_ports import own_ports, own_web
from workers.local.stack import Embedded
from workers.roles.role import Role
from workers.settings import PROJECT, EmbeddedSettings, LlmSettings, StorageSettings, WorkerSettings, environment


@asynccontextmanager
async def without_engines(home: Path) -> AsyncIterator[Embedded]:
    """Everything but the engines, which do nothing, at once."""
    storage = StorageSettings(home=home, file_roots=(PROJECT, home))
    async with Embedded(storage, own_ports(), work=WorkerSettings(engines="none"), optional=()) as stack:
        yield stack


@pytest.fixture(scope="session")
async def idle(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """A stack that modules have in common, with chats of their own; a bot finds what was left for an earlier one."""
    async with without_engines(tmp_path_factory.mktemp("idle")) as stack:
        yield stack


@pytest.fixture(scope="module")
async def api() -> AsyncIterator[BotApi]:
    """A Bot API server."""
    async with BotApi() as api:
        yield api


@pytest.fixture
async def bot(idle: Embedded, api: BotApi) -> AsyncIterator[BotProcess]:
    """A Telegram bot that was not started yet."""
    bot = BotProcess(api, idle)
    yield bot
    await bot.kill()


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> StorageSettings:
    """The real stack's home, with the project's models."""
    return prepared_home(tmp_path_factory.mktemp("real") / "home")


@pytest.fixture(scope="module")
def ports() -> EmbeddedSettings:
    """The real stack's ports."""
    return own_ports()


@pytest.fixture(scope="module")
async def real(storage: StorageSettings, ports: EmbeddedSettings) -> AsyncIterator[Embedded]:
    """Everything, with real engines and the smallest language model; the page serves Temporal's Web UI."""
    llm = LlmSettings(model=SMALL_MODEL)
    async with Embedded(storage, ports, llm, web=own_web(), optional=[Role.WEB]) as stack:
        yield stack


@pytest.fixture
def variables(real: Embedded, storage: StorageSettings, ports: EmbeddedSettings) -> dict[str, str]:
    """What the environment of a command says, so that it finds the real stack."""
    return environment(storage, ports, LlmSettings(model=SMALL_MODEL)) | {"TEMPORAL_ADDRESS": real.address}
