"""What Discord's messages mean to june's inbox."""

from bots.discord.messages import CONTENT_LIMIT, pages
from tests.bots.discord.conftest import MENTION, SHAPE, VOICE, Room
from tests.support.platforms.discord_world import BOT, VOICE_FLAG, Upload


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


async def test_replies_to_june_are_meant_for_it_with_and_without_a_ping(room: Room) -> None:
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


def test_long_lists_are_cut_between_their_lines() -> None:
    text = "\n".join("x" * 700 for _ in range(5))
    assert [len(page) for page in pages(text)] == [1401, 1401, 700]
    assert [len(page) for page in pages("y" * 4500)] == [CONTENT_LIMIT, CONTENT_LIMIT, 500]
    assert pages("  \n ") == []
