"""What Discord's messages mean to june's inbox."""

from typing import Any

import pytest

from bots.discord.events import A_POLL
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


async def test_a_video_is_a_recording_and_source_code_is_none(room: Room) -> None:
    video = room.heard(room.private, "what does she say?", "", Upload("clip.mov", b"\0", "video/quicktime"))
    assert (video.audio is not None, video.text) == (True, "what does she say?")
    assert room.heard(room.private, "", "", Upload("memo", b"OggS", "application/octet-stream")).audio
    code = room.heard(room.private, "what does this do?", "", Upload("index.ts", b"let x", "video/mp2t"))
    assert (code.audio, code.text) == (None, "what does this do?")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("voice-message", "application/octet-stream"),
        ("voice-message.ogg", ""),
        ("file", "image/png"),
        ("x.pdf", "application/pdf"),
        ("index.ts", "video/mp2t"),
        ("", "text/plain"),
    ],
)
async def test_a_voice_message_is_one_whatever_its_file_is_called(room: Room, name: str, media_type: str) -> None:
    upload = Upload(name, b"OggS", media_type)
    message = room.world.post(room.private, room.person, {"content": ""}, [upload])
    by_flag = room.read(room.private, message["id"], flags=VOICE_FLAG)
    assert by_flag
    assert (by_flag.audio is not None, by_flag.attachment) == (True, None)
    file = message["attachments"][0] | {"url": "u", "proxy_url": "u", "content_type": media_type or None}
    by_shape = room.read(room.private, message["id"], attachments=[file | {"duration_secs": 2.0}])
    assert by_shape
    assert by_shape.audio_seconds == 2.0


@pytest.mark.parametrize("name", ["memo.OPUS", "memo.oga", "memo.ogg.bin", "memo.m4a.download", " memo.ogg. "])
async def test_a_recording_is_known_by_its_name_where_its_type_says_nothing(room: Room, name: str) -> None:
    assert room.heard(room.private, "", "", Upload(name, b"OggS", "application/octet-stream")).audio


@pytest.mark.parametrize("claimed", [None, "2.5", -1.0, float("nan"), [], True])
async def test_a_duration_that_is_none_is_not_believed(room: Room, claimed: object) -> None:
    message = room.world.post(room.private, room.person, {"content": ""}, [VOICE])
    file = message["attachments"][0] | {"url": "u", "proxy_url": "u", "duration_secs": claimed, "waveform": "AAAA"}
    inbound = room.read(room.private, message["id"], attachments=[file], flags=VOICE_FLAG)
    assert inbound
    assert (inbound.audio is not None, inbound.audio_seconds) == (True, 1.0 if claimed is True else None)


STICKER = {"id": "5", "name": "wave", "format_type": 1}


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"attachments": ["image/png"]}, "photo"),
        ({"attachments": ["image/gif"]}, "animation"),
        ({"attachments": ["application/pdf"]}, "file"),
        ({"attachments": [None]}, "file"),
        ({"sticker_items": [STICKER]}, "sticker"),
        ({"poll": A_POLL}, "poll"),
        ({}, None),
    ],
)
async def test_what_june_cannot_take_is_named_beside_the_text(
    room: Room, changed: dict[str, Any], kind: str | None
) -> None:
    types = changed.pop("attachments", [])
    files = [
        {"id": "7", "filename": "a", "size": 1, "url": "u", "proxy_url": "u", "content_type": media_type}
        for media_type in types
    ]
    said = room.post(room.channel, "Forty-two.", BOT)
    reference: dict[str, Any] = {"message_reference": {"message_id": said}}
    for content in ("what is this?", ""):
        reply = room.post(room.channel, content or "x", **reference)
        inbound = room.read(room.channel, reply, **{"content": content, "attachments": files} | changed)
        assert inbound
        assert (inbound.attachment, inbound.text, inbound.addressed) == (kind, content or None, True)


async def test_a_mention_alone_is_addressed_to_june(room: Room) -> None:
    inbound = room.heard(room.channel, MENTION)
    assert (inbound.addressed, inbound.text, inbound.attachment) == (True, None, None)


async def test_a_forwarded_text_is_what_was_said(room: Room) -> None:
    message = room.post(room.private, "x")
    inner = {
        "type": 0, "content": "the text", "embeds": [], "attachments": [], "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None, "flags": 0, "components": [],
    }  # fmt: skip
    inbound = room.read(room.private, message, message_snapshots=[{"message": inner}], content="")
    assert inbound
    assert inbound.text == "the text"


async def test_names_are_there_for_people(room: Room) -> None:
    said = room.post(room.channel, "I am here", room.world.person("Max"))
    inbound = room.heard(room.channel, f"{MENTION} /allow", message_reference={"message_id": said})
    assert (inbound.group_name, inbound.about_name) == ("home", "Max")


async def test_who_is_meant_in_a_server(room: Room) -> None:
    named = room.heard(room.channel, f"{MENTION} what does <@{room.person}> do?")
    assert (named.addressed, named.text) == (True, "what does @Mia do?")
    assert (named.group, named.places, named.chat) == (room.guild, (room.channel,), room.channel)
    assert not room.heard(room.channel, "just talking").addressed
    assert room.heard(room.thread, f"{MENTION} hello").places == (room.thread, room.channel)
    assert (named.language, room.heard(room.private, "hello").language) == ("fr", None)


async def test_people_and_places_have_names(room: Room) -> None:
    said = room.post(room.channel, "Hello.")
    reference = {"message_reference": {"message_id": said}, "allowed_mentions": {"replied_user": False}}
    named = room.heard(room.channel, f"{MENTION} who is that?", **reference)
    assert named.about_name == "Mia"
    assert named.group_name
    assert (named.place_name or "").startswith("#")
    private = room.heard(room.private, "hello")
    assert (private.group_name, private.place_name) == (None, None)


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
    inbound = room.read(room.private, message, message_snapshots=[{"message": inner}])
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
    assert room.read(channel, joined, type=7) is None
    assert room.read(channel, room.post(channel, "/play something")) is None, "another bot's command"
    assert room.read(channel, room.post(channel, "secret"), shown=False) is None, "emptied without the intent"


def test_long_lists_are_cut_between_their_lines() -> None:
    text = "\n".join("x" * 700 for _ in range(5))
    assert [len(page) for page in pages(text)] == [1401, 1401, 700]
    assert [len(page) for page in pages("y" * 4500)] == [CONTENT_LIMIT, CONTENT_LIMIT, 500]
    assert pages("  \n ") == []
