"""What a stack on one machine is made of, on which ports, and which process gets which secret."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from workers.local.free_ports import own_ports
from workers.local.programs import DYNAMIC_CONFIG, configured_bots, with_key
from workers.local.stack import Embedded
from workers.ports import REFUSED_BY_BROWSERS
from workers.roles.role import BOTS, Role
from workers.settings import LlmSettings, StorageSettings, WorkerSettings, secret_names

NEEDED = {
    "model-server": {"JUNE_LLM_API_KEY"},
    "worker-gpu": {"JUNE_LLM_API_KEY", "JUNE_CODE_API_KEY"},
    "bot-telegram": {"JUNE_TELEGRAM_TOKEN", "JUNE_TELEGRAM_WEBHOOK_SECRET"},
    "bot-discord": {"JUNE_DISCORD_TOKEN"},
    "bot-web": {"JUNE_WEB_PASSWORD"},
}


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    """Prepare a stack of everything, in an environment with all secrets; nothing is started."""
    for secret in secret_names():
        monkeypatch.setenv(secret, "secret")
    return Embedded(StorageSettings(home=tmp_path), own_ports(), optional=[*BOTS, Role.SANDBOX, Role.TESTS])


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
    assert (
        not {"JUNE_EMBEDDED_LLM_PORT", "JUNE_EMBEDDED_UI_PORT", "JUNE_WEB_PORT"}
        & dict(idle.programs.port_settings()).keys()
    )
    speechless = Embedded(StorageSettings(home=tmp_path), ports, work=WorkerSettings(engines="model"), optional=())
    assert "model-server" in [program.name for program in speechless.programs]
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


def test_temporal_s_own_web_ui_runs_where_the_page_serves_it(stack: Embedded) -> None:
    before = {program.name: program for program in stack.programs}
    assert "--headless" in before["temporal"].command
    assert "--ui-port" not in before["temporal"].command
    assert before["bot-web"].environment["JUNE_WEB_UI_SERVER"] == ""
    assert stack.programs.ui_url is None
    programs = replace(stack.programs, ui_server_port=6665, metrics_port=6666)
    after = {program.name: program for program in programs}
    command = after["temporal"].command
    assert (command[command.index("--ui-port") + 1], command[command.index("--metrics-port") + 1]) == ("6665", "6666")
    assert "--headless" not in command
    assert after["bot-web"].environment["JUNE_WEB_UI_SERVER"] == "http://127.0.0.1:6665"
    assert programs.ui_url == f"http://localhost:{stack.ports.ui_port}"


def test_temporal_s_http_api_answers_no_name_that_exists() -> None:
    (name,) = json.loads(DYNAMIC_CONFIG["frontend.httpAllowedHosts"])
    assert " " in name, "the URL Standard forbids it in hosts"


def test_what_answers_whoever_asks_listens_where_no_browser_connects(stack: Embedded, tmp_path: Path) -> None:
    stack._hide_ports()
    other = Embedded(StorageSettings(home=tmp_path), own_ports(), optional=[Role.WEB])
    other._hide_ports()
    hidden = {port for one in (stack, other) for port in hidden_ports(one)}
    assert hidden <= set(REFUSED_BY_BROWSERS)
    assert len(hidden) == 6, "two on the same machine"
    mine = Embedded(StorageSettings(home=tmp_path), own_ports().model_copy(update={"llm_port": 18090}), optional=[])
    mine._hide_ports()
    assert mine.programs.ports.llm_port == 18090
    assert (mine.programs.ui_server_port, mine.ui_url) == (None, None), "there is no page that would serve it"


def hidden_ports(stack: Embedded) -> list[int]:
    """List the ports that were chosen as no browser connects to them, by what the programs are given."""
    by_name = {program.name: program for program in stack.programs}
    command, web = by_name["temporal"].command, by_name["bot-web"].environment
    assert web["JUNE_EMBEDDED_LLM_PORT"] == str(by_name["model-server"].port)
    ports = [command[command.index(option) + 1] for option in ("--ui-port", "--metrics-port")]
    assert web["JUNE_WEB_UI_SERVER"] == f"http://127.0.0.1:{ports[0]}"
    return [*map(int, ports), by_name["model-server"].port]


def test_without_such_a_port_there_is_no_web_ui(
    stack: Embedded, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("workers.local.stack.hold_refused_port", lambda _taken: None)
    stack._hide_ports()
    (temporal,) = (program for program in stack.programs if program.name == "temporal")
    assert "--headless" in temporal.command
    assert stack.ui_url is None
    assert "Temporal's Web UI does not run: all ports that browsers refuse are taken" in caplog.text
