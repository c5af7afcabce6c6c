"""What Discord's messages mean to june's inbox; and that the menus say what they are."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock

import discord
import pytest

from bots.access import Admission, Policy, Role
from bots.discord.client import ChannelQueues, DiscordBot
from bots.discord.menu import Words
from bots.discord.messages import CONTENT_LIMIT, Locales, inbound_of, pages
from bots.inbox import InboundMessage
from tests.support.platforms.discord_gateway import Gateway
from tests.support.platforms.discord_world import BOT, DM, VOICE_FLAG, Upload, World
from workflows.access.contracts import AccessView, Permission

VOICE = Upload("voice-message.ogg", b"OggS", "audio/ogg")
SHAPE = {"flags": VOICE_FLAG, "attachments": [{"id": "0", "duration_secs": 2.5, "waveform": "AAAA"}]}
MENTION = f"<@{BOT}>"


class Room:
    """A world, and the library's own objects of it."""

    def __init__(self) -> None:
        self.world = World(content_allowed=True)
        self.guild = self.world.guild(locale="fr")
        self.channel = self.world.channel(self.guild)
        self.thread = self.world.channel(self.guild, "aside", parent=self.channel)
        self.person = self.world.person("Mia")
        self.private = self.world.private(self.person)
        state = discord.Client(intents=discord.Intents.all())._connection
        state.user = discord.ClientUser(state=state, data=self.world.users[BOT])  # type: ignore[arg-type]
        state._add_guild_from_data(Gateway(self.world).guild(self.guild))  # type: ignore[arg-type]
        self.state = state

    def post(self, channel: str, content: str = "", author: str = "", *files: Upload, **body: Any) -> str:  # noqa: ANN401
        return str(self.world.post(channel, author or self.person, {"content": content, **body}, list(files))["id"])

    def read(self, channel: str, message: str, *, content: bool = True, **changed: Any) -> InboundMessage | None:  # noqa: ANN401
        found = self.world.message(channel, message)
        assert found
        data: Any = self.world.shown(found, "http://cdn", content=content) | changed
        if self.world.channels[channel]["type"] != DM:
            data |= {"guild_id": self.guild}
        where, _ = self.state._get_guild_channel(data)
        read = discord.Message(state=self.state, channel=where, data=data)  # type: ignore[arg-type]
        return inbound_of(read, int(BOT), Locales().of(read))

    def heard(self, channel: str, *args: Any, **more: Any) -> InboundMessage:  # noqa: ANN401
        inbound = self.read(channel, self.post(channel, *args, **more))
        assert inbound
        return inbound


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_voice_message_in_private(room: Room) -> None:
    message = room.post(room.private, "", "", VOICE, **SHAPE)
    inbound = room.read(room.private, message)
    assert inbound
    attachment = room.world.messages[room.private][0]["attachments"][0]["id"]
    assert inbound.audio
    assert inbound.audio.locator == f"{room.private}/{message}/{attachment}"
    assert (inbound.audio.claimed_bytes, inbound.audio_seconds) == (4, 2.5)
    assert (inbound.chat, inbound.message, inbound.user, inbound.sender) == (
        room.private,
        message,
        room.person,
        "Mia",
    )
    assert (inbound.group, inbound.places, inbound.addressed, inbound.text) == (None, (), True, None)


async def test_a_recording_with_words_beside_it_and_one_without_a_media_type(room: Room) -> None:
    inbound = room.heard(room.private, "what is this?", "", Upload("a.mp3", b"ID3", "audio/mpeg"))
    assert (inbound.audio is not None, inbound.text) == (True, "what is this?")
    assert room.heard(room.private, "", "", Upload("A.OPUS", b"OggS", "")).audio
    assert room.heard(room.private, "", "", Upload("a.png", b"PNG", "image/png")).audio is None


async def test_who_is_meant_in_a_server(room: Room) -> None:
    named = room.heard(room.channel, f"{MENTION} what does <@{room.person}> do?")
    assert (named.addressed, named.text) == (True, "what does @Mia do?")
    assert (named.group, named.places, named.chat) == (room.guild, (room.channel,), room.channel)
    assert not room.heard(room.channel, "just talking").addressed
    assert room.heard(room.thread, f"{MENTION} hello").places == (room.thread, room.channel)
    assert (named.language, room.heard(room.private, "hello").language) == ("fr", None)


async def test_replies_to_june_are_meant_for_her_with_and_without_a_ping(room: Room) -> None:
    said = room.post(room.channel, "Forty-two.", BOT)
    for pinged in (True, False):
        reference = {"message_reference": {"message_id": said}, "allowed_mentions": {"replied_user": pinged}}
        inbound = room.heard(room.channel, "why?", **reference)
        assert (inbound.addressed, inbound.quoted, inbound.about) == (True, "Forty-two.", BOT)


async def test_naming_june_in_a_reply_to_a_recording_asks_about_it(room: Room) -> None:
    spoken = room.post(room.channel, "", "", VOICE, **SHAPE)
    reference = {"message_reference": {"message_id": spoken}, "allowed_mentions": {"replied_user": False}}
    other = room.world.person("Max")
    inbound = room.heard(room.channel, f"{MENTION} this one", other, **reference)
    assert inbound.audio
    assert inbound.audio.locator.startswith(f"{room.channel}/{spoken}/")
    assert (inbound.user, inbound.about, inbound.text) == (other, room.person, "this one")
    assert room.heard(room.channel, "nice voice", other, **reference).audio is None


async def test_a_forwarded_recording_is_found(room: Room) -> None:
    message = room.post(room.private, "look")
    file = {"id": "77", "filename": "a.ogg", "size": 4, "url": "u", "proxy_url": "u", "content_type": "audio/ogg"}
    inner = {
        "type": 0, "content": "", "embeds": [], "attachments": [file], "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None, "flags": VOICE_FLAG, "components": [],
    }  # fmt: skip
    inbound = room.read(room.private, message, content=True, message_snapshots=[{"message": inner}])
    assert inbound
    assert inbound.audio
    assert inbound.audio.locator == f"{room.private}/{message}/77"


async def test_what_june_does_not_hear(room: Room) -> None:
    channel = room.channel
    robot = room.world.person("robot")
    room.world.users[robot]["bot"] = True
    assert room.read(channel, room.post(channel, f"{MENTION} beep", robot)) is None
    assert room.read(room.private, room.post(room.private, "I said this", BOT)) is None
    joined = room.post(channel, f"{MENTION} joined")
    assert room.read(channel, joined, content=True, type=7) is None
    assert room.read(channel, room.post(channel, "/play something")) is None, "another bot's command"
    assert room.read(channel, room.post(channel, "secret"), content=False) is None, "emptied without the intent"


async def test_members_of_a_server_are_admitted_and_a_channel_is_opened() -> None:
    admission = Admission(Policy(groups=frozenset({"10"}), open_groups=frozenset({"21"})), AccessView())
    assert [admission.role("1", "10", "20"), admission.role("1", "11", "21")] == [Role.GUEST, Role.GUEST]
    assert admission.role("1", "11", "20") is Role.STRANGER
    assert [admission.answers_all("20", "10"), admission.answers_all("99", "21", "11")] == [False, True]
    said = Admission(Policy(open_groups=frozenset({"10"})), AccessView(standings={"20": Permission.ALLOWED}))
    assert [said.answers_all("20", "10"), said.answers_all("30", "10")] == [False, True], "the narrowest decides"


async def test_the_menus_are_in_the_languages_of_the_catalogue() -> None:
    bot = DiscordBot(message_content=False, keep=AsyncMock())
    await bot.tree.set_translator(Words())
    payloads = [
        await command.get_translated_payload(bot.tree, bot.tree.translator)  # type: ignore[arg-type]
        for command in bot.tree._get_all_commands()
    ]
    by_name: dict[str, Any] = {payload["name"]: payload for payload in payloads}
    assert by_name["forget"]["description_localizations"]["de"]
    assert by_name["Answer this voice message"]["name_localizations"]["fr"] == "Répondre à ce message vocal"
    assert len([payload for payload in payloads if payload["type"] == 1]) == 16
    names = [name for payload in payloads for name in (payload["name"], *payload["name_localizations"].values())]
    assert max(map(len, names)) <= 32
    assert all(len(text) <= 100 for p in payloads for text in p.get("description_localizations", {}).values())


def test_long_lists_are_cut_between_their_lines() -> None:
    text = "\n".join("x" * 700 for _ in range(5))
    assert [len(page) for page in pages(text)] == [1401, 1401, 700]
    assert [len(page) for page in pages("y" * 4500)] == [CONTENT_LIMIT, CONTENT_LIMIT, 500]
    assert pages("  \n ") == []


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
