"""Discord's messages and interactions on their way to the inbox: in order, none lost, none held up by another."""

import asyncio
import logging
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import aiohttp
import discord
import pytest
import stamina
from temporalio.service import RPCError, RPCStatusCode

from activities.values import Notice
from bots.delivery import DROPPED, TRIES
from bots.discord.client import ChannelQueues, pause_after
from bots.intake import InboundMessage
from bots.texts.catalogue import say
from tests.bots.discord.conftest import Room
from tests.support.platforms.discord_world import BOT

DOWN = RPCError("down", RPCStatusCode.UNAVAILABLE, b"")
HOPELESS = RPCError("Blob data size exceeds limit.", RPCStatusCode.INVALID_ARGUMENT, b"")
SORRY, NOT_NOW = (say(Notice(key=key), None) for key in ("internal", "not-just-now"))


class Inbox:
    """Takes messages, unless it is told to fail."""

    def __init__(self) -> None:
        self.taken: list[str | None] = []
        self.failures: dict[str | None, list[Exception]] = {}

    async def receive(self, inbound: InboundMessage) -> str | None:
        if self.failures.get(inbound.text):
            raise self.failures[inbound.text].pop()
        self.taken.append(inbound.text)
        return None


class Missed:
    """Channels and what was missed in them; Temporal is away at first."""

    def __init__(self, missed: dict[int, list[discord.Message]], *failures: Exception) -> None:
        self.missed = missed
        self.failures = list(failures)

    async def channels(self, _client: discord.Client) -> list[int]:
        if self.failures:
            raise self.failures.pop(0)
        return list(self.missed)

    async def messages(self, _newest: Sequence[discord.Message], number: int, _me: int) -> list[discord.Message]:
        return self.missed[number]


@pytest.fixture
def inbox(room: Room, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    """The inbox of the room's bot, which is connected and has missed nothing."""
    at_once = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_initial=0.01, wait_max=0.01, wait_jitter=0)
    monkeypatch.setattr("bots.discord.client.UNTIL_TAKEN", at_once)
    monkeypatch.setattr("bots.discord.missed.CATCH_UP", at_once)
    inbox = Inbox()
    room.bot.open(inbox, Missed({}))  # type: ignore[arg-type] # doubles
    room.bot._caught_up.set()
    return inbox


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the bot says in channels."""
    said: list[str] = []

    async def send(_channel: object, text: str, **_more: object) -> None:
        said.append(text)

    monkeypatch.setattr(discord.abc.Messageable, "send", send)
    return said


async def bring(room: Room, *texts: str) -> None:
    """Have Discord bring messages of one private channel, in a moment."""
    messages = [room.message(room.private, room.post(room.private, text)) for text in texts]
    await asyncio.gather(*(room.bot.on_message(message) for message in messages))


async def test_a_hopeless_message_is_reported_and_dropped(
    room: Room, inbox: Inbox, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    inbox.failures = {"large": [HOPELESS] * 9}
    await bring(room, "large", "next")
    assert (inbox.taken, said) == (["next"], [SORRY])
    assert len(inbox.failures["large"]) == 8, "the server is asked once"
    errors = [record for record in caplog.records if record.levelname == "ERROR" and record.name.startswith("bots")]
    assert [record.message.split(":")[0] for record in errors] == [DROPPED]


async def test_a_transient_failure_loses_nothing_and_keeps_the_order(room: Room, inbox: Inbox, said: list[str]) -> None:
    inbox.failures = {"1": [DOWN] * 5, "2": [DOWN], "3": [ValueError("bad")] * (TRIES - 1)}
    await bring(room, "1", "2", "3", "4")
    assert (inbox.taken, said) == (["1", "2", "3", "4"], [])


async def test_a_message_with_a_fault_is_tried_a_few_times(room: Room, inbox: Inbox, said: list[str]) -> None:
    inbox.failures = {"poison": [ValueError("bad")] * 9}
    await bring(room, "poison", "next")
    assert (inbox.taken, said, len(inbox.failures["poison"])) == (["next"], [SORRY], 9 - TRIES)


async def test_what_was_missed_comes_first_however_long_temporal_is_away(
    room: Room, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord.missed.CATCH_UP_SECONDS", 0.2)
    missed = [room.message(room.channel, room.post(room.channel, f"<@{BOT}> {text}")) for text in ("one", "/help")]
    room.bot.open(inbox, Missed({int(room.channel): missed}, *[DOWN] * 30))  # type: ignore[arg-type] # doubles
    monkeypatch.setattr("bots.discord.missed.newest_messages", AsyncMock())
    await room.bot.on_connect()
    live = asyncio.create_task(bring(room, "live"))
    await asyncio.sleep(0.05)
    assert inbox.taken == []
    await room.bot.on_ready()
    await live
    assert inbox.taken == ["one", "live"], "a command is for the moment in which it was given"


async def test_when_discord_cannot_be_asked_live_messages_go_on(
    room: Room, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord.missed.CATCH_UP_SECONDS", 0.1)
    room.bot.open(inbox, Missed({}, *[discord.DiscordException()] * 1000))  # type: ignore[arg-type] # doubles
    await room.bot.on_connect()
    await asyncio.gather(room.bot.on_ready(), bring(room, "live"))
    assert inbox.taken == ["live"]


@pytest.mark.parametrize(("failures", "outcome"), [([HOPELESS], SORRY), ([DOWN] * 3, NOT_NOW), ([DOWN] * 2, None)])
async def test_a_command_is_taken_now_or_never(
    room: Room, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, failures: list[Exception], outcome: str | None
) -> None:
    monkeypatch.setattr(
        "bots.discord.client.NOW_OR_NEVER", stamina.AsyncRetryingCaller(attempts=3, wait_initial=0.01, wait_jitter=0)
    )
    inbox.failures = {"/voice": failures}
    interaction: Any = AsyncMock(id=1, guild_id=None, locale=discord.Locale.british_english)
    await room.bot._command(interaction, "voice", "")
    assert inbox.taken == ([] if outcome else ["/voice"])
    assert [call.args[0] for call in interaction.followup.send.await_args_list] == ([outcome] if outcome else [])
    assert interaction.delete_original_response.await_count == (0 if outcome else 1)


async def test_a_full_queue_takes_no_more(room: Room, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.discord.client.MAX_WAITING", 2)
    inbox.failures = {"1": [DOWN]}
    await bring(room, "1", "2", "3")
    assert inbox.taken == ["1", "2"]


async def test_a_channel_waits_for_itself_alone() -> None:
    queues, done = ChannelQueues(), []

    async def take(channel: int, name: str, hold: asyncio.Event | None = None) -> None:
        async with queues.turn(channel):
            if hold:
                await hold.wait()
            done.append(name)

    held = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for channel, name, hold in ((1, "a", held), (1, "b", None), (1, "c", None), (2, "d", None)):
            group.create_task(take(channel, name, hold))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert done == ["d"]
        held.set()
    assert done == ["d", "a", "b", "c"]
    assert not queues._locks


class Refusing:
    """Sends, after some refusals."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.sent: list[str] = []

    async def __call__(self, text: str, **_more: object) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.sent.append(text)


def refusal(status: int, retry_after: str | None = None) -> discord.HTTPException:
    response: Any = SimpleNamespace(
        status=status, reason="", headers={"Retry-After": retry_after} if retry_after else {}
    )
    return discord.HTTPException(response, "slow down")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float | bool]:
    """Note for how long an answer waits, and wait no longer than a moment."""
    waits: list[float | bool] = []

    def pause(error: Exception) -> float | bool:
        waits.append(pause_after(error))
        return bool(waits[-1])

    monkeypatch.setattr("bots.discord.client.pause_after", pause)
    monkeypatch.setattr(
        "bots.discord.client.IN_TURN",
        stamina.AsyncRetryingCaller(attempts=8, timeout=None, wait_initial=0.01, wait_max=0.01, wait_jitter=0),
    )
    return waits


async def test_an_answer_that_meets_a_rate_limit_waits_its_turn(
    room: Room, inbox: Inbox, waits: list[float | bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [refusal(429, "3"), discord.RateLimited(99), refusal(429), refusal(503), aiohttp.ClientError()]
    send = Refusing(*refused, refusal(429, "x"))
    monkeypatch.setattr(discord.abc.Messageable, "send", lambda _, text, **more: send(text, **more))
    inbox.receive = AsyncMock(side_effect=["one", "two"])  # type: ignore[method-assign] # a double's
    await bring(room, "/help", "/status")
    assert send.sent == ["one", "two"], "in their order"
    assert waits == [3.0, 99.0, 5.0, True, True, 5.0]


async def test_the_answer_to_a_slash_command_waits_its_turn_too(
    room: Room, inbox: Inbox, waits: list[float | bool]
) -> None:
    inbox.receive = AsyncMock(return_value="help")  # type: ignore[method-assign] # a double's
    interaction: Any = AsyncMock(id=1, guild_id=None, locale=discord.Locale.british_english)
    interaction.followup.send = send = Refusing(refusal(429, "2"))
    await room.bot._command(interaction, "help", "")
    assert (send.sent, waits) == (["help"], [2.0])


async def test_an_answer_that_is_refused_is_given_up_without_a_traceback(
    room: Room,
    inbox: Inbox,
    waits: list[float | bool],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    send = Refusing(refusal(403))
    monkeypatch.setattr(discord.abc.Messageable, "send", lambda _, text, **more: send(text, **more))
    inbox.receive = AsyncMock(return_value="help")  # type: ignore[method-assign] # a double's
    await bring(room, "/help")
    assert (send.sent, waits) == ([], [False])
    assert not [record for record in caplog.records if record.levelno > logging.INFO and record.name.startswith("bots")]


async def test_a_command_that_discord_has_given_up_is_not_run(room: Room, inbox: Inbox) -> None:
    interaction: Any = AsyncMock(id=1, guild_id=None, locale=discord.Locale.british_english)
    interaction.response.defer.side_effect = refusal(404)
    await room.bot._command(interaction, "new", "")
    assert inbox.taken == []


class MissedOf(Missed):
    """One channel cannot be looked up."""

    async def messages(self, newest: Sequence[discord.Message], number: int, me: int) -> list[discord.Message]:
        if number == 1:
            raise KeyError("odd")
        return await super().messages(newest, number, me)


@pytest.mark.parametrize("fault", [KeyError("x"), discord.InvalidData("unknown channel type"), None])
async def test_a_channel_that_cannot_be_looked_up_costs_no_other(
    room: Room, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, fault: Exception | None
) -> None:
    monkeypatch.setattr("bots.discord.missed.CATCH_UP_SECONDS", 0.0)
    monkeypatch.setattr("bots.discord.missed.newest_messages", AsyncMock(side_effect=[fault, []] if fault else None))
    missed = room.message(room.private, room.post(room.private, "missed"))
    room.bot.open(inbox, MissedOf({1: [], int(room.private): [missed]}))  # type: ignore[arg-type] # doubles
    await room.bot.on_ready()
    assert inbox.taken == ["missed"]


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (discord.DiscordException("gone"), "WARNING"),
        (ConnectionResetError(), "WARNING"),
        (KeyError("x"), "ERROR"),
    ],
)
async def test_what_a_handler_raises_is_logged_as_what_it_is(
    room: Room, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: Exception, level: str
) -> None:
    monkeypatch.setattr(room.bot, "on_message", AsyncMock(side_effect=error))
    await room.bot._run_event(room.bot.on_message, "on_message")
    record = caplog.records[-1]
    assert (record.levelname, bool(record.exc_info)) == (level, level == "ERROR")
