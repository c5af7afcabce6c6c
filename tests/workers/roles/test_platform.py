"""What every platform's worker is built from, by the settings."""

from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.blobs import BlobStore
from activities.platforms.file import FilePlatform
from activities.platforms.telegram.platform import TelegramPlatform
from bots.access import Policy
from bots.coding import CodingRules
from bots.inbox import InboundLimits
from tests.support.waiting import until
from workers.roles.platform import bot_activities, open_bot_inbox, open_inbox, platform_activities, policy_of
from workers.roles.telegram import build_bot
from workers.settings import DiscordSettings, TelegramSettings

TELEGRAM = {"token": "1:abc", "owners": "1", "users": "2 3", "groups": "-4", "open_groups": "-5"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, in the settings."""
    monkeypatch.setenv("JUNE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("kind", [TelegramSettings, DiscordSettings])
def test_who_may_talk_is_read_from_the_settings(kind: type[TelegramSettings | DiscordSettings]) -> None:
    policy = policy_of(kind.model_validate(TELEGRAM))
    assert policy == Policy(
        owners=frozenset({"1"}),
        users=frozenset({"2", "3"}),
        groups=frozenset({"-4"}),
        open_groups=frozenset({"-5"}),
    )


def test_a_platform_fetches_and_replies_and_a_bot_shows_its_progress(home: Path) -> None:
    file = FilePlatform(home / "outbox", (home,), BlobStore.open(home / "blobs"))
    assert [activity.__name__ for activity in platform_activities(file)] == ["fetch", "reply", "send_file"]
    bot = TelegramPlatform(build_bot(TelegramSettings.model_validate(TELEGRAM)))
    assert [activity.__name__ for activity in bot_activities(bot)] == [
        *("fetch", "reply", "send_file", "show_progress", "retract"),
    ]


async def test_code_is_for_those_whom_the_settings_name_and_needs_a_sandbox_worker(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules: list[CodingRules] = []

    def commands_stand_in(*_args: object, coding: CodingRules, **_more: object) -> None:
        rules.append(coding)

    queue = f"sandbox-{uuid4().hex[:8]}"
    monkeypatch.setattr("workers.roles.platform.Commands", commands_stand_in)
    monkeypatch.setattr("workers.roles.platform.SANDBOX_QUEUE", queue)
    open_inbox_with_any_commands(dev_server.client, monkeypatch)
    monkeypatch.setenv("JUNE_CODE_FOR_ALL", "true")
    open_inbox_with_any_commands(dev_server.client, monkeypatch)
    owners, everybody = rules
    assert (owners.for_all, everybody.for_all) == (False, True)
    assert not await owners.is_served()

    @activity.defn
    async def act() -> None:
        """Do nothing."""

    async with Worker(dev_server.client, task_queue=queue, activities=[act]):
        await until(owners.is_served)


def open_inbox_with_any_commands(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.roles.platform.Inbox", lambda *_args, **_more: None)
    open_inbox(client, Policy(everyone=True))


async def test_limits_of_the_inbox_are_those_of_the_settings(
    dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Policy, InboundLimits, dict[str, bool]]] = []

    def open_stand_in(_client: Client, policy: Policy, limits: InboundLimits, _commands: object, **more: bool) -> None:
        opened.append((policy, limits, more))

    monkeypatch.setattr("workers.roles.platform.Inbox", open_stand_in)
    monkeypatch.setenv("JUNE_LIMIT_CHAT_WAITING", "3")
    monkeypatch.setenv("JUNE_LIMIT_USER_VOICE_SECONDS_PER_DAY", "60")
    monkeypatch.setenv("JUNE_AUDIO_MAX_BYTES", "1000")
    settings = TelegramSettings.model_validate(TELEGRAM)
    open_bot_inbox(dev_server.client, settings)
    open_inbox(dev_server.client, Policy(everyone=True), signal_sentences=True)
    (policy, limits, bot), (_, same, page) = opened
    assert policy == policy_of(settings)
    assert (limits.chat.waiting, limits.user.voice_seconds_per_day, limits.max_bytes) == (3, 60, 1000)
    assert limits == same
    assert (bot["accompanied"], page["accompanied"], page["signal_sentences"]) == (True, False, True)
