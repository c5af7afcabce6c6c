"""The compose file and the image say what june's own code says; whether they run is for a container engine."""

import fnmatch
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml  # type: ignore[import-untyped] # a dependency of huggingface-hub, without types
from typer.testing import CliRunner

from workers.cli import app
from workers.local.database import PRAGMAS
from workers.local.programs import DYNAMIC_CONFIG, TEMPORAL_MEMORY
from workers.ports import REFUSED_BY_BROWSERS
from workers.roles.role import BOTS, OPTIONAL, Role
from workers.settings import EmbeddedSettings
from workflows.names import SEARCH_ATTRIBUTES

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
SANDBOX_DOCKERFILE = (ROOT / "docker" / "sandbox.Dockerfile").read_text(encoding="utf-8")
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("june")}
COMMANDS = {name: service["command"] for name, service in OURS.items() if "entrypoint" not in service}
WORKERS = {name: command[1] for name, command in COMMANDS.items() if command[0] in {"worker", "bot"}}
ELSEWHERE = frozenset({Role.SANDBOX})
"""Roles without a service: a container without rights can make no namespaces, and none gets an engine's socket."""
WANTED = tuple(role for role in OPTIONAL if role not in ELSEWHERE)
PROFILES = ("cpu", "gpu", *WANTED)
SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD")


def of_profile(profile: str) -> set[str]:
    """Name the services that a profile starts."""
    return {name for name, service in SERVICES.items() if profile in service.get("profiles", [profile])}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_exist(name: str) -> None:
    command = [word for word in COMMANDS[name] if not word.startswith("${")]
    assert CliRunner().invoke(app, [*command, "--help"]).exit_code == 0
    assert name not in WORKERS or (WORKERS[name] in BOTS) == (command[0] == "bot")


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_each_profile_serves_each_queue_once(profile: str) -> None:
    served = [WORKERS[name] for name in of_profile(profile) & set(WORKERS)]
    assert sorted(served) == sorted(set(Role) - set(OPTIONAL))


@pytest.mark.parametrize("role", sorted(WANTED))
def test_what_is_optional_starts_when_it_is_wanted_and_then_once(role: Role) -> None:
    (name,) = (name for name, served in WORKERS.items() if served == role)
    assert SERVICES[name]["profiles"] == [role.value]


def test_what_needs_rights_of_its_own_is_no_service() -> None:
    assert not ELSEWHERE & {*WORKERS.values()}
    sources = [str(volume) for service in SERVICES.values() for volume in service.get("volumes", [])]
    assert [source for source in sources if "sock" in source] == []


def test_a_secret_is_given_to_those_who_need_it() -> None:
    for role in BOTS:
        for secret in role.secrets:
            holders = {WORKERS[name] for name in WORKERS if secret in SERVICES[name].get("environment", {})}
            assert holders - {Role.TESTS} <= {role}  # JUNE_TESTS_SECRETS is for that


def test_the_web_page_asks_for_a_password_and_the_telegram_bot_for_a_token() -> None:
    assert "JUNE_WEB_PASSWORD" in SERVICES["web"]["environment"]
    assert "JUNE_TELEGRAM_TOKEN" in SERVICES["telegram-bot"]["environment"]
    assert "JUNE_DISCORD_TOKEN" in SERVICES["discord-bot"]["environment"]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_each_profile_has_what_its_services_wait_for(profile: str) -> None:
    there = of_profile(profile)
    assert {other for name in there for other in SERVICES[name].get("depends_on", {})} <= there


@pytest.mark.parametrize("name", WORKERS)
def test_workers_are_asked_whether_they_are_ready(name: str) -> None:
    service = SERVICES[name]
    port = service["environment"]["JUNE_HEALTH_ADDRESS"].rpartition(":")[2]
    assert f":{port}/readyz" in service["healthcheck"]["test"][-1]
    assert service["environment"]["TEMPORAL_ADDRESS"] == "temporal:7233"


@pytest.mark.parametrize("name", WORKERS)
def test_workers_encrypt_with_one_key(name: str) -> None:
    service = SERVICES[name]
    assert service["depends_on"]["keys"] == {"condition": "service_completed_successfully"}
    assert {"data:/data"} <= set(service["volumes"]) & set(SERVICES["keys"]["volumes"])
    assert "data:/data" not in SERVICES["temporal"]["volumes"], "the database does not lie beside its key"
    assert "JUNE_HOME=/data" in DOCKERFILE


def test_prometheus_and_the_integration_tests_ask_every_worker() -> None:
    prometheus = yaml.safe_load((ROOT / "docker" / "prometheus.yml").read_text(encoding="utf-8"))
    (asked,) = prometheus["scrape_configs"][0]["dns_sd_configs"]
    names = {name: SERVICES[name].get("networks", {}).get("default", {}).get("aliases", [name])[0] for name in WORKERS}
    assert set(asked["names"]) == set(names.values())
    assert {SERVICES[name]["environment"]["JUNE_METRICS_ADDRESS"] for name in WORKERS} == {f"0.0.0.0:{asked['port']}"}
    for name in WORKERS:  # each answers under the name that it is asked by
        assert names[name] in SERVICES[name]["environment"]["JUNE_TELEMETRY_HOSTS"].split(",")
    tests = SERVICES["tests-worker"]["environment"]
    ready = {names[name] for name in WORKERS if WORKERS[name] not in OPTIONAL}
    assert set(re.findall(r"//([\w-]+):8081/readyz", tests["JUNE_INTEGRATION_READY_URLS"])) == ready
    stages = set(re.findall(rf"//([\w-]+):{asked['port']}/metrics", tests["JUNE_INTEGRATION_METRICS_URLS"]))
    assert stages == ready - {"workflows-worker"}


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in {"models", "retention", "keys"}])
def test_what_stays_up_starts_again_and_is_asked_for_its_health(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["stop_grace_period"]


def test_only_loopback_is_published() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("name", OURS)
def test_containers_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert not service.get("privileged")


def test_temporal_starts_as_june_up_starts_it() -> None:
    options = SERVICES["temporal"]["command"]
    attributes = [f"--search-attribute={key.name}=Keyword" for key in SEARCH_ATTRIBUTES]
    tuning = [f"--dynamic-config-value={key}={value}" for key, value in DYNAMIC_CONFIG.items()]
    assert [option for option in options if option.startswith("--search-attribute")] == attributes
    assert [option for option in options if option.startswith("--dynamic-config-value")] == tuning
    pragmas = [f"--sqlite-pragma={name}={value}" for name, value in PRAGMAS.items()]
    assert [option for option in options if option.startswith("--sqlite-pragma")] == pragmas
    assert SERVICES["temporal"]["environment"] == TEMPORAL_MEMORY


def test_the_database_is_kept_clean_and_private_as_june_up_keeps_it() -> None:
    database, temporal = SERVICES["database"], SERVICES["temporal"]
    assert database["volumes"] == temporal["volumes"]
    module, file = database["entrypoint"][2:]
    assert f"--db-filename={file}" in temporal["command"]
    assert find_spec(module)
    assert database["healthcheck"]["test"] == ["CMD", "python", "-m", module, "--check", file]
    assert "umask 077" in temporal["entrypoint"][2]


def test_what_asks_nobody_who_they_are_listens_where_no_browser_connects() -> None:
    """The address of a container is reached from its host, published or not."""
    command = " ".join(SERVICES["temporal"]["command"])
    ports = {name: int(port) for name, port in re.findall(r"--(\w+)-port=(\d+)", command)}
    assert ports.keys() == {"ui", "metrics"}
    web = SERVICES["web"]["environment"]
    assert web["JUNE_WEB_UI_SERVER"] == f"http://temporal:{ports['ui']}"
    assert SERVICES["tests-worker"]["environment"]["JUNE_INTEGRATION_UI_URL"] == web["JUNE_WEB_UI_SERVER"]
    asked = [urlsplit(SERVICES[name]["environment"]["JUNE_LLM_BASE_URL"]) for name in ("engine-worker", "gpu-worker")]
    llama, vllm = (url.port for url in asked)
    assert SERVICES["model-server"]["environment"]["JUNE_EMBEDDED_LLM_PORT"] == str(llama)
    assert f"--port={vllm}" in SERVICES["vllm"]["command"]
    assert {*ports.values(), llama, vllm} <= set(REFUSED_BY_BROWSERS)


def test_the_web_ui_is_published_by_the_page_which_asks_for_the_password() -> None:
    assert SERVICES["temporal"]["ports"] == ["127.0.0.1:${JUNE_EMBEDDED_TEMPORAL_PORT:-7233}:7233"]
    inside = EmbeddedSettings.model_fields["ui_port"].default
    assert f"127.0.0.1:${{JUNE_EMBEDDED_UI_PORT:-8233}}:{inside}" in SERVICES["web"]["ports"]


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_outside(name: str) -> None:
    secrets = {key: value for key, value in SERVICES[name].get("environment", {}).items() if SECRET.search(key)}
    secrets.pop("JUNE_TESTS_SECRETS", None)  # names
    assert all(re.fullmatch(r"\$\{\w+:-\}", value) for value in secrets.values())


def test_the_image_names_no_secret_and_no_index() -> None:
    settings = "\n".join(line for line in DOCKERFILE.splitlines() if re.match(r"\s*(ARG|ENV)\b", line))
    assert not SECRET.search(settings.upper())
    assert "index-url" not in DOCKERFILE
    assert "PIP_INDEX" not in DOCKERFILE


def test_the_image_runs_as_june_without_rights() -> None:
    runtime = DOCKERFILE[DOCKERFILE.index("AS june\n") :]
    assert re.findall(r"^USER (\S+)", runtime, re.MULTILINE) == ["10001:10001"]
    assert 'ENTRYPOINT ["june"]' in runtime


def test_only_named_files_enter_the_images() -> None:
    """Nothing is copied as a whole, and the context holds only what is."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    copied = {
        source
        for words in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE + SANDBOX_DOCKERFILE, re.MULTILINE)
        for source in words.split()[:-1]
    }
    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == copied
    assert any(fnmatch.fnmatch("bots/.env", rule) for rule in rules[1:] if not rule.startswith("!"))


def test_the_tests_are_run_with_what_they_were_written_with() -> None:
    pinned = (ROOT / "docker" / "tests.txt").read_text(encoding="utf-8").split("\n", 1)[1]
    assert pinned.count("==") == 6
    assert all(line in (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8") for line in pinned.splitlines())


def test_nothing_is_mounted_from_another_stage() -> None:
    """Podman would keep the layer that was made of it when that stage has changed."""
    assert "--mount" not in re.sub(r"^#.*$", "", DOCKERFILE, flags=re.MULTILINE)


def test_dependencies_are_locked() -> None:
    installs = re.findall(r"pip install (.+)", DOCKERFILE)
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)
