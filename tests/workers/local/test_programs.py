"""What a stack on one machine is made of, on which ports, and which process gets which secret."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from workers.local.free_ports import own_ports
from workers.local.programs import configured_bots, with_key
from workers.local.stack import Embedded
from workers.roles.role import BOTS, Role
from workers.settings import LlmSettings, StorageSettings, WorkerSettings, secret_names

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
    return {program.name: set(secret_names() & program.environment.keys()) for program in stack.programs}


def test_a_secret_is_given_to_those_who_need_it(stack: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_TESTS_SECRETS", "")
    for name, secrets in given(stack).items():
        assert secrets == NEEDED.get(name, set())


def test_the_tests_worker_gets_what_the_tests_may_know(stack: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(stack)["worker-tests"] == {"JUNE_WEB_PASSWORD"}
    monkeypatch.setenv("JUNE_TESTS_SECRETS", "JUNE_TELEGRAM_TOKEN,JUNE_DISCORD_TOKEN")
    assert given(stack)["worker-tests"] == {"JUNE_TELEGRAM_TOKEN", "JUNE_DISCORD_TOKEN"}


def test_a_stack_without_engines_has_no_model_server(tmp_path: Path) -> None:
    ports = own_ports()
    idle = Embedded(StorageSettings(home=tmp_path), ports, work=WorkerSettings(engines="none"), optional=())
    assert [program.name for program in idle.programs] == [
        *("temporal", "worker-workflows", "worker-gpu", "worker-cpu", "worker-file"),
    ]
    assert not {"JUNE_EMBEDDED_LLM_PORT", "JUNE_WEB_PORT"} & dict(idle.programs.port_settings()).keys()
    elsewhere = Embedded(StorageSettings(home=tmp_path), ports, LlmSettings(base_url="http://box/v1"), optional=())
    assert "model-server" not in [program.name for program in elsewhere.programs]


def test_each_worker_keeps_its_ports_whatever_else_runs(stack: Embedded, tmp_path: Path) -> None:
    base = stack.ports.worker_port_base
    every = {program.name: program.port for program in stack.programs}
    few = {
        program.name: program.port
        for program in Embedded(StorageSettings(home=tmp_path), stack.ports, optional=[]).programs
    }
    assert few.items() <= every.items()
    assert [every[role.program] for role in Role] == [base + 3 * index + 1 for index in range(len(Role))]
    listed = [port for _, port in stack.programs.port_settings()]
    assert len(set(listed)) == len(listed)
    assert set(every.values()) <= set(listed)


def test_the_server_of_the_stack_takes_the_place_of_any_other(
    stack: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "elsewhere:7233")
    monkeypatch.setenv("TEMPORAL_API_KEY", "secret")
    for program in stack.programs:
        server = {name: value for name, value in program.environment.items() if name.startswith("TEMPORAL_")}
        assert server == {"TEMPORAL_ADDRESS": stack.address, "TEMPORAL_CONFIG_FILE": "/dev/null"}
        assert program.environment["JUNE_HOME"] == str(tmp_path)
        assert program.log == tmp_path / "logs" / f"{program.name}.log"


def test_the_model_server_of_the_stack_gets_a_key_of_its_own() -> None:
    first, second = with_key(LlmSettings(api_key=SecretStr(""))), with_key(LlmSettings(api_key=SecretStr("")))
    assert len(first.api_key.get_secret_value()) > 20
    assert first.api_key != second.api_key
    mine = LlmSettings(base_url="http://box/v1", api_key=SecretStr(""))
    assert with_key(mine) is mine


def test_bots_run_when_their_token_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_TELEGRAM_TOKEN", "")
    monkeypatch.setenv("JUNE_DISCORD_TOKEN", "")
    assert configured_bots() == (Role.WEB,)
    monkeypatch.setenv("JUNE_DISCORD_TOKEN", "a.b.c")
    assert configured_bots() == (Role.DISCORD, Role.WEB)
