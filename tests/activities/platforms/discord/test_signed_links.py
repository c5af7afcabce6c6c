"""Signed links: stored where a message can be read only once, and leading to Discord's files alone."""

from pathlib import Path

import pytest

from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.discord.signed_links import SignedLinks
from tests.activities.platforms.discord.conftest import Scene


async def test_a_recording_shown_only_once_is_read_by_the_link_of_then(scene: Scene) -> None:
    channel = scene.world.channel(scene.world.guild())
    hidden = scene.world.post(channel, scene.person, {}, [scene.voice])
    source = scene.locate(hidden)
    with pytest.raises(BadInputError):
        await scene.platform.download(source, 1000)
    shown = scene.world.shown(hidden, scene.fake.base, content=True)
    key = await scene.links.keep(channel, shown["attachments"][0]["url"])
    assert key
    assert key.startswith(f"discord/{channel}/")
    asked = source.model_copy(update={"link_key": key})
    assert await scene.platform.download(asked, 1000) == scene.voice.data
    scene.world.links += 1
    assert await scene.failed(asked) is ErrorCode.AUDIO_MISSING, "it has expired"
    await scene.blobs.delete_chat("discord", channel)
    assert await scene.failed(asked) is ErrorCode.AUDIO_MISSING, "it was forgotten"


@pytest.mark.parametrize(
    "kept",
    [
        "http://127.0.0.1:9/x",
        "https://cdn.discordapp.com@127.0.0.1/x",
        "http://cdn.discordapp.com/x",
        "http://[",
        "OggS",
    ],
)
async def test_what_is_kept_leads_to_no_other_server(scene: Scene, kept: str) -> None:
    channel = scene.world.channel(scene.world.guild())
    hidden = scene.world.post(channel, scene.person, {}, [scene.voice])
    key = await scene.links.keep(channel, kept)
    assert await scene.failed(scene.locate(hidden).model_copy(update={"link_key": key})) is ErrorCode.AUDIO_FORBIDDEN


async def test_a_store_that_does_not_take_a_link_costs_the_link_alone(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = BlobStore.open(tmp_path / "store")
    (tmp_path / "store" / "discord").write_text("in the way")
    assert await SignedLinks(blobs).keep("1", "https://cdn.discordapp.com/secret") is None
    assert "was not kept" in caplog.text
    assert "secret" not in caplog.text
