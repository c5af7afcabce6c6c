"""Odd events over the gateway: each is read as far as it can be, or skipped; the next ordinary message is taken."""

import asyncio
import copy
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import AsyncMock

import discord
import pytest
from discord.http import Route

from bots.discord.client import DiscordBot
from bots.discord.events import SKIPPED, mended_message, read_messages
from bots.discord.missed import newest_messages
from bots.intake import InboundMessage
from tests.bots.discord.conftest import MENTION, SHAPE, VOICE, Room
from tests.support.platforms.discord import FakeDiscord, running
from tests.support.platforms.discord_world import BOT, JSON, TOKEN, user
from tests.support.waiting import until
from workers.roles.discord import point
from workers.settings import DiscordSettings

GONE = object()
ODD: tuple[object, ...] = (GONE, None, 7, "x", [], [None], {}, {"id": None}, "9" * 5000)

ENVELOPES: tuple[Any, ...] = (None, 7, "x", [], {})


class Inbox:
    """Takes everything."""

    def __init__(self) -> None:
        self.taken: list[InboundMessage] = []

    async def receive(self, inbound: InboundMessage) -> None:
        self.taken.append(inbound)


class NothingMissed:
    """Nothing was missed."""

    async def channels(self, _client: discord.Client) -> list[int]:
        return []


class Line:
    """A bot on the line with a Discord, and who talks there."""

    def __init__(self, fake: FakeDiscord) -> None:
        self.fake, self.world, self.inbox = fake, fake.world, Inbox()
        self.world.content_allowed = True
        self.guild = self.world.guild()
        self.channel = self.world.channel(self.guild)
        self.thread = self.world.channel(self.guild, "aside", parent=self.channel)
        self.person = self.world.person("Mia")
        self.private = self.world.private(self.person)
        self.bot = DiscordBot(message_content=True, keep=AsyncMock())
        self.bot.open(self.inbox, NothingMissed())  # type: ignore[arg-type] # doubles

    async def still_hears(self) -> None:
        """Say something in each place; check that it is taken, over the same session."""
        for place in (self.private, self.channel):
            said = await self.fake.say(place, self.person, f"{MENTION} hello")
            await until(lambda said=said: said in [inbound.message for inbound in self.inbox.taken[-20:]], 10)
        assert [session.resumed for session in self.fake.gateway.connected] == [0]


@pytest.fixture(scope="module")
async def line() -> AsyncIterator[Line]:
    before, gateway = Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    async with running() as fake:
        point(DiscordSettings(api_base=f"{fake.base}/api/v10", gateway_url=fake.gateway.url))
        line = Line(fake)
        await line.bot.login(TOKEN)
        connection = asyncio.create_task(line.bot.connect())
        await until(line.bot._caught_up.is_set)
        yield line
        await line.bot.close()
        await connection
    Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = before, gateway


def message(line: Line, channel: str, **body: Any) -> JSON:  # noqa: ANN401
    """Return a message's event."""
    content = {"content": f"{MENTION} odd"} if "flags" not in body else {}
    made = line.world.post(channel, line.person, content | body, [VOICE] if "flags" in body else [])
    shown = line.world.shown(made, line.fake.base, content=True)
    guild = {} if channel == line.private else {"guild_id": line.guild, "member": {"roles": [], "joined_at": None}}
    return copy.deepcopy(shown | guild)


def events(line: Line) -> Iterator[tuple[str, JSON]]:
    """Return one event of each kind that the double sends."""
    said = line.world.post(line.channel, BOT, {"content": "Forty-two."}, [])
    yield "MESSAGE_CREATE", message(line, line.channel, message_reference={"message_id": said["id"]})
    yield "MESSAGE_CREATE", message(line, line.private, **SHAPE)
    forwarded = message(line, line.private)
    forwarded["message_snapshots"] = [{"message": message(line, line.channel)}]
    yield "MESSAGE_CREATE", forwarded
    yield "MESSAGE_UPDATE", message(line, line.channel)
    other = line.world.guild()
    line.world.channel(other)
    yield "GUILD_CREATE", line.fake.gateway.guild(other)
    yield "GUILD_UPDATE", line.fake.gateway.guild(line.guild)
    yield "CHANNEL_CREATE", line.world.channels[line.channel] | {"type": 99}
    yield "CHANNEL_UPDATE", copy.deepcopy(line.world.channels[line.channel])
    yield "THREAD_UPDATE", copy.deepcopy(line.world.channels[line.thread])
    data: JSON = {"id": "2000", "name": "help", "type": 1, "options": []}
    member: JSON = {
        "user": line.world.users[line.person],
        "roles": [],
        "joined_at": None,
        "permissions": "0",
        "flags": 0,
    }
    yield "INTERACTION_CREATE", {
        "id": line.world.snowflake(), "application_id": "1002", "type": 2, "token": "t", "version": 1, "locale": "de",
        "channel": line.world.channels[line.channel], "channel_id": line.channel, "data": data, "guild_id": line.guild,
        "member": member, "attachment_size_limit": 1, "entitlements": [], "authorizing_integration_owners": {},
        "app_permissions": "0", "context": 0,
    }  # fmt: skip
    yield "NEW_KIND_OF_EVENT", {"id": "1"}


def changed(event: JSON) -> Iterator[JSON]:
    """Return an event with each of its fields dropped, nulled, and of another kind, one at a time; to two levels."""
    for name, value in event.items():
        for odd in ODD:
            yield {key: known for key, known in event.items() if key != name} | ({} if odd is GONE else {name: odd})
        if isinstance(value, dict):
            for inner in value:
                yield event | {name: value | {inner: None}}
                yield event | {name: {key: known for key, known in value.items() if key != inner}}
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for inner in value[0]:
                yield event | {name: [value[0] | {inner: None}, *value[1:]]}


@pytest.mark.parametrize("number", range(11))
async def test_after_any_odd_event_the_next_message_is_taken(line: Line, number: int) -> None:
    name, event = list(events(line))[number]
    for odd in (*changed(event), *ENVELOPES):
        await line.fake.gateway.emit(name, copy.deepcopy(odd))
    await line.still_hears()


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("private", {"guild_id": None}),
        ("channel", {"guild_id": None, "thread": None, "components": None, "embeds": None, "reactions": None}),
        ("channel", {"message_reference": {"message_id": "1"}, "type": 19}),
        ("channel", {"message_reference": None, "referenced_message": None, "poll": None, "interaction": None}),
        ("private", {"attachments": None, "sticker_items": None, "message_snapshots": None, "flags": None}),
        ("channel", {"attachments": [{"id": "1"}, None], "mentions": [None, user(BOT, "june", bot=True)]}),
        ("channel", {"type": None, "edited_timestamp": None, "nonce": {"a": 1}, "member": None}),
        ("channel", {"poll": {"question": {"text": "Tea?"}, "answers": [], "expiry": None, "layout_type": 1}}),
        ("private", {"application": None, "call": None, "activity": 3, "position": "x", "webhook_id": None}),
    ],
)  # fmt: skip
async def test_a_message_is_read_although_some_of_it_is_odd(line: Line, place: str, change: JSON) -> None:
    event = message(line, getattr(line, place)) | change
    await line.fake.gateway.emit("MESSAGE_CREATE", event)
    await until(lambda: event["id"] in [inbound.message for inbound in line.inbox.taken[-5:]], 10)
    (inbound,) = [inbound for inbound in line.inbox.taken if inbound.message == event["id"]]
    assert (inbound.group is None, inbound.addressed) == (place == "private", True)


async def test_a_channel_of_a_server_that_is_not_known_is_not_private(line: Line) -> None:
    event = message(line, line.channel) | {"guild_id": "77", "content": "to nobody in particular", "mentions": []}
    await line.fake.gateway.emit("MESSAGE_CREATE", event | {"channel_id": "78"})
    await until(lambda: event["id"] in [inbound.message for inbound in line.inbox.taken[-5:]], 10)
    inbound = line.inbox.taken[-1]
    assert (inbound.group, inbound.addressed) == ("77", False)


async def test_what_is_skipped_is_named_without_its_content(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    event = message(line, line.channel) | {"author": None, "content": "a secret"}
    await line.fake.gateway.emit("MESSAGE_CREATE", event)
    await line.still_hears()
    (record,) = [record for record in caplog.records if SKIPPED in record.message]
    assert record.levelname == "WARNING"
    assert f"MESSAGE_CREATE with id {event['id']}" in record.message
    assert "secret" not in caplog.text
    assert record.exc_info is None


async def test_one_odd_message_of_a_channel_hides_no_other(room: Room) -> None:
    said = [room.post(room.private, text) for text in ("one", "two", "three")]
    page: list[Any] = [
        room.world.shown(found, "http://cdn", content=True)
        for found in (room.world.message(room.private, number) for number in said)
        if found
    ]
    page[1] |= {"author": None}
    page += [None, {}, {"id": "x"}]
    channel = room.message(room.private, said[0]).channel
    assert [message.content for message in read_messages(room.bot, channel, page)] == ["one", "three"]
    assert list(read_messages(room.bot, channel, {"message": "no list"})) == []


async def test_the_newest_messages_of_a_channel_are_listed(line: Line) -> None:
    said = message(line, line.channel)
    newest = await newest_messages(line.bot, int(line.channel))
    assert str(newest[0].id) == said["id"]
    with pytest.raises(discord.NotFound):
        await newest_messages(line.bot, 1)


def test_a_reply_to_what_was_deleted_is_told_from_one_that_is_not_shown() -> None:
    bot: Any = AsyncMock()
    bot.get_channel = lambda _: None
    event = {"id": "1", "channel_id": "2", "author": {"id": "4"}, "message_reference": {"message_id": "3"}}
    assert "referenced_message" not in mended_message(bot, event)
    assert mended_message(bot, event | {"referenced_message": None})["referenced_message"] is None
