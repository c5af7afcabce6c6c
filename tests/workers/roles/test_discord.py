"""How the Discord bot's process begins, and in which sentence it ends when it cannot."""

from collections.abc import AsyncIterator

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from temporalio.testing import WorkflowEnvironment

from tests.support.platforms.discord import FakeDiscord, Fault, running
from tests.support.ports import free_port
from workers.errors import JuneError, UnavailableError
from workers.roles.discord import build
from workers.roles.spec import WorkerSpec


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    """A Discord that the environment names."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with running() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


async def begin(spec: WorkerSpec) -> None:
    """Run the work's background task."""
    assert spec.background
    await spec.background()


async def test_it_serves_its_queue_and_tells_its_commands(fake: FakeDiscord, dev_server: WorkflowEnvironment) -> None:
    work = await build(dev_server.client)
    assert [activity.__name__ for activity in work.activities] == [
        *("fetch", "reply", "send_file", "show_progress", "retract"),
    ]
    assert len(fake.commands) == 20


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_without_a_good_token(
    fake: FakeDiscord, dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("JUNE_DISCORD_TOKEN", token)
    with pytest.raises(JuneError, match="JUNE_DISCORD_TOKEN") as refused:
        await build(dev_server.client)
    assert "wrong" not in str(refused.value)


async def test_an_intent_that_was_not_chosen(
    fake: FakeDiscord, dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUNE_DISCORD_MESSAGE_CONTENT", "true")
    with pytest.raises(JuneError, match="message-content"):
        await begin(await build(dev_server.client))


HELLO_WITHOUT_INTERVAL = '{"op": 10, "d": null, "s": null, "t": null}'


@pytest.mark.parametrize(
    ("broken", "kind", "cause"),
    [
        (403, UnavailableError, "HTTP 403"),
        (502, UnavailableError, "HTTP 502"),
        (4004, JuneError, "JUNE_DISCORD_TOKEN"),
        (4013, JuneError, "intents that june asks for"),
        (4012, JuneError, "version of its protocol"),
        ("", UnavailableError, "closed the connection before it said anything"),
        ("[]", UnavailableError, "not of Discord's protocol"),
        ("<html>", UnavailableError, "not of Discord's protocol"),
        (HELLO_WITHOUT_INTERVAL, UnavailableError, "not of Discord's protocol"),
    ],
)
async def test_a_handshake_that_fails_says_why(
    fake: FakeDiscord, dev_server: WorkflowEnvironment, broken: int | str, kind: type[JuneError], cause: str
) -> None:
    fake.gateway.broken = broken
    with pytest.raises(JuneError, match=cause) as failed:
        await begin(await build(dev_server.client))
    assert type(failed.value) is kind
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("ws://127.0.0.1:{closed}", "refused"),
        ("ws://nowhere.invalid", "DNS"),
        ("wss://127.0.0.1:{open}", "TLS"),
    ],
)
async def test_a_gateway_that_cannot_be_reached_says_why(
    fake: FakeDiscord, dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, url: str, cause: str
) -> None:
    ports = {"closed": free_port(), "open": fake.base.rpartition(":")[2]}
    monkeypatch.setenv("JUNE_DISCORD_GATEWAY_URL", url.format(**ports))
    with pytest.raises(UnavailableError, match=cause):
        await begin(await build(dev_server.client))


async def test_a_failed_handshake_is_no_traceback_in_the_log(
    fake: FakeDiscord, dev_server: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    fake.gateway.broken = 502
    with pytest.raises(UnavailableError):
        await begin(await build(dev_server.client))
    lost = [record for record in caplog.records if record.name.startswith("discord") and record.levelname != "INFO"]
    assert [(record.levelname, record.exc_info) for record in lost] == [("WARNING", None)]
    assert "502" in lost[0].message


@pytest.mark.parametrize(("status", "cause"), [(503, "HTTP 503"), (403, "HTTP 403")])
async def test_a_rest_interface_that_fails_says_why(
    fake: FakeDiscord, dev_server: WorkflowEnvironment, status: int, cause: str
) -> None:
    fake.faults.append(Fault("GET", "users/@me", status))
    with pytest.raises(UnavailableError, match=cause):
        await build(dev_server.client)


async def test_no_rest_interface(
    fake: FakeDiscord, dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUNE_DISCORD_API_BASE", f"http://127.0.0.1:{free_port()}/api/v10")
    with pytest.raises(UnavailableError, match="does not answer"):
        await build(dev_server.client)
