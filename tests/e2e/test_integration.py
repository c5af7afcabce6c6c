"""The integration tests pass on ``june up``, as people run them: each in a process of its own."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.integration.conftest import NO_JUNE
from tests.support.platforms import discord, telegram
from tests.support.platforms.discord_world import TOKEN as DISCORD_TOKEN
from tests.support.ports import free_port
from tests.workers.conftest import SMALL_MODEL, prepared_home
from workers.local.free_ports import own_ports, own_web
from workers.ports import LOOPBACK
from workers.settings import PROJECT, LlmSettings, environment

pytestmark = [pytest.mark.e2e, pytest.mark.engines]

MEANWHILE_SECONDS = 300
OWNER, GROUP = 7, -1001
WRONG_TOKEN = "654321:another-token"
NOWHERE = f"http://{LOOPBACK}:9"
PLATFORM_TESTS = ("tests/integration/test_doors.py", "-k", "telegram or discord")


@dataclass(frozen=True)
class Running:
    """A june that runs, with bots on both platforms, and a chat of the tests' own on each."""

    variables: dict[str, str]
    """The environment that finds all of it."""
    telegram: telegram.BotApi
    discord: discord.FakeDiscord

    async def tests(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Run tests, with these variables changed."""
        return await run(self.variables | variables, *arguments)

    def messages(self) -> int:
        """Count the messages in all chats."""
        return len(self.telegram.posts) + sum(map(len, self.discord.world.messages.values()))


@pytest.fixture(scope="module")
async def june(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Run june with real engines, the smallest model, both bots and the web page."""
    storage, ports = prepared_home(tmp_path_factory.mktemp("june") / "home"), own_ports()
    collector = f"http://{LOOPBACK}:{free_port()}/v1/traces"
    settings = environment(storage, ports, own_web(), LlmSettings(model=SMALL_MODEL))
    async with telegram.BotApi() as api, discord.running() as fake:
        settings |= platforms(api, fake)
        traced = settings | {"JUNE_OTLP_URL": collector, "OTEL_BSP_SCHEDULE_DELAY": "500"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workers.cli", "up", "--json"),
            env=os.environ | traced,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout
        try:
            assert await asyncio.wait_for(process.stdout.readline(), 90)
            named = {"TEMPORAL_ADDRESS": f"{LOOPBACK}:{ports.temporal_port}", "TEMPORAL_CONFIG_FILE": os.devnull}
            yield Running(settings | named | {"JUNE_INTEGRATION_OTLP_URL": collector}, api, fake)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
            await asyncio.wait_for(process.wait(), 60)


def platforms(api: telegram.BotApi, fake: discord.FakeDiscord) -> dict[str, str]:
    """Point june and the tests to both platforms."""
    owner, guild = fake.world.person("Olga"), fake.world.guild()
    return fake.environment | {
        "JUNE_DISCORD_OWNERS": owner,
        "JUNE_INTEGRATION_DISCORD_CHANNEL": fake.world.channel(guild, "tests"),
        "JUNE_TELEGRAM_TOKEN": telegram.TOKEN,
        "JUNE_TELEGRAM_BASE_URL": api.url,
        "JUNE_TELEGRAM_OWNERS": str(OWNER),
        "JUNE_INTEGRATION_TELEGRAM_CHAT": str(GROUP),
    }


async def run(variables: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run pytest; tell its exit code, and what it has said."""
    pytest_run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--durations=5", *arguments),
        cwd=PROJECT,
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(pytest_run.communicate(), MEANWHILE_SECONDS)
    except TimeoutError:
        pytest_run.kill()
        raise
    assert pytest_run.returncode is not None
    return pytest_run.returncode, said.decode()


async def test_a_june_that_runs_passes(june: Running) -> None:
    voices_before = len(june.telegram.called("sendVoice"))
    code, said = await june.tests(
        "tests/integration",
        JUNE_INTEGRATION_MAY_KILL="1",
        JUNE_INTEGRATION_LATENCY_TURNS="1",
        JUNE_INTEGRATION_LATENCY_BUDGET_SECONDS="120",  # other tests run beside: speed is a benchmark's matter
    )
    assert code == 0, said
    assert "SKIPPED" not in said, said
    assert len(june.telegram.called("sendVoice")) == voices_before + 2, "a question and its answer"
    assert june.messages() == 0, "nothing stays in the chats"


async def test_what_is_not_configured_is_skipped(june: Running) -> None:
    code, said = await june.tests(*PLATFORM_TESTS, JUNE_TELEGRAM_TOKEN="", JUNE_INTEGRATION_DISCORD_CHANNEL="")
    assert code == 0, said
    assert "1 passed, 3 skipped" in said
    reasons = re.findall(r"^SKIPPED .*: set (\w+)$", said, re.MULTILINE)
    assert sorted(reasons) == ["JUNE_INTEGRATION_DISCORD_CHANNEL", "JUNE_TELEGRAM_TOKEN"]


@pytest.mark.parametrize(
    ("wrong", "sentences"),
    [
        (
            {"JUNE_TELEGRAM_TOKEN": WRONG_TOKEN, "JUNE_DISCORD_TOKEN": WRONG_TOKEN},
            ("Telegram refuses the bot's token", "Discord does not take the token"),
        ),
        (
            {"JUNE_TELEGRAM_BASE_URL": NOWHERE, "JUNE_DISCORD_API_BASE": NOWHERE},
            ("Telegram: httpx.ConnectError", "Discord: Cannot connect"),
        ),
    ],
    ids=["tokens", "addresses"],
)
async def test_what_is_wrong_is_told_in_a_sentence_without_the_token(
    june: Running, wrong: dict[str, str], sentences: tuple[str, str]
) -> None:
    code, said = await june.tests(*PLATFORM_TESTS, **wrong)
    assert code == 1
    assert "4 failed" in said
    assert [sentence for sentence in sentences if sentence not in said] == []
    assert [token for token in (telegram.TOKEN, DISCORD_TOKEN, WRONG_TOKEN) if token in said] == []


async def test_no_private_chat_is_used(june: Running) -> None:
    world = june.discord.world
    private = world.private(june.variables["JUNE_DISCORD_OWNERS"])
    named = {"JUNE_INTEGRATION_TELEGRAM_CHAT": str(OWNER), "JUNE_INTEGRATION_DISCORD_CHANNEL": private}
    code, said = await june.tests(*PLATFORM_TESTS, **named)
    assert code == 1
    assert "2 failed, 2 passed" in said
    for name in named:
        assert re.search(rf"{name} names .*private.*, whose memory would be lost", said), said
    assert june.messages() == 0


async def test_without_a_june_there_is_one_sentence() -> None:
    nobody = {"TEMPORAL_ADDRESS": f"{LOOPBACK}:{free_port()}", "TEMPORAL_CONFIG_FILE": os.devnull}
    code, said = await run(nobody, "tests/integration/test_memory.py")
    assert code == NO_JUNE
    assert f"There is no june to test. No Temporal server answers at {nobody['TEMPORAL_ADDRESS']}" in said
    assert "Traceback" not in said
