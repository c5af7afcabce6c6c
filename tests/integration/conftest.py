"""The june that runs, and chats of tests' own."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.chat import TERSE, OwnChat
from tests.integration.june import June, reach
from tests.integration.settings import IntegrationSettings
from workers.errors import UnavailableError

NO_JUNE = 69
"""Exit code of a run that found no june: ``EX_UNAVAILABLE`` of sysexits.h, none of pytest's own."""


@pytest.fixture(scope="session", autouse=True)
async def june() -> June:
    """The june that runs; without one no test is tried."""
    try:
        return await reach(IntegrationSettings())
    except UnavailableError as error:
        pytest.exit(f"There is no june to test. {error}", NO_JUNE)


@pytest.fixture
async def new_chat(june: June) -> AsyncIterator[OwnChat]:
    """A chat in which nothing was said yet; forgotten afterwards."""
    chat = OwnChat(june)
    yield chat
    await chat.forget()


@pytest.fixture
async def chat(new_chat: OwnChat) -> OwnChat:
    """A chat that is answered in few words, at any pace."""
    await new_chat.open(TERSE)
    return new_chat
