"""june as a client of discord.py that others start."""

import asyncio
import contextvars

from temporalio.worker import Worker

from workers.roles.discord import JuneClient, point
from workers.roles.role import Role
from workers.roles.spec import WorkerSpec
from workers.roles.worker import build_worker
from workers.settings import DiscordSettings, WorkerSettings
from workers.temporal import connect

SERVER_TIMEOUT_SECONDS = 60.0


class ServingClient(JuneClient):
    """All of ``june bot discord`` in a client: it connects to Temporal and serves the platform's queue."""

    _serving: tuple[Worker, asyncio.Task[None]] | None = None

    async def setup_hook(self) -> None:
        """Connect to Temporal by the environment, and begin to serve."""
        client = await connect(timeout_seconds=SERVER_TIMEOUT_SECONDS, service=f"june-{Role.DISCORD.program}")
        spec = WorkerSpec(slots=WorkerSettings().edge_slots, activities=self.serve(client))
        worker = build_worker(Role.DISCORD, client, spec)
        # In a context of its own: it belongs to no event of Discord's, and outlives them all.
        self._serving = worker, contextvars.Context().run(asyncio.create_task, worker.run())
        await self.sync_menu()

    async def close(self) -> None:
        """Stop serving, then disconnect."""
        if self._serving:
            (worker, run), self._serving = self._serving, None
            await worker.shutdown()
            await run
        await super().close()


def create_discord_client() -> JuneClient:
    """Build a client that is ready to be started with a token, by the environment."""
    settings = DiscordSettings()
    point(settings)
    return ServingClient(settings)
