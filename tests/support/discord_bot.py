"""``june bot discord`` as a process of its own, between a running stack and a fake Discord."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.platforms.discord import FakeDiscord
from tests.support.waiting import until
from workers.local.stack import Embedded

UNHURRIED = {
    "JUNE_LIMIT_CHAT_WAITING": "1000",
    "JUNE_LIMIT_CHAT_MESSAGES_PER_MINUTE": "1000",
    "JUNE_LIMIT_USER_MESSAGES_PER_MINUTE": "1000",
}
"""Limits that no test reaches by being quick."""


class BotProcess:
    """The bot's process, which can be ended and started again."""

    def __init__(self, stack: Embedded, fake: FakeDiscord, log: Path, **settings: str) -> None:
        """Prepare; settings are environment variables beside those that lead to the two servers."""
        self._fake = fake
        self._log = log
        where = {"TEMPORAL_ADDRESS": stack.address, "TEMPORAL_CONFIG_FILE": os.devnull, "JUNE_HOME": str(stack.home)}
        self._environment = os.environ | where | UNHURRIED | fake.environment | settings
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it has a session."""
        before = len(self._fake.gateway.sessions)
        await self.launch()
        await until(lambda: len(self._fake.gateway.sessions) > before)

    async def launch(self) -> None:
        """Start it, and do not wait."""
        command = (sys.executable, "-m", "workers.cli", "bot", "discord")
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, env=self._environment, stdout=log, stderr=log
            )

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal, and wait for its end."""
        process, self._process = self._process, None
        if process and process.returncode is None:
            process.send_signal(number)
            await process.wait()

    def log(self) -> str:
        """Read what it logged."""
        return self._log.read_text()


@asynccontextmanager
async def bot_process(stack: Embedded, fake: FakeDiscord, log: Path, **settings: str) -> AsyncIterator[BotProcess]:
    """Run the bot for as long as the block runs."""
    bot = BotProcess(stack, fake, log, **settings)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.end()
