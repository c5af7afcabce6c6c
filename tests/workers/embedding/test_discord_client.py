"""june as a client of discord.py that others start; whole conversations are in tests/e2e/test_discord_simcord.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.support.platforms.discord import FakeDiscord, running
from tests.support.waiting import until
from workers.clients.pollers import living_pollers
from workers.embedding.discord_client import create_discord_client
from workers.platforms.discord import create_discord_client as name_of_0_1_0
from workers.roles.role import Role
from workers.temporal import connect


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[FakeDiscord]:
    """A Discord that the environment names."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    async with running() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@pytest.mark.usefixtures("address")
async def test_it_serves_the_platforms_queue_from_login_to_close(fake: FakeDiscord) -> None:
    async def served() -> bool:
        return bool(await living_pollers(await connect(), Role.DISCORD.queue))

    client = create_discord_client()
    await client.login(fake.environment["JUNE_DISCORD_TOKEN"])
    try:
        assert len(fake.commands) == 20
        await until(served)
    finally:
        await client.close()
    assert client.is_closed()
    await client.close()


def test_it_is_found_by_its_name_of_0_1_0() -> None:
    assert name_of_0_1_0 is create_discord_client
