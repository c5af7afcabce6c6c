"""Requests to Discord: nonces, waveforms, and what of the library is used."""

import base64
import inspect
import itertools
import json

import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, MultipartParameters, Route
from hypothesis import given
from hypothesis import strategies as st

from activities.audio.codec import encode_ogg_opus
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.discord.requests import (
    FILE_NAME,
    JSON,
    Upload,
    find_sent,
    message_body,
    nonce,
    parameters,
    waveform,
)
from tests.support.audio_samples import tone


@pytest.mark.parametrize(("seconds", "points"), [(0.02, 1), (1.0, 10), (26.0, 256)])
def test_a_waveform_has_as_many_points_as_discord_takes(seconds: float, points: int) -> None:
    note = encode_ogg_opus(tone(seconds, 16_000), 16_000, 32_000)
    assert len(base64.b64decode(waveform(note, seconds))) == points


def test_a_note_that_cannot_be_drawn_is_not_tried_again() -> None:
    with pytest.raises(BadInputError) as caught:
        waveform(b"no note", 1)
    assert (caught.value.type, caught.value.non_retryable) == (ErrorCode.AUDIO_UNREADABLE, True)


def test_a_name_of_a_send_fits_and_tells_sends_apart() -> None:
    names = [nonce(message, part) for message, part in itertools.product(("1" * 20, "2"), ("voice", "file", "0/hi"))]
    assert len(set(names)) == 6
    assert all(len(name) <= 25 for name in names)
    assert message_body("n", "x", "1")["allowed_mentions"] == {"parse": []}


def sent(body: JSON, number: int, *files: str, bot: bool = True, gone: bool = False) -> JSON:
    """Return a message as Discord lists it, made of a body; ``gone``: what it replies to was deleted before."""
    message: JSON = {"id": str(number), "content": body.get("content", ""), "author": {"bot": bot}}
    message["attachments"] = [{"filename": name} for name in files]
    return message if gone else message | {"message_reference": body.get("message_reference")}


@given(st.text(max_size=20), st.sampled_from([None, "5"]), st.sampled_from([None, FILE_NAME, "a.py"]), st.booleans())
def test_what_was_sent_is_found_among_other_messages(
    content: str, reply_to: str | None, file: str | None, gone: bool
) -> None:
    body, files = message_body("n", content, reply_to), [file] if file else []
    others = [
        sent(message_body("m", f"{content}!", reply_to), 6, *files),
        sent(body, 7, "another.py"),
        sent(body, 7, *files, "another.py"),
        sent(body, 8, *files, bot=False),
        sent(message_body("m", content, "4"), 9, *files),
    ]
    asked = [] if gone else [{"id": "5", "content": "", "author": {}, "attachments": []}]
    assert find_sent(others + asked, body, file) is None
    mine = sent(body, 10, *files, gone=gone)
    assert find_sent([*others, mine, *asked], body, file) == "10"


def test_a_file_goes_with_its_fields_as_audio() -> None:
    with parameters({"nonce": "n"}, Upload(b"OggS"), duration_secs=1.5) as params:
        payload, file = params.multipart or []
        assert json.loads(payload["value"]) == {
            "nonce": "n",
            "attachments": [{"id": 0, "filename": FILE_NAME, "duration_secs": 1.5}],
        }
        assert (file["content_type"], file["filename"], file["value"].read()) == ("audio/ogg", FILE_NAME, b"OggS")
    assert parameters({"nonce": "n"}).payload == {"nonce": "n"}


def test_the_library_is_as_this_module_expects() -> None:
    """Not part of discord.py's public interface, and used: these tests fail before a new release does harm."""
    assert list(inspect.signature(HTTPClient.send_message).parameters) == ["self", "channel_id", "params"]
    assert MultipartParameters._fields == ("payload", "multipart", "files")
    assert isinstance(Route.BASE, str)
    assert Route("GET", "/x").url == f"{Route.BASE}/x"
    assert str(DiscordWebSocket.DEFAULT_GATEWAY).startswith("ws")
    assert "flags" not in inspect.signature(discord.abc.Messageable.send).parameters, "it can send voice by itself now"
