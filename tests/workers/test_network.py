"""Proxies of the environment: what is on this machine is reached without, and all else as people set it."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import httpx2
import openai
import pytest
import pytest_asyncio
import requests
from temporalio.testing import ActivityEnvironment

from activities.infer import Budgets, InferActivity
from tests.support.inference import QUESTION
from tests.support.model_server import ModelServerDouble, model_server, said
from tests.support.proxy import VARIABLES, ProxyDouble, proxy_double
from tests.support.trace_collector import Collector
from workers import network
from workers.engines.openai_chat import OpenAIChat
from workers.engines.openai_client import build_client
from workers.local.free_ports import own_ports
from workers.network import EXEMPT, exemptions, is_loopback, proxy_for
from workers.settings import EmbeddedSettings, LlmSettings, StorageSettings, environment

HERE = [
    *("http://127.0.0.1:8090/v1", "http://localhost:4318/v1/traces", "https://[::1]:8443", "http://LOCALHOST/"),
    *("http://127.0.0.2:9", "http://127.255.255.254", "http://127.1:8000", "http://2130706433", "http://0x7f000001/"),
    *("http://0.0.0.0:8000/v1", "http://[::]:8000", "http://[::ffff:127.0.0.1]:80", "http://[0:0:0:0:0:0:0:1]/"),
    *("http://llm.localhost:8080", "http://localhost.:80", "http://ip6-loopback:1", "http://user:key@localhost:80"),
    "wss://127.0.0.1:5000/gateway",
]
ELSEWHERE = [
    *("http://gpu-box:8000/v1", "https://api.telegram.org", "http://10.0.0.1", "http://128.0.0.1", "http://[::2]:80"),
    *("http://localhost.example.org", "http://127.0.0.1.example.org", "http://notlocalhost:1", "http://[fe80::1%25lo]"),
    *("http://example.org/?q=http://127.0.0.1", "http://127.0.0.1@example.org", "http://[", "", "true", "127.0.0.1:80"),
]


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProxyDouble]:
    """Run a proxy that every variable names; nothing is exempt."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with proxy_double() as double:
        for name, value in double.variables.items():
            monkeypatch.setenv(name, value)
        yield double


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


@pytest.mark.parametrize("url", HERE)
def test_on_this_machine(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_elsewhere(url: str) -> None:
    assert not is_loopback(url)


def test_without_a_proxy_the_environment_stays_as_it_is() -> None:
    assert exemptions({"PATH": "/bin", "JUNE_LLM_BASE_URL": "http://127.0.0.2/v1"}) == {}


@pytest.mark.parametrize(
    ("given", "python", "others"),
    [
        ({}, "", ""),
        ({"NO_PROXY": "corp.example, 10.0.0.0/8"}, "corp.example,10.0.0.0/8,", "corp.example,10.0.0.0/8,"),
        ({"no_proxy": "a.example"}, "a.example,", "a.example,"),
        ({"no_proxy": "", "NO_PROXY": "b.example"}, "b.example,", "b.example,"),
        ({"no_proxy": "a.example", "NO_PROXY": "b.example"}, "a.example,", "b.example,"),
        ({"no_proxy": "[::1],fd00::/8,::1/128,a.example"}, "a.example,", "[::1],fd00::/8,::1/128,a.example,"),
    ],
)
def test_hosts_that_people_exempt_stay_exempt(given: dict[str, str], python: str, others: str) -> None:
    usual = ",".join(EXEMPT)
    assert exemptions({"http_proxy": "p", **given}) == {"no_proxy": python + usual, "NO_PROXY": others + usual}


def test_no_proxy_for_any_host_stays_so() -> None:
    assert exemptions({"all_proxy": "p", "no_proxy": "*"}) == {"no_proxy": "*", "NO_PROXY": "*"}


def test_a_host_of_a_setting_is_exempt_by_itself() -> None:
    variables = {"HTTPS_PROXY": "p", "JUNE_LLM_BASE_URL": "http://127.0.0.2:8000/v1", "AWS_ENDPOINT_URL": "http://s3"}
    assert exemptions(variables)["no_proxy"].split(",") == [*EXEMPT, "127.0.0.2"]


def test_grpc_has_a_variable_of_its_own() -> None:
    assert exemptions({"grpc_proxy": "p", "no_grpc_proxy": "a"})["no_grpc_proxy"] == "a," + ",".join(EXEMPT)


def test_completed_once_it_is_complete() -> None:
    variables = {"http_proxy": "p", "no_proxy": "a", "JUNE_WEB_UI_URL": "http://127.0.0.3"}
    completed = variables | exemptions(variables)
    assert completed | exemptions(completed) == completed


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_libraries_of_all_kinds_reach_loopback(proxy: ProxyDouble, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector(host)
    try:
        monkeypatch.setenv("JUNE_OTLP_URL", collector.url)
        for name, value in exemptions(os.environ).items():
            monkeypatch.setenv(name, value)
        httpx.post(collector.url, content=b"httpx")
        httpx2.post(collector.url, content=b"httpx2")
        requests.post(collector.url, data=b"requests", timeout=5)
        urllib.request.urlopen(collector.url, data=b"urllib", timeout=5).close()  # noqa: S310 - the collector's
        assert sorted(collector.bodies) == [b"httpx", b"httpx2", b"requests", b"urllib"]
        assert proxy.asked == []
    finally:
        collector.close()


def test_the_proxy_is_asked_for_all_else(proxy: ProxyDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in exemptions(os.environ).items():
        monkeypatch.setenv(name, value)
    assert httpx.get("http://june.invalid/").status_code == 502
    assert requests.get("http://june.invalid/", timeout=5).status_code == 502
    assert proxy.asked == ["GET http://june.invalid/"] * 2
    assert proxy_for("http://june.invalid/") == proxy_for("https://june.invalid/") == proxy.url
    assert proxy_for("http://127.0.0.1/") is None


def test_hosts_that_people_exempt_have_no_proxy(proxy: ProxyDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "gpu-box,example.org")
    assert proxy_for("http://gpu-box:8000/v1") is None
    assert proxy_for("https://api.example.org/v1") is None
    assert proxy_for("https://example.com/v1") == proxy.url


@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks"])
async def test_an_inference_reaches_its_server(
    proxy: ProxyDouble, server: ModelServerDouble, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    for name in VARIABLES:  # nor is a proxy of a kind that nobody here knows in the way
        monkeypatch.setenv(name, proxy.url.replace("http", scheme))
    server.plays(said("Hello."))
    llm = LlmSettings(base_url=server.url, model="double")
    model = OpenAIChat(build_client(llm, EmbeddedSettings()), llm.model, 5.0, 32_000)
    activity = InferActivity(model, Budgets(6000, 6000, 8000))
    assert (await ActivityEnvironment().run(activity.infer, QUESTION)).answer == "Hello."
    assert proxy.asked == []


async def test_a_model_server_elsewhere_is_asked_through_the_proxy(proxy: ProxyDouble) -> None:
    client = build_client(LlmSettings(base_url="http://june.invalid/v1"), EmbeddedSettings())
    with pytest.raises(openai.InternalServerError, match="502"):
        await client.models.list()
    assert proxy.asked == ["GET http://june.invalid/v1/models"]


@pytest.mark.engines
def test_onnx_runtime_prepares_no_telemetry(tmp_path: Path) -> None:
    voice = StorageSettings().models / "en_US-joe-medium" / "en_US-joe-medium.onnx"
    code = f"from onnxruntime import InferenceSession; InferenceSession({str(voice)!r})"
    given = {"PATH": os.environ["PATH"]}  # not CI, for one, which turns the telemetry off
    for number, variables in enumerate(({}, network.variables(given))):
        home = tmp_path / str(number)
        environment = given | variables | {"HOME": str(home)}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert list((tmp_path / "0").rglob("deviceid"))  # by default the device gets an id, and is reported
    assert not (tmp_path / "1").exists()


@pytest.mark.slow
def test_the_doctor_asks_no_proxy_for_loopback(proxy: ProxyDouble, tmp_path: Path) -> None:
    collector = Collector()
    ports = environment(own_ports(), LlmSettings(base_url=collector.url))
    settings = {"JUNE_HOME": str(tmp_path), "TEMPORAL_ADDRESS": "127.0.0.1:9", **ports}
    command = [sys.executable, "-m", "workers.cli", "doctor", "--json"]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    collector.close()
    checks = {check["check"]: check for check in json.loads(done.stdout)["checks"]}
    assert proxy.asked == []
    assert f"model hub through {proxy.url}; directly: Temporal, model server" in checks["proxies"]["found"]
