"""Which process of the embedded stack gets which secret."""

from pathlib import Path

import pytest

from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.roles.role import BOTS, Role
from workers.settings import StorageSettings, secret_names

NEEDED = {
    "model-server": {"JUNE_LLM_API_KEY"},
    "worker-gpu": {"JUNE_LLM_API_KEY"},
    "bot-telegram": {"JUNE_TELEGRAM_TOKEN", "JUNE_TELEGRAM_WEBHOOK_SECRET"},
    "bot-discord": {"JUNE_DISCORD_TOKEN"},
    "bot-web": {"JUNE_WEB_PASSWORD"},
}


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    """Prepare a stack of everything, in an environment with all secrets; nothing is started."""
    for secret in secret_names():
        monkeypatch.setenv(secret, "secret")
    return Embedded(StorageSettings(home=tmp_path), own_ports(), optional=[*BOTS, Role.TESTS])


def given(stack: Embedded) -> dict[str, set[str]]:
    """List the secrets that each process is started with."""
    return {program.name: set(secret_names() & program.environment.keys()) for program in stack._programs()}


def test_a_secret_is_given_to_those_who_need_it(stack: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_TESTS_SECRETS", "")
    for name, secrets in given(stack).items():
        assert secrets == NEEDED.get(name, set())


def test_the_tests_worker_gets_what_the_tests_may_know(stack: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(stack)["worker-tests"] == {"JUNE_WEB_PASSWORD"}
    monkeypatch.setenv("JUNE_TESTS_SECRETS", "JUNE_TELEGRAM_TOKEN,JUNE_DISCORD_TOKEN")
    assert given(stack)["worker-tests"] == {"JUNE_TELEGRAM_TOKEN", "JUNE_DISCORD_TOKEN"}
