"""The page over Temporal's real server, and all of june but its engines."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser
from playwright.async_api import Page as Tab
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from bots.web.app import Page
from tests.support.page_browser import launched
from tests.support.page_client import page_of
from tests.support.page_talk import TalkPage, tone_microphone, visit
from tests.support.page_view import served
from tests.support.world import World, running
from workflows.names import platform_queue


@pytest.fixture(scope="module")
async def workers(dev_server: WorkflowEnvironment) -> AsyncIterator[World]:
    """All of june but its engines and its page."""
    async with running(dev_server.client, World()) as world:
        web = Worker(dev_server.client, task_queue=platform_queue("web"), activities=[world.fetch, world.reply])
        async with web:
            yield world


@pytest.fixture
def world(workers: World) -> World:
    """The same, with nothing asked of it yet."""
    workers.reset()
    return workers


@pytest.fixture
def page(dev_server: WorkflowEnvironment) -> Page:
    """A page without a password, whose store is memory."""
    return page_of(dev_server.client)


@pytest.fixture(scope="session")
async def view_url() -> AsyncIterator[str]:
    """Where the page's files are served, with nothing behind them."""
    async with served() as url:
        yield url


@pytest.fixture(scope="session")
async def view_browser() -> AsyncIterator[Browser]:
    """A browser for tests of what the page shows."""
    async with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
async def talk_browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser whose microphone hears a tone."""
    microphone = tmp_path_factory.mktemp("microphone") / "tone.wav"
    tone_microphone(microphone)
    async with launched(microphone) as browser:
        yield browser


@pytest.fixture
async def june(dev_server: WorkflowEnvironment, world: World) -> AsyncIterator[TalkPage]:
    """The page's server, over scripted engines."""
    june = TalkPage(world, dev_server.client)
    await june.start()
    yield june
    await june.stop()


@pytest.fixture
async def tab(talk_browser: Browser, june: TalkPage) -> AsyncIterator[Tab]:
    """A tab with june's page, in a browser that has never seen it."""
    async with visit(talk_browser, june.url) as tab:
        yield tab
