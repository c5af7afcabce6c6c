"""The web page's process is killed at twelve random moments while twelve messages come in: each is answered once."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.support.audio_samples import tone, wav
from tests.support.chat import activities_of
from tests.support.encryption import opened_history
from tests.support.page_client import turns
from tests.support.ports import free_port
from tests.support.waiting import until
from workers.local.stack import Embedded

pytestmark = pytest.mark.e2e

KILLS = MESSAGES = 12
SEED = 20_261_124
TIMEOUT_SECONDS = 240
UNHURRIED = {
    "JUNE_LIMIT_CHAT_WAITING": "1000",
    "JUNE_LIMIT_CHAT_MESSAGES_PER_MINUTE": "1000",
    "JUNE_LIMIT_USER_MESSAGES_PER_MINUTE": "1000",
}
"""Limits that no test reaches by being quick."""


async def test_each_message_is_answered_once(idle: Embedded, tmp_path: Path) -> None:
    chance, port = random.Random(SEED), free_port()  # noqa: S311 - it hides nothing
    url = f"http://localhost:{port}"
    where = {"TEMPORAL_ADDRESS": idle.address, "TEMPORAL_CONFIG_FILE": os.devnull, "JUNE_HOME": str(idle.home)}
    environment = os.environ | where | UNHURRIED | {"JUNE_WEB_PORT": str(port)}
    command = (sys.executable, "-m", "workers.cli", "bot", "web")
    with (tmp_path / "bot.log").open("ab") as log:

        async def launch() -> asyncio.subprocess.Process:
            return await asyncio.create_subprocess_exec(*command, env=environment, stdout=log, stderr=log)

        bot = await launch()
        async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, timeout=5) as browser:
            await insisting(browser, "/api/session", b"{}")
            talking = asyncio.create_task(talk(browser, chance))
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.2, 4.5))  # from amid its start to well after
                bot.send_signal(signal.SIGKILL)
                await bot.wait()
                bot = await launch()
            asked = await asyncio.wait_for(talking, TIMEOUT_SECONDS)
            query = "Platform = 'web' AND WorkflowType = 'VoiceMessage' AND Stage = 'done'"

            async def all_done() -> bool:
                return (await idle.client.count_workflows(query)).count == MESSAGES

            await until(all_done, TIMEOUT_SECONDS)
            past = [turn async for turn in idle.client.list_workflows(query)]
            assert Counter(turn.id.rsplit("/", 1)[-1] for turn in past) == Counter(asked)
            for turn in past:
                ran = activities_of(await opened_history(idle.client.get_workflow_handle(turn.id)))
                assert [one.completed for one in ran if one.name == "reply"] == [1]
            await insisting(browser, "/api/session", b"{}")  # the last start may not be over yet
            assert [turn["answer"] for turn in await turns(browser)] == ["This is an answer."] * MESSAGES
        bot.terminate()
        assert await bot.wait() == 0


async def talk(browser: httpx.AsyncClient, chance: random.Random) -> list[str]:
    """Say something now and then, spoken or written; like the page, insist with the same id until it is taken."""
    asked = [f"message-{number}" for number in range(MESSAGES)]
    for number, message in enumerate(asked):
        spoken = number % 2 == 0
        body = wav(tone(1)) if spoken else b'{"text": "hello"}'
        await insisting(browser, f"/api/messages?id={message}", body, "audio/wav" if spoken else "application/json")
        await asyncio.sleep(chance.uniform(0.1, 4))
    return asked


async def insisting(browser: httpx.AsyncClient, path: str, body: bytes, kind: str = "application/json") -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while True:
            try:
                answer = await browser.post(path, content=body, headers={"Content-Type": kind})
            except httpx.TransportError:
                await asyncio.sleep(0.3)
                continue
            if answer.is_success:
                return
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.3)
