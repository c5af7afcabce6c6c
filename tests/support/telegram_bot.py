"""The Telegram bot as a process of its own, between a Bot API server and a running stack."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.support.chat import eventually
from tests.support.platforms.telegram import TOKEN, BotApi, Post
from tests.support.waiting import TIMEOUT_SECONDS
from workers.local.stack import Embedded
from workflows.names import voice_message_id
from workflows.voice.contracts import VoiceMessageResult
from workflows.voice.voice_message import VoiceMessage

OWNER, USERS = 7, range(101, 140)
NO_LIMITS = {
    "JUNE_LIMIT_CHAT_MESSAGES_PER_MINUTE": "1000",
    "JUNE_LIMIT_USER_MESSAGES_PER_MINUTE": "1000",
}


class BotProcess:
    """``june bot telegram``, started and killed as the test wants it."""

    def __init__(self, api: BotApi, stack: Embedded, **variables: str) -> None:
        self._api = api
        self._log = stack.home / "logs" / "bot-telegram-test.log"
        self._variables = {
            "JUNE_HOME": str(stack.home),
            "JUNE_ENGINES": "none",
            "TEMPORAL_ADDRESS": stack.address,
            "TEMPORAL_CONFIG_FILE": os.devnull,
            "JUNE_TELEGRAM_TOKEN": TOKEN,
            "JUNE_TELEGRAM_BASE_URL": api.url,
            "JUNE_TELEGRAM_OWNERS": str(OWNER),
            "JUNE_TELEGRAM_USERS": " ".join(str(user) for user in USERS),
            **NO_LIMITS,
            **variables,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, until: str = "getUpdates") -> None:
        """Start, and return once it calls a method: it asks for updates, or has them posted."""
        before = len(self._api.called(until))
        process = await self.launch()
        async with asyncio.timeout(60):
            while len(self._api.called(until)) == before:
                if process.returncode is not None:
                    raise RuntimeError(f"the bot has ended: {self.log[-2000:]}")
                await asyncio.sleep(0.01)

    async def launch(self) -> asyncio.subprocess.Process:
        """Start, and return at once."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "workers.cli", "bot", "telegram"),
                env=os.environ | self._variables,
                stdout=log,
                stderr=log,
            )
        return self._process

    async def end(self) -> int:
        """Wait until it ends by itself; return its exit code."""
        if self._process is None:
            return 0
        return await asyncio.wait_for(self._process.wait(), 30)

    async def kill(self) -> None:
        """Kill it without a warning."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end; return its exit code."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
        return await self.end()

    @property
    def log(self) -> str:
        return self._log.read_text()


def texts(posts: list[Post]) -> list[Post]:
    return [post for post in posts if post.text]


def voices(posts: list[Post]) -> list[Post]:
    return [post for post in posts if post.media]


async def result(stack: Embedded, chat: int, message: int, seconds: float = TIMEOUT_SECONDS) -> VoiceMessageResult:
    """Wait for the end of a message's turn; one that does not end tells what it waits for."""
    turn = stack.client.get_workflow_handle_for(VoiceMessage.run, voice_message_id("telegram", str(chat), str(message)))
    try:
        return await eventually(turn.result, seconds)
    except TimeoutError as error:
        waits = (await turn.describe()).raw_description.pending_activities
        raise AssertionError(f"message {message} of chat {chat} waits for {waits}") from error


def holds(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """Make of a condition one that can be awaited."""

    async def look() -> bool:
        return condition()

    return look
