"""How the Discord bot's process begins, and in which sentence it ends when it cannot."""

from collections.abc import AsyncIterator

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from temporalio.testing import WorkflowEnvironment

from tests.support.platforms.discord import FakeDiscord, running
from tests.support.ports import free_port
from workers.errors import JuneError, UnavailableError
from workers.roles.discord import build
from workers.roles.spec import WorkerSpec


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    """A Discord that the environment names."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with running() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


async def begin(spec: WorkerSpec) -> None:
    """Run the work's background task."""
    assert spec.background
    await spec.background()


async def test_it_serves_its_queue_and_tells_its_commands(fake: FakeDiscord, dev_server: WorkflowEnvironment) -> None:
    work = await build(dev_server.client)
    assert [activity.__name__ for activity in work.activities] == ["fetch", "reply", "show_progress"]
    assert len(fake.commands) == 17


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_without_a_good_token(
    fake: FakeDiscord, dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("JUNE_DISCORD_TOKEN", token)
    with pytest.raises(JuneError, match="JUNE_DISCORD_TOKEN") as refused:
        await build(dev_server.client)
    assert "wrong" not in str(refused.value)


async def test_an_intent_that_was_not_chosen(
    fake: FakeDiscord, dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUNE_DISCORD_MESSAGE_CONTENT", "true")
    with pytest.raises(JuneError, match="message-content"):
        await begin(await build(dev_server.client))


async def test_no_rest_interface_or_no_gateway(
    fake: FakeDiscord, dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUNE_DISCORD_GATEWAY_URL", f"ws://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match="gateway"):
        await begin(await build(dev_server.client))
    monkeypatch.setenv("JUNE_DISCORD_API_BASE", f"http://127.0.0.1:{free_port()}/api/v10")
    with pytest.raises(UnavailableError, match="does not answer"):
        await build(dev_server.client)
